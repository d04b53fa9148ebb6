#pragma once
// 3x3 matrices that act on points of the plane, in double: homographies and their special cases.
// A matrix maps source to destination, x_dst ~ H x_src; A * B applies B first.
#include <array>
#include <span>

#include "geometry/point.h"

namespace cairn {

struct Matrix3 {
  std::array<double, 9> m{1, 0, 0, 0, 1, 0, 0, 0, 1};  ///< row-major; the identity by default

  double operator()(int row, int column) const { return m[3 * row + column]; }
  double& operator()(int row, int column) { return m[3 * row + column]; }
};

Matrix3 operator*(const Matrix3& a, const Matrix3& b);
double determinant(const Matrix3& h);

/// Throws an Error when `h` is singular.
Matrix3 inverse(const Matrix3& h);

/// The same map with h33 = 1. Throws an Error when h33 is 0.
Matrix3 with_unit_corner(const Matrix3& h);

/// Where `h` sends p. A point on or behind the horizon (w <= 1e-8) becomes (NaN, NaN), which no
/// test for being inside an image lets through.
Point apply(const Matrix3& h, Point p);

Matrix3 translation(double dx, double dy);
/// Resizing by sx, sy about the outer corner of the image: x -> (x + 1/2) sx - 1/2.
Matrix3 resizing(double sx, double sy);
/// Left becomes right in an image of this width: x -> width - 1 - x.
Matrix3 mirroring(int width);

/// The affine map that sends three points to three others, exactly. Throws an Error when the
/// three source points lie on a line.
Matrix3 affine_from_3_points(std::span<const Point, 3> from, std::span<const Point, 3> to);

/// The homography (h33 = 1) that sends four points to four others, exactly. Throws an Error when
/// three of either four lie on a line, or h33 would be 0.
Matrix3 homography_from_4_points(std::span<const Point, 4> from, std::span<const Point, 4> to);

/// Least squares over four or more correspondences: the normalised direct linear transform
/// (Hartley, "In Defense of the Eight-Point Algorithm", 1997: centred, mean distance sqrt 2).
/// `weights`, if given, are one per correspondence, of its squared algebraic error; 0 leaves it
/// out. Throws an Error on fewer than four, unequal counts, or points that do not fix a homography.
Matrix3 homography_from_points(std::span<const Point> from, std::span<const Point> to,
                               std::span<const double> weights = {});

/// Lowers the sum of weights |h from - to|^2 by the method of Levenberg and Marquardt, at most so
/// many steps from `h` on; h33 stays 1. Never worse than `h`.
Matrix3 refine_homography(const Matrix3& h, std::span<const Point> from, std::span<const Point> to,
                          std::span<const double> weights = {}, int steps = 10);

}  // namespace cairn
