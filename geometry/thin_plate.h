#pragma once
// Thin-plate splines of the plane, in double: the smooth map that leads control points c_j to
// targets t_j and bends least (Bookstein, "Principal Warps: Thin-Plate Splines and the
// Decomposition of Deformations", PAMI 1989).
//
//   T(p) = a_0 + a_x x + a_y y + sum_j w_j U(|p - c_j|),   U(r) = r^2 log r^2,  U(0) = 0
//
// Points are about 1 apart; the project's warps have -1..1 over the image area (align_corners =
// false).
#include <array>
#include <span>
#include <vector>

#include "geometry/homography.h"

namespace cairn {

struct ThinPlate {
  std::vector<Point> control;  ///< n
  std::vector<Point> theta;    ///< n + 3: the n weights w_j, then a_0, a_x, a_y

  Point operator()(Point p) const;
  /// dT_x/dx, dT_x/dy, dT_y/dx, dT_y/dy at p.
  std::array<double, 4> jacobian(Point p) const;
};

/// The linear system of some control points, inverted once for any number of target sets:
///   [K + ridge I, P; P^T, -ridge I] [w; a] = [d; 0],  K_ij = U(|c_i - c_j|),  P_i = (1, c_i)
/// with the displacements d = t - c; the identity is added to the affine part a.
///
/// ridge = 0 leads every control point to its target; with ridge > 0 (1e-4 .. 1e-2 in units of
/// -1..1) the spline passes near them, and exists for all points that are finite: those that
/// coincide move to the mean of their targets, and what the points leave open of the affine part
/// is the identity's.
class ThinPlateSystem {
 public:
  /// Throws an Error where the system is singular: without a ridge, fewer than three distinct
  /// points, points on one line, or two that coincide.
  explicit ThinPlateSystem(std::vector<Point> control, double ridge = 0);

  /// Throws an Error unless there are as many targets as control points.
  ThinPlate through(std::span<const Point> targets) const;

 private:
  std::vector<Point> control_;
  std::vector<double> inverse_;  // [n + 3, n]: without the three columns that meet zeros
};

/// Whether T folds the image or nearly does: det J <= 0.1, or NaN, at a node of a 16 x 16 grid over
/// [-1,1]^2, which `before`, an affine map, moves first. The determinant is that of T alone.
bool folds(const ThinPlate& t, const Matrix3& before = {});

}  // namespace cairn
