#include "kernels/conv/channel_totals.h"

#include <algorithm>
#include <vector>

#include "kernels/conv/channel_rows.h"
#include "runtime/threads.h"

namespace cairn {

void channel_totals(const Tensor& x, Tensor& totals) {
  const int64_t C = totals.count(), pixels = C ? x.count() / C : 0;
  const int64_t part = 2048, parts = (pixels + part - 1) / part;
  std::vector<double> sums(parts * C);
  with_float(x.dtype(), [&](auto type) {
    using T = decltype(type);
    parallel_for(parts, 4, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        const ChannelTotals<T> k{x.data<T>() + p * part * C, std::min(part, pixels - p * part), C,
                                 sums.data() + p * C};
        CAIRN_ISA_CALL(channel_totals, k);
      }
    });
    for (int64_t c = 0; c < C; ++c) {
      double sum = 0;
      for (int64_t p = 0; p < parts; ++p) sum += sums[p * C + c];
      totals.data<T>()[c] = T(sum);
    }
  });
}

}  // namespace cairn
