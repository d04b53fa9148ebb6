#include "kernels/pool/max_pool.h"

#include <algorithm>

#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

// Takes the channels of one more element of the window into account.
template <class T>
void take_larger(const T* __restrict x, uint8_t tap, int64_t C, T* __restrict y,
                 uint8_t* __restrict index) {
  if (!index) {
    for (int64_t c = 0; c < C; ++c) y[c] = x[c] > y[c] || x[c] != x[c] ? x[c] : y[c];
    return;
  }
  for (int64_t c = 0; c < C; ++c) {
    const bool larger = x[c] > y[c] || x[c] != x[c];
    y[c] = larger ? x[c] : y[c];
    index[c] = larger ? tap : index[c];
  }
}

// dx = dy where the window chose this tap; added if `more`.
template <class T>
void give_back(const T* __restrict dy, const uint8_t* __restrict index, uint8_t tap, bool more,
               int64_t C, T* __restrict dx) {
  if (more)
    for (int64_t c = 0; c < C; ++c) dx[c] += index[c] == tap ? dy[c] : T(0);
  else
    for (int64_t c = 0; c < C; ++c) dx[c] = index[c] == tap ? dy[c] : T(0);
}

}  // namespace

void max_pool(const Tensor& x, const MaxPoolOptions& o, Tensor& y, Tensor* index) {
  const int64_t H = x.dim(1), W = x.dim(2), C = x.dim(3), Ho = y.dim(1), Wo = y.dim(2);
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* px = x.data<T>();
    T* py = y.data<T>();
    uint8_t* pi = index ? index->data<uint8_t>() : nullptr;
    parallel_for(y.dim(0) * Ho, 1, [=](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        for (int64_t j = 0; j < Wo; ++j) {
          const int64_t top = row % Ho * o.stride - o.padding, left = j * o.stride - o.padding;
          T* to = py + (row * Wo + j) * C;
          uint8_t* at = pi ? pi + (row * Wo + j) * C : nullptr;
          bool first = true;
          for (int64_t r = std::max<int64_t>(top, 0); r < std::min(top + o.size, H); ++r)
            for (int64_t q = std::max<int64_t>(left, 0); q < std::min(left + o.size, W); ++q) {
              const T* from = px + ((row / Ho * H + r) * W + q) * C;
              const auto tap = uint8_t((r - top) * o.size + q - left);
              if (!first) {
                take_larger(from, tap, C, to, at);
                continue;
              }
              std::copy_n(from, C, to);
              if (at) std::fill_n(at, C, tap);
              first = false;
            }
        }
    });
  });
}

void max_pool_backward(const Tensor& dy, const Tensor& index, const MaxPoolOptions& o, Tensor& dx) {
  const int64_t H = dx.dim(1), W = dx.dim(2), C = dx.dim(3), Ho = dy.dim(1), Wo = dy.dim(2);
  // The windows that contain row or column `at` are first..last of `count`.
  const auto first = [=](int64_t at) {
    return std::max<int64_t>(0, (at + o.padding - o.size + o.stride) / o.stride);
  };
  const auto last = [=](int64_t at, int64_t count) {
    return std::min(count - 1, (at + o.padding) / o.stride);
  };
  with_float(dx.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* pd = dy.data<T>();
    const uint8_t* pi = index.data<uint8_t>();
    T* px = dx.data<T>();
    parallel_for(dx.dim(0) * H, 1, [=](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        for (int64_t q = 0; q < W; ++q) {
          const int64_t n = row / H, r = row % H;
          T* to = px + (row * W + q) * C;
          bool more = false;
          for (int64_t i = first(r); i <= last(r, Ho); ++i)
            for (int64_t j = first(q); j <= last(q, Wo); ++j) {
              const int64_t from = ((n * Ho + i) * Wo + j) * C;
              const int64_t u = r + o.padding - i * o.stride, v = q + o.padding - j * o.stride;
              give_back(pd + from, pi + from, uint8_t(u * o.size + v), more, C, to);
              more = true;
            }
          if (!more) std::fill_n(to, C, T(0));
        }
    });
  });
}

}  // namespace cairn::cpu
