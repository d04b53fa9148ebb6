// gradient_norm: the L2 norm of the gradient and the factor that clips it.
//
//   Launch    first a block of 8 warps per part of 64 chunks (4096 elements), a warp per chunk;
//   then
//             one block over the parts' sums.
//   Traffic   4 B and 2 flops per element: bandwidth-bound; floor = 4 B * n / bandwidth.
//   Repeats   bitwise: parts have a fixed size and every sum a fixed order.
#include "kernels/optimizer/gradient_norm.h"

#include <cmath>

#include "kernels/device.h"
#include "kernels/optimizer/flat_chunk.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr int threads = 256, part_chunks = 64;

template <class T>
CAIRN_KERNEL void part_sums_kernel(const T* grads, const float* scales, int64_t chunks, T* sums) {
  const int64_t first = int64_t(blockIdx.x) * part_chunks;
  const int64_t end = first + part_chunks < chunks ? first + part_chunks : chunks;
  T sum = 0;
  for (int64_t c = first + warp_index(); c < end; c += threads / 32) {
    const Float2 scale = load2(scales + 2 * c);
    if (scale.x == 0 && scale.y == 0) continue;
    const Pack<T, 2> g = load_pack<2>(grads + c * flat_chunk + 2 * lane_index());
    sum += g[0] * g[0] + g[1] * g[1];
  }
  sum = block_sum<threads>(sum);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

template <class T>
CAIRN_KERNEL void norm_kernel(const T* sums, int64_t parts, T max_norm, T* norm, T* scale) {
  T sum = 0;
  for (int64_t i = threadIdx.x; i < parts; i += threads) sum += sums[i];
  sum = block_sum<threads>(sum);
  if (threadIdx.x != 0) return;
  norm[0] = std::sqrt(sum);
  scale[0] = std::fmin(T(1), max_norm / (std::sqrt(sum) + T(1e-6)));
}

}  // namespace

void gradient_norm(const Tensor& grads, const Tensor& chunk_scales, double max_norm, Tensor& norm,
                   Tensor& scale) {
  const int64_t chunks = chunk_scales.dim(0), parts = (chunks + part_chunks - 1) / part_chunks;
  Tensor sums = grads.empty_like({parts});
  with_float(grads.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("gradient_norm", part_sums_kernel<T>, Dim3(parts), threads, 0, grads.data<T>(),
           chunk_scales.data<float>(), chunks, sums.data<T>());
    launch("gradient_norm", norm_kernel<T>, Dim3(1), threads, 0, sums.data<T>(), parts, T(max_norm),
           norm.data<T>(), scale.data<T>());
  });
}

}  // namespace cairn::CAIRN_NS
