#include "kernels/points/top_k.h"

#include <algorithm>
#include <vector>

#include "kernels/points/scan.h"
#include "runtime/threads.h"

namespace cairn::cpu {

void top_k(const Tensor& index, const Tensor& score, const Tensor& count, Tensor& top_index,
           Tensor& top_score, Tensor& top_count) {
  const int64_t listed = score.dim(1), k = top_score.dim(1);
  const int32_t *pi = index.data<int32_t>(), *pc = count.data<int32_t>();
  int32_t *qi = top_index.data<int32_t>(), *qc = top_count.data<int32_t>();
  with_float(score.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* ps = score.data<T>();
    T* qs = top_score.data<T>();
    parallel_for(score.dim(0), 1, [&](int64_t begin, int64_t end) {
      std::vector<RankedPoint<T>> ranked;
      for (int64_t n = begin; n < end; ++n) {
        ranked.resize(std::min<int64_t>(pc[n], listed));
        for (size_t i = 0; i < ranked.size(); ++i) ranked[i] = {ps[n * listed + i], int32_t(i)};
        const int64_t best = std::min<int64_t>(k, ranked.size());
        if (best < int64_t(ranked.size()))
          std::nth_element(ranked.begin(), ranked.begin() + best, ranked.end());
        std::sort(ranked.begin(), ranked.begin() + best);
        for (int64_t i = 0; i < k; ++i) {
          qi[n * k + i] = i < best ? pi[n * listed + ranked[i].place] : -1;
          qs[n * k + i] = i < best ? ranked[i].score : T(0);
        }
        qc[n] = int32_t(best);
      }
    });
  });
}

}  // namespace cairn::cpu
