#pragma once
// warp_image: images seen through a homography or an affine map, and where they are valid.
//
//   x         [N,H,W,C]; f32 or u8 (f64 on cpu)
//   matrices  [N,3,3]; f32 (f64 on cpu): from output to input, in pixel-centre index coordinates
//   y         [N,Ho,Wo,C] of the type of x
//   valid     [N,Ho,Wo] u8, or null: 1 where the nearest input pixel exists
//
//   (X, Y, w) = M (column, row, 1),  p = (X/w, Y/w),  y = x at p: bilinear or nearest.
//   |w| < 1e-6: y = 0 and not valid. u8 is rounded to the nearest.
//
// No gradient: images are data. Positions are in double on cpu and in float32 elsewhere, off by at
// most about 1e-4 pixels in images of 1000 pixels.
#include "kernels/dispatch.h"
#include "kernels/warp/projected.h"

namespace cairn {

enum class Interpolation : unsigned char { bilinear, nearest };

struct WarpOptions {
  Interpolation interpolation = Interpolation::bilinear;
  Padding padding = Padding::zeros;
};

/// The pixel nearest to p among 0..size-1.
template <class T>
CAIRN_HD inline int64_t nearest_pixel(T p, int64_t size) {
  const T q = std::floor(p + T(0.5));
  return q > 0 ? (q < T(size - 1) ? int64_t(q) : size - 1) : 0;
}

CAIRN_ON_EACH_DEVICE(void warp_image(const Tensor& x, const Tensor& matrices,
                                     const WarpOptions& options, Tensor& y, Tensor* valid);)

inline void warp_image(const Tensor& x, const Tensor& matrices, const WarpOptions& options,
                       Tensor& y, Tensor* valid = nullptr) {
  CAIRN_DISPATCH(y.device(), warp_image, x, matrices, options, y, valid);
}

}  // namespace cairn
