// nms_greedy: rounds until no point is open; launches, traffic and repeats as in nms_rounds.h.
//
// The heatmaps of detectors need 3 to 6 rounds. `grid_rounds` run over the whole grid; what is then
// still open (a ramp makes chains as long as the image) is finished by one block per image, so that
// the number of rounds is found on the device and the launches are always the same.
#include "kernels/points/nms_greedy.h"

#include "kernels/points/nms_rounds.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr int grid_rounds = 10, threads = 512;

// Two rounds, from `now` to `next` and back, until nothing is open in `now`.
CAIRN_KERNEL void nms_finish_kernel(NmsMap m, const int* still_open, uint8_t* now, uint8_t* next) {
  if (still_open[blockIdx.x] == 0) return;
  const int size = m.height * m.width;
  const int64_t image = int64_t(blockIdx.x) * size;
  for (int left = 1; left > 0;) {
    for (int i = threadIdx.x; i < size; i += threads)
      next[image + i] = next_state(m, image, i / m.width, i % m.width, now);
    sync_threads();
    int open_here = 0;
    for (int i = threadIdx.x; i < size; i += threads) {
      now[image + i] = next_state(m, image, i / m.width, i % m.width, next);
      open_here += now[image + i] == open;
    }
    left = block_sum<threads>(open_here);
  }
}

}  // namespace

void nms_greedy(const Tensor& heat, int radius, double threshold, Tensor& y) {
  NmsRounds nms("nms_greedy", heat, radius, threshold);
  Tensor still_open = Tensor::zeros({heat.dim(0)}, DType::i32, heat.device());
  for (int r = 0; r + 1 < grid_rounds; ++r) nms.round();
  nms.round(still_open.data<int32_t>());
  launch("nms_greedy", nms_finish_kernel, Dim3(heat.dim(0)), threads, 0, nms.map(),
         still_open.data<int32_t>(), nms.now(), nms.next());
  nms.write(y);
}

}  // namespace cairn::CAIRN_NS
