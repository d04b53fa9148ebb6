// gaussian_stack: K Gaussian densities and a background, normalised at each pixel.
//
//   Launch    forward: a group of lanes takes a pixel (lane_group.h), one lane a channel, so that
//             writes are contiguous; blocks of 256 threads. Backward: the same walk over a slice of
//             an image's pixels for up to 32 channels, sums of the groups meet in shared memory,
//             those of the slices in a second kernel.
//   Traffic   forward 4 B and one exponential an element (two if K >= 32); backward 8 B.
//             Bandwidth-bound; floor = 4 B (8 B) * count / bandwidth.
//   Repeats   bitwise: butterfly in a group, groups and slices in order.
#include "kernels/heatmap/gaussian_stack.h"

#include "kernels/heatmap/over_pixels.h"
#include "kernels/lane_group.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr int threads = 256;

struct Stack {
  const float* centre;  ///< [N,K,2]
  int64_t images;
  int height, width, blobs;  ///< blobs: K, without the background
  float falloff, peak, background;

  CAIRN_DEVICE_MEMBER float dx(const float* c, int x) const {
    return (float(x) + 0.5f) / float(width) - c[0];
  }
  CAIRN_DEVICE_MEMBER float dy(const float* c, int y) const {
    return (float(y) + 0.5f) / float(height) - c[1];
  }
  CAIRN_DEVICE_MEMBER float value(const float* centres, int k, int x, int y) const {
    if (k == blobs) return background;
    const float aspect = float(width) / float(height);
    const float a = dx(centres + 2 * k, x), b = dy(centres + 2 * k, y);
    return peak * expf(-falloff * (a * a * aspect + b * b / aspect));
  }
};

CAIRN_KERNEL void stack_kernel(Stack s, int lanes, float* out) {
  const int64_t pixels = s.images * s.height * s.width;
  for (RowWalk walk(lanes); walk.any(pixels); walk.next()) {
    const int64_t u = walk.row(pixels), image = u / (int64_t(s.height) * s.width);
    const int pixel = int(u % (int64_t(s.height) * s.width));
    const int x = pixel % s.width, y = pixel / s.width;
    const float* centres = s.centre + image * s.blobs * 2;
    float sum = 0;
    for (int k = walk.lane; k <= s.blobs; k += lanes) sum += s.value(centres, k, x, y);
    const float scale = 1 / group_sum(sum, lanes);
    if (!walk.own(pixels)) continue;
    for (int k = walk.lane; k <= s.blobs; k += lanes)
      out[u * (s.blobs + 1) + k] = scale * s.value(centres, k, x, y);
  }
}

struct GroupSums {
  Float2 of[threads];
};

// A block: one slice of an image's pixels, the channels chunk * lanes .. + lanes.
CAIRN_KERNEL void stack_backward_kernel(Stack s, int lanes, int slices, int chunks,
                                        const float* out, const float* dout, Float2* of_slices) {
  const int slice = int(blockIdx.x) % slices, chunk = int(blockIdx.x) / slices % chunks;
  const int64_t image = int64_t(blockIdx.x) / slices / chunks;
  const int lane = int(threadIdx.x) % lanes, group = int(threadIdx.x) / lanes;
  const int pixels = s.height * s.width, groups = threads / lanes;
  const int own = chunk * lanes + lane, channels = s.blobs + 1;
  const int begin = int(int64_t(pixels) * slice / slices);
  const int end = int(int64_t(pixels) * (slice + 1) / slices);
  const float* c = s.centre + (image * s.blobs + min(own, s.blobs - 1)) * 2;
  Float2 sum{0, 0};
  for (int base = begin; base < end; base += groups) {
    const int u = min(base + group, end - 1);
    const int64_t at = (image * pixels + u) * channels;
    float inner = 0;
    for (int k = lane; k < channels; k += lanes) inner += out[at + k] * dout[at + k];
    inner = group_sum(inner, lanes);
    if (own >= s.blobs || base + group >= end) continue;
    const float g = out[at + own] * (dout[at + own] - inner);
    sum.x += g * s.dx(c, u % s.width);
    sum.y += g * s.dy(c, u / s.width);
  }
  auto& sums = shared<GroupSums>();
  sums.of[threadIdx.x] = sum;
  sync_threads();
  if (group != 0 || own >= s.blobs) return;
  for (int g = 1; g < groups; ++g) {
    sum.x += sums.of[g * lanes + lane].x;
    sum.y += sums.of[g * lanes + lane].y;
  }
  of_slices[(image * slices + slice) * s.blobs + own] = sum;
}

CAIRN_KERNEL void stack_merge_kernel(Stack s, int slices, const Float2* of_slices, float* dcentre) {
  const float aspect = float(s.width) / float(s.height);
  for (int64_t i = global_thread(); i < s.images * s.blobs; i += global_threads()) {
    Float2 sum{0, 0};
    for (int slice = 0; slice < slices; ++slice) {
      const Float2 part = of_slices[(i / s.blobs * slices + slice) * s.blobs + i % s.blobs];
      sum.x += part.x;
      sum.y += part.y;
    }
    dcentre[2 * i] = sum.x * 2 * s.falloff * aspect;
    dcentre[2 * i + 1] = sum.y * 2 * s.falloff / aspect;
  }
}

Stack stack_of(const Tensor& centre, double sigma, double background, const Tensor& y) {
  const double falloff = 0.5 / (sigma * sigma);
  return {centre.data<float>(),
          y.dim(0),
          int(y.dim(1)),
          int(y.dim(2)),
          int(y.dim(3)) - 1,
          float(falloff),
          float(falloff / 3.141592653589793),
          float(background)};
}

}  // namespace

void gaussian_stack(const Tensor& centre, double sigma, double background, Tensor& y) {
  const int lanes = lanes_for(y.dim(3));
  launch("gaussian_stack", stack_kernel, blocks_for(y.count() / y.dim(3) * lanes, threads), threads,
         0, stack_of(centre, sigma, background, y), lanes, y.data<float>());
}

void gaussian_stack_backward(const Tensor& centre, double sigma, const Tensor& y, const Tensor& dy,
                             Tensor& dcentre) {
  const Stack s = stack_of(centre, sigma, 0, y);
  if (s.blobs == 0) return;
  const int lanes = lanes_for(y.dim(3)), chunks = (s.blobs + lanes - 1) / lanes;
  const int64_t wanted = 512 / std::max<int64_t>(s.images * chunks, 1) + 1;
  const int slices =
      int(std::clamp<int64_t>(s.height * s.width / (8 * (threads / lanes)), 1, wanted));
  Tensor memory = centre.empty_like({slices, s.images * s.blobs, 2});
  auto* of_slices = reinterpret_cast<Float2*>(memory.data<float>());
  launch("gaussian_stack_backward", stack_backward_kernel, Dim3(s.images * chunks * slices),
         threads, 0, s, lanes, slices, chunks, y.data<float>(), dy.data<float>(), of_slices);
  launch("gaussian_stack_backward", stack_merge_kernel, blocks_for(s.images * s.blobs, 64), 64, 0,
         s, slices, of_slices, dcentre.data<float>());
}

}  // namespace cairn::CAIRN_NS
