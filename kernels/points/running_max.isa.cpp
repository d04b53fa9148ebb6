#include "kernels/points/running_max.h"

namespace cairn::CAIRN_ISA {

// By doubling: log2(window) passes that vectorise.
template <class T>
void running_max(T* m, int64_t count, int64_t step, int64_t window) {
  const auto join = [=](int64_t n, int64_t distance) {
    const T* from = m + distance * step;
#pragma GCC ivdep
    for (int64_t i = 0; i < n * step; ++i) m[i] = from[i] > m[i] ? from[i] : m[i];
  };
  int64_t covered = 1;
  for (; 2 * covered <= window; covered *= 2) join(count + window - 2 * covered, covered);
  if (covered < window) join(count, window - covered);
}
template void running_max(float*, int64_t, int64_t, int64_t);
template void running_max(double*, int64_t, int64_t, int64_t);

}  // namespace cairn::CAIRN_ISA
