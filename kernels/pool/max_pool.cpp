#include "kernels/pool/max_pool.h"

#include <algorithm>
#include <vector>

#include "kernels/pool/max_pool_channels.h"
#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

// The windows that contain a row or column: first .. last.
struct Windows {
  int64_t first, last;
  Windows(int64_t at, int64_t count, const MaxPoolOptions& o)
      : first(std::max<int64_t>(0, (at + o.padding - o.size + o.stride) / o.stride)),
        last(std::min(count - 1, (at + o.padding) / o.stride)) {}
};

}  // namespace

void max_pool(const Tensor& x, const MaxPoolOptions& o, Tensor& y, Tensor* index) {
  const int64_t H = x.dim(1), W = x.dim(2), C = x.dim(3), Ho = y.dim(1), Wo = y.dim(2);
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* px = x.data<T>();
    T* py = y.data<T>();
    uint8_t* pi = index ? index->data<uint8_t>() : nullptr;
    parallel_for(y.dim(0) * Ho, 1, [=](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t top = row % Ho * o.stride - o.padding, r = std::max<int64_t>(top, 0);
        const T* image_row = px + (row / Ho * H + r) * W * C;
        for (int64_t j = 0; j < Wo; ++j) {
          const int64_t left = j * o.stride - o.padding, q = std::max<int64_t>(left, 0);
          const int64_t to = (row * Wo + j) * C;
          const PoolWindow<T> window{image_row + q * C,
                                     int(std::min(top + o.size, H) - r),
                                     int(std::min(left + o.size, W) - q),
                                     int((r - top) * o.size + q - left),
                                     o.size,
                                     W * C,
                                     C,
                                     py + to,
                                     pi ? pi + to : nullptr};
          CAIRN_ISA_CALL(pool_window, window);
        }
      }
    });
  });
}

void max_pool_backward(const Tensor& dy, const Tensor& index, const MaxPoolOptions& o, Tensor& dx) {
  const int64_t H = dx.dim(1), W = dx.dim(2), C = dx.dim(3), Ho = dy.dim(1), Wo = dy.dim(2);
  std::vector<Windows> columns;
  for (int64_t q = 0; q < W; ++q) columns.emplace_back(q, Wo, o);
  with_float(dx.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* pd = dy.data<T>();
    const uint8_t* pi = index.data<uint8_t>();
    T* px = dx.data<T>();
    parallel_for(dx.dim(0) * H, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t n = row / H, r = row % H;
        const Windows rows(r, Ho, o);
        for (int64_t q = 0; q < W; ++q) {
          T* to = px + (row * W + q) * C;
          bool more = false;
          for (int64_t i = rows.first; i <= rows.last; ++i)
            for (int64_t j = columns[q].first; j <= columns[q].last; ++j) {
              const int64_t from = ((n * Ho + i) * Wo + j) * C;
              const int64_t u = r + o.padding - i * o.stride, v = q + o.padding - j * o.stride;
              const PoolTap<T> tap{pd + from, pi + from, uint8_t(u * o.size + v), more, C, to};
              CAIRN_ISA_CALL(pool_give_back, tap);
              more = true;
            }
          if (!more) std::fill_n(to, C, T(0));
        }
      }
    });
  });
}

}  // namespace cairn::cpu
