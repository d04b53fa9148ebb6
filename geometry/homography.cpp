#include "geometry/homography.h"

#include <Eigen/Dense>
#include <cmath>
#include <limits>

#include "runtime/error.h"

namespace cairn {
namespace {

// Solves the square system and refuses one that is singular to working precision.
template <int N>
Eigen::Matrix<double, N, 1> solve(const Eigen::Matrix<double, N, N>& a,
                                  const Eigen::Matrix<double, N, 1>& b, const char* where,
                                  const char* expected) {
  const Eigen::FullPivLU<Eigen::Matrix<double, N, N>> lu(a);
  if (!lu.isInvertible())
    throw Error(where, "the points do not fix the map (they lie on a line or coincide)", expected,
                "draw or measure other points");
  return lu.solve(b);
}

double weight_of(std::span<const double> weights, size_t i) {
  return weights.empty() ? 1 : weights[i];
}

// Moves the centroid to 0 and the mean distance from it to sqrt 2.
Matrix3 normalisation(std::span<const Point> points, std::span<const double> weights) {
  Point centre;
  double total = 0, distance = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    centre = centre + weight_of(weights, i) * points[i];
    total += weight_of(weights, i);
  }
  centre = (1 / total) * centre;
  for (size_t i = 0; i < points.size(); ++i)
    distance +=
        weight_of(weights, i) * std::hypot(points[i].x - centre.x, points[i].y - centre.y) / total;
  const double s = distance > 0 ? std::sqrt(2.0) / distance : 1;
  return {{s, 0, -s * centre.x, 0, s, -s * centre.y, 0, 0, 1}};
}

}  // namespace

Matrix3 operator*(const Matrix3& a, const Matrix3& b) {
  Matrix3 c;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) c(i, j) = a(i, 0) * b(0, j) + a(i, 1) * b(1, j) + a(i, 2) * b(2, j);
  return c;
}

double determinant(const Matrix3& h) {
  return h(0, 0) * (h(1, 1) * h(2, 2) - h(1, 2) * h(2, 1)) -
         h(0, 1) * (h(1, 0) * h(2, 2) - h(1, 2) * h(2, 0)) +
         h(0, 2) * (h(1, 0) * h(2, 1) - h(1, 1) * h(2, 0));
}

Matrix3 inverse(const Matrix3& h) {
  const double d = determinant(h);
  if (!(std::abs(d) > std::numeric_limits<double>::min()))
    throw Error("inverse", text("the matrix has determinant ", d), "a matrix that can be inverted",
                "reject maps that squeeze the plane to a line before inverting them");
  Matrix3 r;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {
      const int a = (j + 1) % 3, b = (j + 2) % 3, c = (i + 1) % 3, e = (i + 2) % 3;
      r(i, j) = (h(a, c) * h(b, e) - h(a, e) * h(b, c)) / d;
    }
  return r;
}

Matrix3 with_unit_corner(const Matrix3& h) {
  if (h(2, 2) == 0)
    throw Error("homography", "h33 is 0: the map sends the origin to infinity", "h33 other than 0",
                "choose other points, or an origin that stays finite");
  Matrix3 r = h;
  for (double& v : r.m) v /= h(2, 2);
  return r;
}

Point apply(const Matrix3& h, Point p) {
  const double w = h(2, 0) * p.x + h(2, 1) * p.y + h(2, 2);
  if (!(w > 1e-8)) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    return {nan, nan};
  }
  return {(h(0, 0) * p.x + h(0, 1) * p.y + h(0, 2)) / w,
          (h(1, 0) * p.x + h(1, 1) * p.y + h(1, 2)) / w};
}

Matrix3 translation(double dx, double dy) { return {{1, 0, dx, 0, 1, dy, 0, 0, 1}}; }
Matrix3 resizing(double sx, double sy) {
  return {{sx, 0, (sx - 1) / 2, 0, sy, (sy - 1) / 2, 0, 0, 1}};
}
Matrix3 mirroring(int width) { return {{-1, 0, double(width - 1), 0, 1, 0, 0, 0, 1}}; }

Matrix3 affine_from_3_points(std::span<const Point, 3> from, std::span<const Point, 3> to) {
  Eigen::Matrix3d a;
  Eigen::Vector3d bx, by;
  for (int i = 0; i < 3; ++i) {
    a.row(i) << from[i].x, from[i].y, 1;
    bx[i] = to[i].x;
    by[i] = to[i].y;
  }
  const char* expected = "three points that are not on one line";
  const Eigen::Vector3d x = solve<3>(a, bx, "affine_from_3_points", expected);
  const Eigen::Vector3d y = solve<3>(a, by, "affine_from_3_points", expected);
  return {{x[0], x[1], x[2], y[0], y[1], y[2], 0, 0, 1}};
}

Matrix3 homography_from_4_points(std::span<const Point, 4> from, std::span<const Point, 4> to) {
  Eigen::Matrix<double, 8, 8> a;
  Eigen::Matrix<double, 8, 1> b;
  for (int i = 0; i < 4; ++i) {
    const auto [X, Y] = from[i];
    const auto [x, y] = to[i];
    a.row(2 * i) << X, Y, 1, 0, 0, 0, -x * X, -x * Y;
    a.row(2 * i + 1) << 0, 0, 0, X, Y, 1, -y * X, -y * Y;
    b[2 * i] = x;
    b[2 * i + 1] = y;
  }
  const auto h =
      solve<8>(a, b, "homography_from_4_points", "four points of which no three are on one line");
  return {{h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], 1}};
}

Matrix3 homography_from_points(std::span<const Point> from, std::span<const Point> to,
                               std::span<const double> weights) {
  const bool equal = from.size() == to.size() && (weights.empty() || weights.size() == to.size());
  if (!equal || from.size() < 4)
    throw Error("homography_from_points",
                text(from.size(), " source and ", to.size(), " destination points",
                     weights.empty() ? "" : text(", ", weights.size(), " weights")),
                "as many of one as of the other, and at least 4", "match more points");
  const Matrix3 n1 = normalisation(from, weights), n2 = normalisation(to, weights);
  Eigen::Matrix<double, 9, 9> gram = Eigen::Matrix<double, 9, 9>::Zero();
  for (size_t i = 0; i < from.size(); ++i) {
    const double weight = weight_of(weights, i);
    if (weight == 0) continue;
    const auto [X, Y] = apply(n1, from[i]);
    const auto [x, y] = apply(n2, to[i]);
    Eigen::Matrix<double, 9, 1> u, v;
    u << X, Y, 1, 0, 0, 0, -x * X, -x * Y, -x;
    v << 0, 0, 0, X, Y, 1, -y * X, -y * Y, -y;
    gram += weight * (u * u.transpose() + v * v.transpose());
  }
  // The null vector is unique only if the second smallest eigenvalue is away from 0.
  const Eigen::SelfAdjointEigenSolver<Eigen::Matrix<double, 9, 9>> eigen(gram);
  if (!(eigen.eigenvalues()[1] > 1e-10 * eigen.eigenvalues()[8]))
    throw Error("homography_from_points", "the points do not fix a homography",
                "at least four points of which no three are on one line",
                "match points that are spread over the image");
  const auto h = eigen.eigenvectors().col(0);
  Matrix3 normalised;
  for (int i = 0; i < 9; ++i) normalised.m[i] = h[i];
  return with_unit_corner(inverse(n2) * normalised * n1);
}

namespace {

// What one step of refine_homography() solves: J^T J and J^T r, and the error |r|^2 there. The
// error is NaN where a point lies beyond the horizon.
struct NormalEquations {
  Eigen::Matrix<double, 8, 8> gram = Eigen::Matrix<double, 8, 8>::Zero();
  Eigen::Matrix<double, 8, 1> slope = Eigen::Matrix<double, 8, 1>::Zero();
  double error = 0;

  NormalEquations(const Matrix3& h, std::span<const Point> from, std::span<const Point> to,
                  std::span<const double> weights) {
    for (size_t i = 0; i < from.size(); ++i) {
      const double weight = weight_of(weights, i);
      if (weight == 0) continue;
      const auto [X, Y] = from[i];
      const double s = 1 / (h(2, 0) * X + h(2, 1) * Y + h(2, 2));
      const Point at = apply(h, from[i]), r = at - to[i];
      Eigen::Matrix<double, 8, 1> u, v;  // derivatives of the two residuals by h11 .. h32
      u << X * s, Y * s, s, 0, 0, 0, -X * s * at.x, -Y * s * at.x;
      v << 0, 0, 0, X * s, Y * s, s, -X * s * at.y, -Y * s * at.y;
      gram += weight * (u * u.transpose() + v * v.transpose());
      slope += weight * (r.x * u + r.y * v);
      error += weight * (r.x * r.x + r.y * r.y);
    }
  }
};

}  // namespace

Matrix3 refine_homography(const Matrix3& h, std::span<const Point> from, std::span<const Point> to,
                          std::span<const double> weights, int steps) {
  Matrix3 best = with_unit_corner(h);
  NormalEquations now(best, from, to, weights);
  double damping = 1e-3;
  for (int i = 0; i < steps; ++i) {
    Eigen::Matrix<double, 8, 8> damped = now.gram;
    damped.diagonal() *= 1 + damping;
    const Eigen::Matrix<double, 8, 1> step = damped.ldlt().solve(now.slope);
    Matrix3 moved = best;
    for (int k = 0; k < 8; ++k) moved.m[k] -= step[k];
    const NormalEquations there(moved, from, to, weights);
    if (!(there.error < now.error)) {
      damping *= 10;
      continue;
    }
    const bool converged = there.error > (1 - 1e-9) * now.error;
    best = moved;
    now = there;
    damping /= 10;
    if (converged) break;
  }
  return best;
}

}  // namespace cairn
