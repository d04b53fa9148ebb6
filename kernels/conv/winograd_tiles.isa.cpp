#include "kernels/conv/winograd_tiles.h"

#include <type_traits>

#include "kernels/conv/winograd_transforms.h"
#include "kernels/gemm/activated.h"
#include "kernels/gemm/register_tile.h"

namespace cairn::CAIRN_ISA {
namespace {

constexpr int width = 2 * L;  // of a panel

// f(i, left) for each vector of `count` numbers; `left`, those from i on, is a constant for whole
// vectors.
template <class F>
CAIRN_INLINE void over_vectors(int64_t count, F&& f) {
  int64_t i = 0;
  for (; i + L <= count; i += L) f(i, std::integral_constant<int64_t, L>());
  if (i < count) f(i, count - i);
}

// A vector of what is `left`, at most a whole one; bf16 comes in whole vectors alone.
template <class T>
CAIRN_INLINE V load_of(const T* p, int64_t left) {
  if constexpr (std::is_same_v<T, float>)
    if (left < L) return load(p, int(left));
  return load(p);
}
template <class T>
CAIRN_INLINE void store_of(T* p, V v, int64_t left) {
  if constexpr (std::is_same_v<T, float>)
    if (left < L) return store(p, v, int(left));
  store(p, v);
}

inline int64_t whole_vectors(int64_t channels) { return (channels + L - 1) / L * L; }

// Points lie so far apart; the odd vector keeps the 36 of them out of each other's cache sets.
inline int64_t point_stride(int64_t tiles, int64_t channels) { return tiles * channels + L; }

// Where the pixels of a tile are: inside the image, or, for a tile that the border cuts, in a copy
// with zeros beyond the border.
template <class T>
struct Pixels {
  const T* at;
  int64_t row, column;
};

// The image of a tile, and where its first pixel lies in it.
struct TilePlace {
  int64_t n, top, left;
};

template <class T>
CAIRN_INLINE TilePlace place_of(const TiledImage<T>& x, int64_t tile) {
  const int64_t row = tile / x.columns, n = row / x.rows;
  return {n, (row - n * x.rows) * 4 - x.padding, (tile - row * x.columns) * 4 - x.padding};
}

template <int size, class T>
Pixels<T> pixels_of(const TiledImage<T>& x, int64_t tile, float* memory) {
  const auto [n, top, left] = place_of(x, tile);
  const T* image = x.data + n * x.H * x.W * x.C;
  if (top >= 0 && left >= 0 && top + size <= x.H && left + size <= x.W)
    return {image + (top * x.W + left) * x.C, x.W * x.C, x.C};
  T* patch = reinterpret_cast<T*>(memory);
  const auto fill = [](T* to, const T* from, int64_t count) {  // zeros from null
    over_vectors(count, [&](int64_t i, auto left) {
      store_of(to + i, from ? load_of(from + i, left) : V{}, left);
    });
  };
  const int64_t j0 = left < 0 ? -left : 0, j1 = x.W - left < size ? x.W - left : size;
  for (int i = 0; i < size; ++i) {
    T* to = patch + i * size * x.C;
    const int64_t r = top + i;
    if (r < 0 || r >= x.H || j0 >= j1) {
      fill(to, nullptr, size * x.C);
      continue;
    }
    fill(to, nullptr, j0 * x.C);
    fill(to + j0 * x.C, image + (r * x.W + left + j0) * x.C, (j1 - j0) * x.C);
    fill(to + j1 * x.C, nullptr, (size - j1) * x.C);
  }
  return {patch, size * x.C, x.C};
}

// The same, normalised: always a copy, whose zeros beyond the border stay zeros.
template <int size, class T>
Pixels<T> normed_pixels_of(const TiledImage<T>& x, int64_t tile, const ChannelNorm<float>& norm,
                           float* memory) {
  const auto [n, top, left] = place_of(x, tile);
  const int64_t i0 = top < 0 ? -top : 0, i1 = x.H - top < size ? x.H - top : size;
  const int64_t j0 = left < 0 ? -left : 0, j1 = x.W - left < size ? x.W - left : size;
  T* patch = reinterpret_cast<T*>(memory);
  if (i0 > 0 || j0 > 0 || i1 < size || j1 < size)
    for (int64_t i = 0; i < size * size * x.C; i += L) store(patch + i, V{});
  const T* first = x.data + ((n * x.H + top) * x.W + left) * x.C;
  for (int64_t c = 0; c < x.C; c += L) {
    const V mean = load(norm.mean + c), scale = load(norm.scale + c), beta = load(norm.beta + c);
    for (int64_t i = i0; i < i1; ++i)
      for (int64_t j = j0; j < j1; ++j) {
        const V z = (load(first + (i * x.W + j) * x.C + c) - mean) * scale + beta;
        store(patch + (i * size + j) * x.C + c, activated(z, Activation::relu, 0.f));
      }
  }
  return {patch, size * x.C, x.C};
}

template <int size, class T>
Pixels<T> pixels_of(const TiledImage<T>& x, int64_t tile, const ChannelNorm<float>* norm,
                    float* memory) {
  return norm ? normed_pixels_of<size>(x, tile, *norm, memory) : pixels_of<size>(x, tile, memory);
}

// B' d B of a tile; channels c..c+L of a point go to v[point stride + place(c)].
template <class T, class Place>
void transform_input(const Pixels<T>& d, int64_t C, float* v, int64_t stride, Place&& place) {
  over_vectors(C, [&](int64_t c, auto left) {
    transform_2d<6, 6>(
        [&](int i, int j) { return load_of(d.at + i * d.row + j * d.column + c, left); },
        input_points,
        [&](int i, int j, V value) { store(v + (i * 6 + j) * stride + place(c), value); });
  });
}

// A dy A' of a tile, to m[point stride + o].
void transform_gradient(const Pixels<float>& dy, int64_t O, float* m, int64_t stride) {
  over_vectors(O, [&](int64_t o, auto left) {
    transform_2d<4, 6>(
        [&](int i, int j) { return load_of(dy.at + i * dy.row + j * dy.column + o, left); },
        output_points, [&](int i, int j, V value) { store(m + (i * 6 + j) * stride + o, value); });
  });
}

// m [tiles][width] = v [tiles][K] u [K][width] for one point and one panel of `vectors` vectors;
// v's rows are whole vectors.
template <int R, int vectors>
inline void product_rows(const float* v, int64_t K, const float* u, float* m) {
  V sums[R][vectors] = {};
  multiply_tile<float, R, vectors, false>(v, whole_vectors(K), u, width, K, sums);
  for (int r = 0; r < R; ++r)
    for (int i = 0; i < vectors; ++i) store(m + r * width + i * L, sums[r][i]);
}

template <int vectors>
void product(const float* v, int64_t tiles, int64_t K, const float* u, float* m) {
  const int64_t row = whole_vectors(K);
  int64_t t = 0;
  for (; t + max_rows <= tiles; t += max_rows)
    product_rows<max_rows, vectors>(v + t * row, K, u, m + t * width);
  if (t < tiles)
    with_rows(int(tiles - t),
              [&](auto rows) { product_rows<rows, vectors>(v + t * row, K, u, m + t * width); });
}

// What becomes of the outputs of a unit of tiles, for one vector of channels from o on: `put` takes
// each of them, `at` being its place in y.
template <bool whole>
struct PlainEnd {
  int64_t left;
  V bias;
  template <class In, class Out>
  PlainEnd(const WinogradForward<In, Out>& k, int64_t o)
      : left(k.O - o), bias(k.bias ? load_of(k.bias + o, left) : V{}) {}
  template <class In, class Out>
  CAIRN_INLINE void put(const WinogradForward<In, Out>& k, int64_t at, V z) {
    z = activated(z + bias, k.act, k.slope);
    if constexpr (!whole)
      store_of(k.y + at, z, left);
    else
      k.stream ? stream(k.y + at, z) : store(k.y + at, z);
  }
  template <class In, class Out>
  void finish(const WinogradForward<In, Out>&, int64_t, int64_t) {}
};

// With the statistics of y.
struct MomentEnd {
  using Forward = WinogradForward<float, float>;
  V bias, pivot{}, sum{}, squares{};
  bool begun = false;
  MomentEnd(const Forward& k, int64_t o) : bias(k.bias ? load(k.bias + o) : V{}) {}
  CAIRN_INLINE void put(const Forward& k, int64_t at, V z) {
    z += bias;
    store(k.y + at, z);
    if (!begun) pivot = z;
    begun = true;
    const V d = z - pivot;
    sum += d;
    squares += d * d;
  }
  void finish(const Forward& k, int64_t unit, int64_t o) {
    float* to = k.moments + unit * 3 * k.O + o;
    store(to, pivot);
    store(to + k.O, sum);
    store(to + 2 * k.O, squares);
  }
};

struct ThroughEnd {
  using Forward = WinogradForward<float, float>;
  V mean, scale, beta, sum{}, products{};
  ThroughEnd(const Forward& k, int64_t o)
      : mean(load(k.through.norm.mean + o)),
        scale(load(k.through.norm.scale + o)),
        beta(load(k.through.norm.beta + o)) {}
  CAIRN_INLINE void put(const Forward& k, int64_t at, V z) {
    const V d = load(k.through.x + at) - mean, g = d * scale + beta > V{} ? z : V{};
    store(k.y + at, g);
    sum += g;
    products += g * d;
  }
  void finish(const Forward& k, int64_t unit, int64_t o) {
    float* to = k.through.sums + unit * 2 * k.O + o;
    store(to, sum);
    store(to + k.O, products);
  }
};

// The outputs of one tile and one vector of channels: sixteen, or four maxima.
template <class In, class Out, class End>
void transform_output(const WinogradForward<In, Out>& k, int64_t tile, const float* m,
                      int64_t stride, int64_t o, End& end) {
  const TilePlace place = place_of(k.x, tile);
  const int64_t n = place.n, top = place.top + k.x.padding, left = place.left + k.x.padding;
  V y[4][4];
  transform_2d<6, 4>([&](int i, int j) { return load(m + (i * 6 + j) * stride); }, output_values,
                     [&](int i, int j, V value) { y[i][j] = value; });
  if (k.pool2) {
    const int64_t Hp = k.Ho / 2, Wp = k.Wo / 2;
    for (int i = 0; i < 2; ++i)
      for (int j = 0; j < 2; ++j) {
        const V a = y[2 * i][2 * j], b = y[2 * i][2 * j + 1];
        const V c = y[2 * i + 1][2 * j], d = y[2 * i + 1][2 * j + 1];
        const V ab = a > b ? a : b, cd = c > d ? c : d, z = ab > cd ? ab : cd;
        const int64_t r = top / 2 + i, q = left / 2 + j;
        if (r < Hp && q < Wp) end.put(k, (n * Hp + r) * k.y_row + q * k.O + o, z);
      }
    return;
  }
  for (int i = 0; i < 4 && top + i < k.Ho; ++i)
    for (int j = 0; j < 4 && left + j < k.Wo; ++j)
      end.put(k, (n * k.Ho + top + i) * k.y_row + (left + j) * k.O + o, y[i][j]);
}

// Asks for row i of a tile of size x size pixels ahead of its use, but for the columns that it
// shares with its left neighbour. Inlined by force: a function that only prefetches looks useless
// to GCC.
template <int size, class T>
CAIRN_INLINE void prefetch(const TiledImage<T>& x, const TilePlace& tile, int64_t i) {
  const int64_t r = tile.top + i, end = tile.left + size;
  if (r < 0 || r >= x.H) return;
  const T* row = x.data + (tile.n * x.H + r) * x.W * x.C;
  const T* last = row + (end < x.W ? end : x.W) * x.C;
  for (const T* p = row + (end - 4) * x.C; p < last; p += 64 / sizeof(T))
    __builtin_prefetch(p, 0, 2);
}

// One block of tiles: transforms in, 36 products a panel, transforms out.
// `next` tiles follow it.
template <class End, class In, class Out>
void forward_block(const WinogradForward<In, Out>& k, int64_t first, int64_t tiles, int64_t next) {
  const int64_t C = k.x.C, v_row = whole_vectors(C), v_stride = point_stride(k.block, v_row);
  const int64_t m_stride = point_stride(k.block, width);
  float *v = k.scratch, *m = v + 36 * v_stride, *patch = m + 36 * m_stride;
  for (int64_t t = 0; t < tiles; ++t)
    transform_input(pixels_of<6>(k.x, first + t, k.norm, patch), C, v + t * v_row, v_stride,
                    [](int64_t c) { return c; });
  TilePlace ahead{};
  const int64_t panels = (k.O + width - 1) / width;
  for (int64_t panel = 0; panel < panels; ++panel) {
    const bool two = k.O - panel * width > L;  // vectors
    for (int point = 0; point < 36; ++point) {
      const float* u = k.u + (point * panels + panel) * C * width;
      const int64_t step = panel * 36 + point, parts = next * 6, steps = 36 * panels;
      for (int64_t i = step * parts / steps; i < (step + 1) * parts / steps; ++i) {
        if (i % 6 == 0) ahead = place_of(k.x, first + tiles + i / 6);
        prefetch<6>(k.x, ahead, i % 6);
      }
      if (two)
        product<2>(v + point * v_stride, tiles, C, u, m + point * m_stride);
      else
        product<1>(v + point * v_stride, tiles, C, u, m + point * m_stride);
    }
    for (int64_t t = 0; t < tiles; t += max_rows) {
      const int64_t o = panel * width, last = tiles - t < max_rows ? tiles : t + max_rows;
      End left(k, o), right(k, two ? o + L : o);
      for (int64_t tile = t; tile < last; ++tile) {
        transform_output(k, first + tile, m + tile * width, m_stride, o, left);
        if (two) transform_output(k, first + tile, m + tile * width + L, m_stride, o + L, right);
      }
      left.finish(k, (first + t) / max_rows, o);
      if (two) right.finish(k, (first + t) / max_rows, o + L);
    }
  }
}

template <class End, class In, class Out>
void forward(const WinogradForward<In, Out>& k, int64_t first_tile, int64_t last_tile) {
  const auto block = [&](int64_t tile) {  // tiles of the block that begins at `tile`
    const int64_t left = last_tile - tile;
    return left < 0 ? 0 : left < k.block ? left : k.block;
  };
  for (int64_t t = first_tile; t < last_tile; t += k.block)
    forward_block<End>(k, t, block(t), block(t + k.block));
  if (k.stream) stream_end();
}

}  // namespace

int vector_lanes() { return L; }

int64_t winograd_scratch(int64_t C, int64_t block) {
  return 36 * (point_stride(block, whole_vectors(C)) + point_stride(block, width) + C);
}

void winograd_weights(const WinogradWeights& k, int64_t k0, int64_t k1) {
  const int64_t panels = (k.N + width - 1) / width;
  for (int64_t n = 0; n < k.N; n += L)
    for (int64_t row = k0; row < k1; row += L) {
      V taps[9][L];  // of L rows, each a vector along n
      for (int t = 0; t < 9; ++t) {
        const float* w = k.w + n * k.w_n + t * k.w_tap + row * k.w_k;
        V(&rows)[L] = taps[k.turned ? 8 - t : t];
        const int64_t along_n = k.N - n, along_k = k.K - row;
        const bool turn = k.w_n != 1;  // vectors lie along k
        for (int i = 0; i < L; ++i)
          rows[i] = i < (turn ? along_n : along_k)
                        ? load_of(w + i * (turn ? k.w_n : k.w_k), turn ? along_k : along_n)
                        : V{};
        if (turn) transpose<float>(rows);
      }
      for (int r = 0; r < L && row + r < k.K; ++r) {
        float* u = k.u + (n / width * k.K + row + r) * width + n % width;
        transform_2d<3, 6>(
            [&](int i, int j) { return taps[i * 3 + j][r]; }, weight_points,
            [&](int i, int j, V value) { store(u + (i * 6 + j) * panels * k.K * width, value); });
      }
    }
}

void winograd_forward(const WinogradForward<float, float>& k, int64_t first, int64_t last) {
  if (k.moments) return forward<MomentEnd>(k, first, last);
  if (k.through.x) return forward<ThroughEnd>(k, first, last);
  k.O % L == 0 ? forward<PlainEnd<true>>(k, first, last) : forward<PlainEnd<false>>(k, first, last);
}
void winograd_forward(const WinogradForward<bf16, bf16>& k, int64_t first, int64_t last) {
  forward<PlainEnd<true>>(k, first, last);
}
void winograd_forward(const WinogradForward<float, bf16>& k, int64_t first, int64_t last) {
  forward<PlainEnd<true>>(k, first, last);
}

void winograd_pair(const WinogradPair& k, int64_t first_tile, int64_t last_tile, int64_t at) {
  const auto place = [&](int64_t c) { return c / width * k.capacity * width + c % width; };
  for (int64_t tile = first_tile; tile < last_tile; ++tile, ++at) {
    if (tile + 4 < last_tile) {
      const TilePlace x = place_of(k.x, tile + 4), dy = place_of(k.dy, tile + 4);
      for (int i = 0; i < 6; ++i) prefetch<6>(k.x, x, i);
      for (int i = 0; i < 4; ++i) prefetch<4>(k.dy, dy, i);
    }
    transform_input(pixels_of<6>(k.x, tile, k.norm, k.patch), k.x.C, k.v + at * width, k.v_stride,
                    place);
    transform_gradient(pixels_of<4>(k.dy, tile, k.patch), k.dy.C, k.m + at * whole_vectors(k.dy.C),
                       k.m_stride);
  }
}

void winograd_weights_back(const float* g, int64_t O, int64_t C, float* dw, int64_t o0,
                           int64_t o1) {
  for (int64_t o = o0; o < o1; ++o)
    over_vectors(C, [&](int64_t c, auto left) {
      transform_2d<6, 3>(
          [&](int i, int j) { return load_of(g + ((i * 6 + j) * O + o) * C + c, left); },
          weight_values,
          [&](int i, int j, V value) { store_of(dw + (o * 9 + i * 3 + j) * C + c, value, left); });
    });
}

}  // namespace cairn::CAIRN_ISA
