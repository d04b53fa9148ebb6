// grid_sample: bilinear samples of an image at a list of points.
//
//   Launch    a group of up to 32 lanes takes a point (lane_group.h), lanes stride over channels:
//             four contiguous reads; blocks of 256 threads.
//   Traffic   a sample reads up to 16 B and writes 4 B a channel (dense grids find three of the
//             four pixels in the caches); 8 flops. Bandwidth-bound; floor = (read image once +
//             8 B * P + 4 B * P * C) / bandwidth. The gradient to the image adds four 8-byte
//             atomics for each element of dy, and 12 B an element of the image: atomics in the
//             second-level cache are its limit.
//   Repeats   bitwise: one writer each, butterflies over channels, and integers for the scatter
//             (fixed_point.h).
#include "kernels/warp/grid_sample.h"

#include "kernels/fixed_point.h"
#include "kernels/lane_group.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr int threads = 256;

struct Sampler {
  const float* coordinates;  ///< [N,P,2]
  int64_t points, per_image;
  int height, width, channels, lanes;
  AxisMap<float> to_x, to_y;
  Padding padding;

  CAIRN_DEVICE_MEMBER AxisTap<float> tap_x(int64_t i) const {
    return axis_tap(to_x(coordinates[2 * i]), width, padding);
  }
  CAIRN_DEVICE_MEMBER AxisTap<float> tap_y(int64_t i) const {
    return axis_tap(to_y(coordinates[2 * i + 1]), height, padding);
  }
  CAIRN_DEVICE_MEMBER int64_t offset(int64_t i, int64_t y, int64_t x) const {
    return ((i / per_image * height + y) * width + x) * channels;
  }
};

CAIRN_KERNEL void sample_kernel(Sampler s, const float* image, float* y) {
  for (RowWalk walk(s.lanes); walk.any(s.points); walk.next()) {
    if (!walk.own(s.points)) continue;
    const int64_t i = walk.row(s.points);
    const AxisTap<float> u = s.tap_x(i), v = s.tap_y(i);
    const float *p00 = image + s.offset(i, v.at[0], u.at[0]),
                *p01 = image + s.offset(i, v.at[0], u.at[1]),
                *p10 = image + s.offset(i, v.at[1], u.at[0]),
                *p11 = image + s.offset(i, v.at[1], u.at[1]);
    for (int c = walk.lane; c < s.channels; c += s.lanes)
      y[i * s.channels + c] = v.weight[0] * (u.weight[0] * p00[c] + u.weight[1] * p01[c]) +
                              v.weight[1] * (u.weight[0] * p10[c] + u.weight[1] * p11[c]);
  }
}

CAIRN_KERNEL void scatter_kernel(Sampler s, const float* dy, FixedPointTarget dimage) {
  if (!dimage.finite()) return;
  const double scale = dimage.scale();
  for (RowWalk walk(s.lanes); walk.any(s.points); walk.next()) {
    if (!walk.own(s.points)) continue;
    const int64_t i = walk.row(s.points);
    const AxisTap<float> u = s.tap_x(i), v = s.tap_y(i);
    for (int corner = 0; corner < 4; ++corner) {
      const float weight = v.weight[corner / 2] * u.weight[corner % 2];
      if (weight == 0) continue;
      const int64_t to = s.offset(i, v.at[corner / 2], u.at[corner % 2]);
      for (int c = walk.lane; c < s.channels; c += s.lanes)
        dimage.add(to + c, weight * dy[i * s.channels + c], scale);
    }
  }
}

CAIRN_KERNEL void points_gradient_kernel(Sampler s, const float* image, const float* dy,
                                         float* dpoints) {
  for (RowWalk walk(s.lanes); walk.any(s.points); walk.next()) {
    const int64_t i = walk.row(s.points);
    const AxisTap<float> u = s.tap_x(i), v = s.tap_y(i);
    const float *p00 = image + s.offset(i, v.at[0], u.at[0]),
                *p01 = image + s.offset(i, v.at[0], u.at[1]),
                *p10 = image + s.offset(i, v.at[1], u.at[0]),
                *p11 = image + s.offset(i, v.at[1], u.at[1]);
    float dx = 0, dv = 0;
    for (int c = walk.lane; c < s.channels; c += s.lanes) {
      const float g = dy[i * s.channels + c];
      dx += g * (v.weight[0] * (u.slope[0] * p00[c] + u.slope[1] * p01[c]) +
                 v.weight[1] * (u.slope[0] * p10[c] + u.slope[1] * p11[c]));
      dv += g * (v.slope[0] * (u.weight[0] * p00[c] + u.weight[1] * p01[c]) +
                 v.slope[1] * (u.weight[0] * p10[c] + u.weight[1] * p11[c]));
    }
    dx = group_sum(dx, s.lanes);
    dv = group_sum(dv, s.lanes);
    if (!walk.own(s.points) || walk.lane != 0) continue;
    dpoints[2 * i] = dx * s.to_x.scale;
    dpoints[2 * i + 1] = dv * s.to_y.scale;
  }
}

Sampler sampler(const Shape& image, const Tensor& points, const SampleOptions& o) {
  return {points.data<float>(),
          points.count() / 2,
          points.dim(1),
          int(image[1]),
          int(image[2]),
          int(image[3]),
          lanes_for(image[3]),
          AxisMap<float>(o.coordinates, image[2]),
          AxisMap<float>(o.coordinates, image[1]),
          o.padding};
}

Dim3 blocks(const Sampler& s) { return blocks_for(s.points * s.lanes, threads); }

}  // namespace

void grid_sample(const Tensor& image, const Tensor& points, const SampleOptions& options,
                 Tensor& y) {
  const Sampler s = sampler(image.shape(), points, options);
  launch("grid_sample", sample_kernel, blocks(s), threads, 0, s, image.data<float>(),
         y.data<float>());
}

void grid_sample_backward_image(const Tensor& points, const Tensor& dy,
                                const SampleOptions& options, Tensor& dimage) {
  const Sampler s = sampler(dimage.shape(), points, options);
  FixedPointSums sums("grid_sample_backward_image", dy, points.dim(1), dimage);
  launch("grid_sample_backward_image", scatter_kernel, blocks(s), threads, 0, s, dy.data<float>(),
         sums.target());
  sums.write();
}

void grid_sample_backward_points(const Tensor& image, const Tensor& points, const Tensor& dy,
                                 const SampleOptions& options, Tensor& dpoints) {
  const Sampler s = sampler(image.shape(), points, options);
  launch("grid_sample_backward_points", points_gradient_kernel, blocks(s), threads, 0, s,
         image.data<float>(), dy.data<float>(), dpoints.data<float>());
}

}  // namespace cairn::CAIRN_NS
