// gradient_norm: the L2 norm of the gradient and the factor that clips it.
//
//   Launch    first a block of 8 warps per part of 64 chunks (4096 elements), a warp per chunk;
//   then
//             one block over the parts' sums.
//   Traffic   4 B and 2 flops per element: bandwidth-bound; floor = 4 B * n / bandwidth.
//   Repeats   bitwise: parts have a fixed size and every sum a fixed order.
#include "kernels/optimizer/gradient_norm.h"

#include "kernels/device.h"
#include "kernels/optimizer/flat_chunk.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr int threads = 256, part_chunks = 64;

CAIRN_KERNEL void part_sums_kernel(const float* grads, const float* scales, int64_t chunks,
                                   float* sums) {
  const int64_t first = int64_t(blockIdx.x) * part_chunks;
  const int64_t end = first + part_chunks < chunks ? first + part_chunks : chunks;
  float sum = 0;
  for (int64_t c = first + warp_index(); c < end; c += threads / 32) {
    const Float2 scale = load2(scales + 2 * c);
    if (scale.x == 0 && scale.y == 0) continue;
    const Float2 g = load2(grads + c * flat_chunk + 2 * lane_index());
    sum += g.x * g.x + g.y * g.y;
  }
  sum = block_sum<threads>(sum);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

CAIRN_KERNEL void norm_kernel(const float* sums, int64_t parts, float max_norm, float* norm,
                              float* scale) {
  float sum = 0;
  for (int64_t i = threadIdx.x; i < parts; i += threads) sum += sums[i];
  sum = block_sum<threads>(sum);
  if (threadIdx.x != 0) return;
  norm[0] = sqrtf(sum);
  scale[0] = fminf(1.0f, max_norm / (sqrtf(sum) + 1e-6f));
}

}  // namespace

void gradient_norm(const Tensor& grads, const Tensor& chunk_scales, double max_norm, Tensor& norm,
                   Tensor& scale) {
  const int64_t chunks = chunk_scales.dim(0), parts = (chunks + part_chunks - 1) / part_chunks;
  Tensor sums = grads.empty_like({parts});
  launch("gradient_norm", part_sums_kernel, Dim3(parts), threads, 0, grads.data<float>(),
         chunk_scales.data<float>(), chunks, sums.data<float>());
  launch("gradient_norm", norm_kernel, Dim3(1), threads, 0, sums.data<float>(), parts,
         float(max_norm), norm.data<float>(), scale.data<float>());
}

}  // namespace cairn::CAIRN_NS
