// colour_jitter: crops in other colours, behind patches and under noise.
//
//   Launch    one block of 256 threads per image: means, and then everything else pixel by pixel.
//   Traffic   1 B an element read twice, the second time from the caches, and 4 B written.
//             Bandwidth-bound where there is no noise; floor = 5 B * count / bandwidth.
//   Work      10 flops an element; noise adds Philox's ten rounds and a logarithm.
//   Repeats   bitwise: every element has one writer; means are of exact sums.
#include "kernels/augment/colour_jitter.h"

#include "kernels/augment/normal_quantile.h"
#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr int threads = 256;

CAIRN_DEVICE float clipped(float v) { return fminf(fmaxf(v, 0.f), 255.f); }

template <int C>
CAIRN_KERNEL void colour_jitter_kernel(const uint8_t* images, const JitterPlan* plans,
                                       const JitterAmounts<float>* all_amounts, int width,
                                       int pixels, float* y) {
  const int64_t n = blockIdx.x;
  const JitterPlan& plan = plans[n];
  const JitterAmounts<float>& amounts = all_amounts[n];
  const uint8_t* x = images + n * pixels * C;
  unsigned sums[C] = {};
  for (int i = int(threadIdx.x); i < pixels; i += threads)
    for (int c = 0; c < C; ++c) sums[c] += x[C * i + c];
  float offset = amounts.added;
  for (int c = 0; c < C; ++c)
    offset += amounts.pull[c] * float(block_sum<threads>(sums[c])) / float(pixels);

  for (int i = int(threadIdx.x); i < pixels; i += threads) {
    float v[C];
    for (int to = 0; to < C; ++to) {
      v[to] = offset;
      for (int c = 0; c < C; ++c) v[to] += amounts.colour[to][c] * float(x[C * i + c]);
      v[to] = clipped(v[to]);
    }
    for (int k = 0; k < jitter_patches; ++k) {
      if (plan.patches[k] == PatchShape::none) continue;
      const JitterPatch<float>& patch = amounts.patches[k];
      const PatchPlace<float> p = patch.place(float(i % width), float(i / width));
      if (p.inside(plan.patches[k]))
        for (int c = 0; c < C; ++c) v[c] = patch.colour(p, c, C);
    }
    for (int c = 0; c < C; ++c) {
      const int e = C * i + c;
      if (amounts.noise > 0)
        v[c] = clipped(v[c] + amounts.noise *
                                  normal_quantile<float>(
                                      int(EightHalves(joined(plan.key), 0, e / 8)[e % 8] >> 4)));
      y[n * pixels * C + e] = v[c] * (1 / 255.f);
    }
  }
}

}  // namespace

void colour_jitter(const Tensor& x, const Tensor& plan, const Tensor& amounts, Tensor& y) {
  const auto kernel = y.dim(3) == 1 ? colour_jitter_kernel<1> : colour_jitter_kernel<3>;
  launch("colour_jitter", kernel, y.dim(0), threads, 0, x.data<uint8_t>(),
         static_cast<const JitterPlan*>(plan.raw()),
         static_cast<const JitterAmounts<float>*>(amounts.raw()), int(y.dim(2)),
         int(y.dim(1) * y.dim(2)), y.data<float>());
}

}  // namespace cairn::CAIRN_NS
