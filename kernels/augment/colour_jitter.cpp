#include "kernels/augment/colour_jitter.h"

#include <algorithm>

#include "kernels/augment/normal_quantile.h"
#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

template <class T>
T clipped(T v) {
  return std::min(std::max(v, T(0)), T(255));
}

template <class T, int C>
void change_colours(const uint8_t* x, int64_t pixels, const JitterAmounts<T>& a, T* y) {
  int64_t sums[C] = {};
  for (int64_t i = 0; i < pixels; ++i)
    for (int c = 0; c < C; ++c) sums[c] += x[C * i + c];
  T offset = a.added;
  for (int c = 0; c < C; ++c) offset += a.pull[c] * T(sums[c]) / T(pixels);
  for (int64_t i = 0; i < pixels; ++i)
    for (int to = 0; to < C; ++to) {
      T v = offset;
      for (int c = 0; c < C; ++c) v += a.colour[to][c] * T(x[C * i + c]);
      y[C * i + to] = clipped(v);
    }
}

template <class T>
void cover(const JitterPatch<T>& patch, PatchShape shape, int64_t height, int64_t width, int C,
           T* y) {
  const double reach = std::hypot(double(patch.half_width), double(patch.half_height));
  const auto first = [&](T c) {
    return std::max<int64_t>(0, int64_t(std::ceil(double(c) - reach)));
  };
  const auto last = [&](T c, int64_t n) {
    return std::min<int64_t>(n - 1, int64_t(std::floor(double(c) + reach)));
  };
  for (int64_t v = first(patch.y); v <= last(patch.y, height); ++v)
    for (int64_t u = first(patch.x); u <= last(patch.x, width); ++u) {
      const PatchPlace<T> p = patch.place(T(u), T(v));
      if (!p.inside(shape)) continue;
      for (int c = 0; c < C; ++c) y[(v * width + u) * C + c] = patch.colour(p, c, C);
    }
}

template <class T>
void add_noise(const JitterPlan& plan, T sd, int64_t count, T* y) {
  const auto& z = normal_quantiles<T>();
  for (int64_t first = 0; first < count; first += 8) {
    const EightHalves bits(joined(plan.key), 0, first / 8);
    for (int i = 0; i < 8 && first + i < count; ++i)
      y[first + i] = clipped(y[first + i] + sd * z[bits[i] >> 4]);
  }
}

template <class T>
void jitter(const Tensor& x, const Tensor& plan, const Tensor& amounts, Tensor& y) {
  const int64_t height = y.dim(1), width = y.dim(2), pixels = height * width;
  const int C = int(y.dim(3));
  parallel_for(y.dim(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const JitterPlan& p = static_cast<const JitterPlan*>(plan.raw())[n];
      const auto& a = static_cast<const JitterAmounts<T>*>(amounts.raw())[n];
      const uint8_t* from = x.data<uint8_t>() + n * pixels * C;
      T* to = y.data<T>() + n * pixels * C;
      C == 1 ? change_colours<T, 1>(from, pixels, a, to)
             : change_colours<T, 3>(from, pixels, a, to);
      for (int i = 0; i < jitter_patches; ++i)
        if (p.patches[i] != PatchShape::none)
          cover(a.patches[i], p.patches[i], height, width, C, to);
      if (a.noise > 0) add_noise(p, a.noise, pixels * C, to);
      for (int64_t i = 0; i < pixels * C; ++i) to[i] *= T(1 / 255.);
    }
  });
}

}  // namespace

void colour_jitter(const Tensor& x, const Tensor& plan, const Tensor& amounts, Tensor& y) {
  with_float(y.dtype(), [&](auto type) { jitter<decltype(type)>(x, plan, amounts, y); });
}

}  // namespace cairn::cpu
