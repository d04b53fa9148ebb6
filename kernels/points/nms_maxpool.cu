// nms_maxpool: parallel rounds over maps of states.
//
// Every point is absent, open or kept. In a round all open points look at the stronger ones of
// their window, as they were before the round: one that is kept makes the point absent; else one
// that is open leaves it open; else the point is kept. Odd rounds thus keep the largest of their
// windows, even rounds delete what lies around them: a round of max pooling is two of these.
//
//   Launch    one thread per pixel, 256 per block, grid-stride; a round reads one map of states and
//             writes another, so that no thread sees half a round.
//   Traffic   per round 2 B per pixel, and up to 5 B (2 radius + 1)^2, from the caches, per open
//             point; floor = 2 B * pixels * rounds / bandwidth plus a launch per round.
//   Repeats   bitwise: a round's result does not depend on the order of its threads.
#include "kernels/points/nms_maxpool.h"

#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

enum : uint8_t { absent, open, kept };

struct NmsMap {
  const float* heat;
  int height, width, radius;
};

/// What becomes of pixel (x, y) of the map that starts at `image`.
CAIRN_DEVICE uint8_t next_state(const NmsMap& m, int64_t image, int y, int x,
                                const uint8_t* state) {
  const int64_t p = image + int64_t(y) * m.width + x;
  if (state[p] != open) return state[p];
  const float score = m.heat[p];
  const int top = max(y - m.radius, 0), bottom = min(y + m.radius, m.height - 1);
  const int left = max(x - m.radius, 0), right = min(x + m.radius, m.width - 1);
  uint8_t next = kept;
  for (int v = top; v <= bottom; ++v)
    for (int u = left; u <= right; ++u) {
      const int64_t q = image + int64_t(v) * m.width + u;
      if (state[q] == absent) continue;
      const bool stronger = m.heat[q] > score || (m.heat[q] == score && q < p);
      if (stronger && state[q] == kept) return absent;
      if (stronger) next = open;
    }
  return next;
}

/// All points above the threshold are open.
CAIRN_KERNEL void start_kernel(const float* heat, float threshold, int64_t count, uint8_t* state) {
  for (int64_t i = global_thread(); i < count; i += global_threads())
    state[i] = heat[i] > threshold ? open : absent;
}

CAIRN_KERNEL void round_kernel(NmsMap m, int64_t count, const uint8_t* from, uint8_t* to) {
  const int64_t size = int64_t(m.height) * m.width;
  for (int64_t i = global_thread(); i < count; i += global_threads()) {
    const int64_t image = i / size;
    const int place = int(i - image * size);
    to[i] = next_state(m, image * size, place / m.width, place % m.width, from);
  }
}

CAIRN_KERNEL void write_kernel(const float* heat, const uint8_t* state, int64_t count, float* y) {
  for (int64_t i = global_thread(); i < count; i += global_threads())
    y[i] = state[i] == kept ? heat[i] : 0;
}

}  // namespace

void nms_maxpool(const Tensor& heat, int radius, int rounds, double threshold, Tensor& y) {
  const NmsMap m{heat.data<float>(), int(heat.dim(1)), int(heat.dim(2)), radius};
  const int64_t count = heat.count();
  const Dim3 blocks = blocks_for(count, 256);
  Tensor now = Tensor::empty(heat.shape(), DType::u8, heat.device()), next = now.empty_like();
  launch("nms_maxpool", start_kernel, blocks, 256, 0, m.heat, float(threshold), count,
         now.data<uint8_t>());
  for (int r = 0; r < 2 * rounds - 1; ++r) {
    launch("nms_maxpool", round_kernel, blocks, 256, 0, m, count, now.data<uint8_t>(),
           next.data<uint8_t>());
    std::swap(now, next);
  }
  launch("nms_maxpool", write_kernel, blocks, 256, 0, m.heat, now.data<uint8_t>(), count,
         y.data<float>());
}

}  // namespace cairn::CAIRN_NS
