#pragma once
// grid_sample: bilinear samples of an image at a list of points.
//
//   image   [N,H,W,C]; f32 (f64 on cpu)
//   points  [N,P,2]: (x, y) in the coordinates of the options; a grid [N,Ho,Wo,2] has P = Ho * Wo
//   y       [N,P,C]
//
//   y = (1-a)(1-b) I00 + a(1-b) I01 + (1-a)b I10 + ab I11,  a and b the fractions of p = (px, py)
//   Padding::zeros: pixels outside count as 0; Padding::border: p is clamped to [0, size-1].
//
// Gradient to the image: each point adds its four weights times dy (a scatter; on devices in 64-bit
// fixed point, so that any order gives the same bits). Gradient to the points:
//   dpx = sum_c dy_c [(I01-I00)(1-b) + (I11-I10) b],  times dp/du of the coordinates; 0 where the
//   border clamped. At whole px, where the value has a kink, the slope to the right.
#include "kernels/dispatch.h"
#include "kernels/warp/bilinear.h"

namespace cairn {

struct SampleOptions {
  Coordinates coordinates = Coordinates::unit;
  Padding padding = Padding::zeros;
};

CAIRN_ON_EACH_DEVICE(void grid_sample(const Tensor& image, const Tensor& points,
                                      const SampleOptions& options, Tensor& y);
                     void grid_sample_backward_image(const Tensor& points, const Tensor& dy,
                                                     const SampleOptions& options, Tensor& dimage);
                     void grid_sample_backward_points(const Tensor& image, const Tensor& points,
                                                      const Tensor& dy,
                                                      const SampleOptions& options,
                                                      Tensor& dpoints);)

inline void grid_sample(const Tensor& image, const Tensor& points, const SampleOptions& options,
                        Tensor& y) {
  CAIRN_DISPATCH(y.device(), grid_sample, image, points, options, y);
}

inline void grid_sample_backward_image(const Tensor& points, const Tensor& dy,
                                       const SampleOptions& options, Tensor& dimage) {
  CAIRN_DISPATCH(dy.device(), grid_sample_backward_image, points, dy, options, dimage);
}

inline void grid_sample_backward_points(const Tensor& image, const Tensor& points, const Tensor& dy,
                                        const SampleOptions& options, Tensor& dpoints) {
  CAIRN_DISPATCH(dy.device(), grid_sample_backward_points, image, points, dy, options, dpoints);
}

}  // namespace cairn
