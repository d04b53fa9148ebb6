#include "kernels/norm/norm_rows.h"

#include "kernels/gemm/activated.h"

namespace cairn::CAIRN_ISA {
namespace {

constexpr int wide = many_registers ? 4 : 2;  // vectors of channels whose sums stay in registers
constexpr int64_t run = 64;                   // rows that add up in T

// V vectors of channels; only the first `count` lanes of a single one, if it is the last.
template <class T, int V>
struct Columns {
  static constexpr int vectors = V;
  using Vec = Vector<T>;
  int count;

  Vec get(const T* p, int v) const {
    return V > 1 || count == lanes<T> ? load(p + v * lanes<T>) : load(p, count);
  }
  void put(T* p, int v, Vec value) const {
    V > 1 || count == lanes<T> ? store(p + v * lanes<T>, value) : store(p, value, count);
  }
  // sums[c] += value's lanes, in double.
  void add(double* sums, int v, Vec value) const {
    const int n = V > 1 ? lanes<T> : count;
    for (int i = 0; i < n; ++i) sums[v * lanes<T> + i] += double(value[i]);
  }
  struct Many {
    Vec v[V];
  };
  Many all(const T* p) const {
    Many m;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) m.v[v] = get(p, v);
    return m;
  }
};

// f(columns, c) for runs of channels that cover 0..C.
template <class T, class F>
inline __attribute__((always_inline)) void over_channels(int64_t C, F&& f) {
  int64_t c = 0;
  for (; c + wide * lanes<T> <= C; c += wide * lanes<T>) f(Columns<T, wide>{lanes<T>}, c);
  for (; c < C; c += lanes<T>) f(Columns<T, 1>{int(C - c < lanes<T> ? C - c : lanes<T>)}, c);
}

// g act'(z).
template <Activation act, class T>
inline Vector<T> through(Vector<T> g, Vector<T> z, T slope) {
  const Vector<T> zero{};
  if constexpr (act == Activation::relu) return z > zero ? g : zero;
  if constexpr (act == Activation::leaky_relu) return z > zero ? g : slope * g;
  if constexpr (act == Activation::relu6) return z > zero ? (z < broadcast(T(6)) ? g : zero) : zero;
  return g;
}

template <Activation act, class T>
void normalise_rows(const NormRows<T>& k) {
  constexpr int width = 2 * lanes<T>;
  over_channels<T>(k.C, [&](auto columns, int64_t c) {
    constexpr int V = decltype(columns)::vectors;
    const auto mean = columns.all(k.norm.mean + c), scale = columns.all(k.norm.scale + c),
               beta = columns.all(k.norm.beta + c);
    T* to[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const int64_t column = c + v * lanes<T>;
      to[v] = k.z + column / width * k.z_panel + column % width;
    }
    const T* x = k.x + c;
    for (int64_t r = 0; r < k.rows; ++r, x += k.x_row)
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        const auto z = (columns.get(x, v) - mean.v[v]) * scale.v[v] + beta.v[v];
        columns.put(to[v] + r * k.z_row, 0, activated(z, act, k.norm.slope));
      }
  });
}

template <class T>
void moment_rows(const MomentRows<T>& k) {
  over_channels<T>(k.C, [&](auto columns, int64_t c) {
    using Vec = Vector<T>;
    constexpr int V = decltype(columns)::vectors;
    // Differences from the first row: a mean far from zero cancels nothing.
    const auto pivot = columns.all(k.y + c);
    double sums[V * lanes<T>] = {}, squares[V * lanes<T>] = {};
    for (int64_t r0 = 0; r0 < k.rows; r0 += run) {
      const int64_t r1 = k.rows - r0 < run ? k.rows : r0 + run;
      Vec s[V] = {}, q[V] = {};
      for (int64_t r = r0; r < r1; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) {
          const Vec d = columns.get(k.y + r * k.C + c, v) - pivot.v[v];
          s[v] += d;
          q[v] += d * d;
        }
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        columns.add(sums, v, s[v]);
        columns.add(squares, v, q[v]);
      }
    }
    const int n = V > 1 ? V * lanes<T> : columns.count;
    for (int i = 0; i < n; ++i) {
      const double off = sums[i] / double(k.rows), rest = squares[i] - sums[i] * off;
      k.mean[c + i] = double(pivot.v[i / lanes<T>][i % lanes<T>]) + off;
      k.m2[c + i] = rest > 0 ? rest : 0;
    }
  });
}

template <Activation act, class T>
void through_rows(const ThroughRows<T>& k) {
  over_channels<T>(k.C, [&](auto columns, int64_t c) {
    using Vec = Vector<T>;
    constexpr int V = decltype(columns)::vectors;
    const auto mean = columns.all(k.norm.mean + c), scale = columns.all(k.norm.scale + c),
               beta = columns.all(k.norm.beta + c);
    for (int64_t r0 = 0; r0 < k.rows; r0 += run) {
      const int64_t r1 = k.rows - r0 < run ? k.rows : r0 + run;
      Vec s[V] = {}, q[V] = {};
      for (int64_t r = r0; r < r1; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) {
          const int64_t at = r * k.C + c;
          const Vec d = columns.get(k.x + at, v) - mean.v[v];
          const Vec z = d * scale.v[v] + beta.v[v];
          const Vec g = through<act, T>(columns.get(k.dz + at, v), z, k.norm.slope);
          if (k.g) columns.put(k.g + at, v, g);
          s[v] += g;
          q[v] += g * d;
        }
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        columns.add(k.sums + c, v, s[v]);
        columns.add(k.sums + k.C + c, v, q[v]);
      }
    }
  });
}

template <Activation act, class T>
void norm_back_rows(const NormBackRows<T>& k) {
  over_channels<T>(k.C, [&](auto columns, int64_t c) {
    using Vec = Vector<T>;
    constexpr int V = decltype(columns)::vectors;
    const auto mean = columns.all(k.norm.mean + c), scale = columns.all(k.norm.scale + c),
               beta = columns.all(k.norm.beta + c), shift = columns.all(k.shift + c),
               slope = columns.all(k.slope + c);
    for (int64_t r0 = 0; r0 < k.rows; r0 += run) {
      const int64_t r1 = k.rows - r0 < run ? k.rows : r0 + run;
      Vec s[V] = {};
      for (int64_t r = r0; r < r1; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) {
          const int64_t at = r * k.C + c;
          const Vec d = columns.get(k.x + at, v) - mean.v[v];
          const Vec z = d * scale.v[v] + beta.v[v];
          const Vec g = through<act, T>(columns.get(k.dz + at, v), z, k.norm.slope);
          Vec dx = scale.v[v] * (g - shift.v[v] - d * slope.v[v]);
          if (k.add) dx += columns.get(k.add + at, v);
          columns.put(k.dx + at, v, dx);
          s[v] += dx;
        }
      if (!k.sums) continue;
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) columns.add(k.sums + c, v, s[v]);
    }
  });
}

}  // namespace

#define CAIRN_DEFINE_NORM_ROWS(T)                                            \
  void normalise(const NormRows<T>& k) {                                     \
    with_rectifier(k.norm.act, [&](auto act) { normalise_rows<act()>(k); }); \
  }                                                                          \
  void moments(const MomentRows<T>& k) { moment_rows(k); }                   \
  void through_activation(const ThroughRows<T>& k) {                         \
    with_rectifier(k.norm.act, [&](auto act) { through_rows<act()>(k); });   \
  }                                                                          \
  void norm_back(const NormBackRows<T>& k) {                                 \
    with_rectifier(k.norm.act, [&](auto act) { norm_back_rows<act()>(k); }); \
  }

CAIRN_DEFINE_NORM_ROWS(float)
CAIRN_DEFINE_NORM_ROWS(double)

}  // namespace cairn::CAIRN_ISA
