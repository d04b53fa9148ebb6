// sample_descriptors: bilinear samples of unit vectors, made of unit length again.
//
//   Launch    a group of up to 32 lanes takes a point (lane_group.h), blocks of 256 threads. The
//             four vectors are read three times (their lengths, the sample's length, the sample),
//             after the first time from the first-level cache.
//   Traffic   per point and channel up to 16 B read, less what neighbouring points share, 4 B
//             written, 24 flops: bandwidth-bound; floor = 20 B * N K C / bandwidth; for a thousand
//             points the launch.
//   Repeats   bitwise: one writer each, fixed butterflies over the lanes.
#include "kernels/descriptor/sample_descriptors.h"

#include "kernels/lane_group.h"
#include "kernels/warp/bilinear.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr int threads = 256;

struct Map {
  const float* data;
  int height, width, channels, lanes;
  float scale_x, scale_y, offset_x, offset_y;
};

/// 1 / the length of x; the lanes of a group stride over its channels.
CAIRN_DEVICE float unit_scale(const float* x, const Map& m, int lane) {
  float sum = 0;
  for (int c = lane; c < m.channels; c += m.lanes) sum += x[c] * x[c];
  return 1 / fmaxf(sqrtf(group_sum(sum, m.lanes)), float(descriptor_eps));
}

CAIRN_KERNEL void sample_descriptors_kernel(Map m, const float* points, int64_t count,
                                            int64_t per_image, float* y) {
  const int64_t image = int64_t(m.height) * m.width * m.channels;
  for (RowWalk walk(m.lanes); walk.any(count); walk.next()) {
    const int64_t i = walk.row(count);
    const AxisTap<float> u =
        axis_tap(m.scale_x * points[2 * i] + m.offset_x, m.width, Padding::zeros);
    const AxisTap<float> v =
        axis_tap(m.scale_y * points[2 * i + 1] + m.offset_y, m.height, Padding::zeros);
    const float* p[4];
    float weight[4];
    for (int k = 0; k < 4; ++k) {
      p[k] = m.data + i / per_image * image + (v.at[k / 2] * m.width + u.at[k % 2]) * m.channels;
      weight[k] = v.weight[k / 2] * u.weight[k % 2] * unit_scale(p[k], m, walk.lane);
    }
    float sum = 0;
    const auto sampled = [&](int c) {
      return weight[0] * p[0][c] + weight[1] * p[1][c] + weight[2] * p[2][c] + weight[3] * p[3][c];
    };
    for (int c = walk.lane; c < m.channels; c += m.lanes) sum += sampled(c) * sampled(c);
    const float scale = 1 / fmaxf(sqrtf(group_sum(sum, m.lanes)), float(descriptor_eps));
    if (!walk.own(count)) continue;
    for (int c = walk.lane; c < m.channels; c += m.lanes)
      y[i * m.channels + c] = sampled(c) * scale;
  }
}

}  // namespace

void sample_descriptors(const Tensor& map, const Tensor& points, const DescriptorGrid& grid,
                        Tensor& y) {
  if (y.count() == 0) return;
  const int channels = int(map.dim(3)), lanes = lanes_for(channels);
  const Map m{map.data<float>(),
              int(map.dim(1)),
              int(map.dim(2)),
              channels,
              lanes,
              float(grid.scale_x),
              float(grid.scale_y),
              float(grid.offset_x),
              float(grid.offset_y)};
  const int64_t count = points.count() / 2;
  launch("sample_descriptors", sample_descriptors_kernel, blocks_for(count * lanes, threads),
         threads, 0, m, points.data<float>(), count, points.dim(1), y.data<float>());
}

}  // namespace cairn::CAIRN_NS
