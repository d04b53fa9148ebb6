#include "kernels/warp/accumulate_warped.h"

#include <algorithm>

#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

template <class T>
void accumulate(const Tensor& maps, const Tensor& matrices, const Tensor& map_rows,
                const Tensor& rows, const AccumulateOptions& o, Tensor& total, Tensor& count,
                Tensor& result) {
  const int64_t B = maps.dim(0), h = maps.dim(1), w = maps.dim(2), H = total.dim(0),
                W = total.dim(1);
  const Tensor exact = matrices.to(DType::f64);
  const double* m = exact.data<double>();
  const T* values = maps.data<T>();
  const int32_t *trusted = map_rows.data<int32_t>(), *spoken = rows.data<int32_t>();
  double* totals = total.data<double>();
  int32_t* counts = count.data<int32_t>();
  T* y = result.data<T>();
  parallel_for(H, 1, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      double* t = totals + row * W;
      int32_t* c = counts + row * W;
      for (int64_t b = 0; b < B; ++b) {
        const TrustedMap<T> map{values + b * h * w, trusted + 2 * b * h, h, w};
        const int32_t* span = spoken + 2 * (b * H + row);
        for (int32_t x = span[0]; x < span[1]; ++x) {
          const double v = map.sample(Projected<double>(m + 9 * b, double(x), double(row)));
          t[x] = o.aggregation == Aggregation::sum ? t[x] + v : std::max(t[x], v);
          ++c[x];
        }
      }
      const int32_t least = std::max(o.least_count, 1);
      for (int64_t x = 0; x < W; ++x) {
        const double mean = o.aggregation == Aggregation::sum ? t[x] / c[x] : t[x];
        y[row * W + x] = c[x] < least ? T(0) : T(mean);
      }
    }
  });
}

}  // namespace

void accumulate_warped(const Tensor& maps, const Tensor& matrices, const Tensor& map_rows,
                       const Tensor& rows, const AccumulateOptions& options, Tensor& total,
                       Tensor& count, Tensor& result) {
  with_float(maps.dtype(), [&](auto type) {
    accumulate<decltype(type)>(maps, matrices, map_rows, rows, options, total, count, result);
  });
}

}  // namespace cairn::cpu
