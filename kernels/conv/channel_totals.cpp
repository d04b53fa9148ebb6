#include "kernels/conv/channel_totals.h"

#include <algorithm>
#include <vector>

#include "kernels/conv/channel_rows.h"
#include "runtime/threads.h"

namespace cairn {

void channel_totals(const Tensor& x, Tensor& totals) {
  const int64_t C = totals.count(), pixels = C ? x.count() / C : 0;
  // Several pixels of few channels are one of many, so that vectors are full.
  const int64_t together = std::max<int64_t>(1, 64 / std::max<int64_t>(C, 1)), wide = together * C;
  const int64_t part = 2048 / together * together, parts = (pixels + part - 1) / part;
  std::vector<double> sums(parts * wide);
  with_float(x.dtype(), [&](auto type) {
    using T = decltype(type);
    parallel_for(parts, 4, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        const T* const from = x.data<T>() + p * part * C;
        const int64_t count = std::min(part, pixels - p * part), rest = count % together;
        const ChannelTotals<T> whole{from, count / together, wide, sums.data() + p * wide};
        const ChannelTotals<T> left{from + (count - rest) * C, rest, C, sums.data() + p * wide};
        CAIRN_ISA_CALL(channel_totals, whole);
        CAIRN_ISA_CALL(channel_totals, left);
      }
    });
    for (int64_t c = 0; c < C; ++c) {
      double sum = 0;
      for (int64_t i = c; i < parts * wide; i += C) sum += sums[i];
      totals.data<T>()[c] = T(sum);
    }
  });
}

}  // namespace cairn
