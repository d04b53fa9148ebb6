#include "kernels/points/detector_labels.h"

#include <algorithm>

#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

template <class T>
void label(const Tensor& points, const Tensor& keys, Tensor& labels) {
  const int64_t K = points.dim(1), rows = labels.dim(1), columns = labels.dim(2);
  std::fill_n(labels.data<int32_t>(), labels.count(), no_point);
  parallel_for(labels.dim(0), 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin * K; i < end * K; ++i) {
      const T x = std::round(points.data<T>()[2 * i]), y = std::round(points.data<T>()[2 * i + 1]);
      if (!(x >= 0 && x < T(detector_cell * columns) && y >= 0 && y < T(detector_cell * rows)))
        continue;
      const int64_t u = int64_t(x), v = int64_t(y), n = i / K;
      const int64_t cell = v / detector_cell * columns + u / detector_cell;
      int32_t& own = labels.data<int32_t>()[n * rows * columns + cell];
      own = CellChoice(keys.data<int32_t>() + 2 * n, cell)
                .better(own, int32_t(v % detector_cell * detector_cell + u % detector_cell));
    }
  });
}

}  // namespace

void detector_labels(const Tensor& points, const Tensor& keys, Tensor& labels) {
  with_float(points.dtype(), [&](auto type) { label<decltype(type)>(points, keys, labels); });
}

}  // namespace cairn::cpu
