#pragma once
// warp_points: points through a smooth map g = T o A, an affine map and then a thin-plate spline.
//
//   points   [N,P,2], y [N,P,2]: (x, y) in unit half-pixel coordinates, 0..1 spans the image
//   grid     [N,H,W,2]: g of the pixel centres ((j + 1/2)/W, (i + 1/2)/H), in unit coordinates
//
//   y = (T(A(2 points - 1)) + 1)/2,   A p = M p + t,
//   T(q) = a_0 + a_x q_x + a_y q_y + sum_j w_j U(|q - c_j|),   U(r) = r^2 log r^2,  U(0) = 0
//
// Gradient to the points: dpoints = M^T J(q)^T dy, J the Jacobian of T,
//   J^T g = (<a_x, g>, <a_y, g>) + sum_j 2 (log r_j^2 + 1) <w_j, g> (q - c_j), the term 0 at r = 0.
// None to the warp: it is drawn, not learnt.
//
// The terms of the sum are larger than the sum: in float32 y is good to about 1e-5 for maps of
// training/random_warps.h.
#include "kernels/dispatch.h"

namespace cairn {

/// The maps g of N images, in coordinates of -1..1 over the image area (Coordinates::ndc). Without
/// control points (n = 0) T is affine.
struct PointWarp {
  Tensor control;  ///< [N,n,2]: c_j; f32 or f64, as the points
  Tensor theta;    ///< [N,n+3,2]: w_j, then a_0, a_x, a_y
  Tensor affine;   ///< [N,2,3]: (M | t)

  PointWarp to(Device d) const { return {control.to(d), theta.to(d), affine.to(d)}; }
  PointWarp to(DType t) const { return {control.to(t), theta.to(t), affine.to(t)}; }
};

/// A(2 (u, v) - 1), with the row-major (M | t).
template <class T>
struct AffinePlace {
  T x, y;
  CAIRN_HD AffinePlace(const T* affine, T u, T v) {
    const T p = 2 * u - 1, q = 2 * v - 1;
    x = affine[0] * p + affine[1] * q + affine[2];
    y = affine[3] * p + affine[4] * q + affine[5];
  }
};

CAIRN_ON_EACH_DEVICE(void warp_points(const Tensor& points, const PointWarp& warp, Tensor& y);
                     void warp_points_backward(const Tensor& points, const PointWarp& warp,
                                               const Tensor& dy, Tensor& dpoints);
                     void warped_grid(const PointWarp& warp, Tensor& grid);)

inline void warp_points(const Tensor& points, const PointWarp& warp, Tensor& y) {
  CAIRN_DISPATCH(y.device(), warp_points, points, warp, y);
}

inline void warp_points_backward(const Tensor& points, const PointWarp& warp, const Tensor& dy,
                                 Tensor& dpoints) {
  CAIRN_DISPATCH(dpoints.device(), warp_points_backward, points, warp, dy, dpoints);
}

inline void warped_grid(const PointWarp& warp, Tensor& grid) {
  CAIRN_DISPATCH(grid.device(), warped_grid, warp, grid);
}

}  // namespace cairn
