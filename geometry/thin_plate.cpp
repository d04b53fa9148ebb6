#include "geometry/thin_plate.h"

#include <Eigen/Dense>
#include <cmath>

#include "runtime/error.h"

namespace cairn {
namespace {

double squared(Point d) { return d.x * d.x + d.y * d.y; }
double bump(double r2) { return r2 > 0 ? r2 * std::log(r2) : 0; }

}  // namespace

Point ThinPlate::operator()(Point p) const {
  const Point* affine = theta.data() + control.size();
  Point to = affine[0] + p.x * affine[1] + p.y * affine[2];
  for (size_t j = 0; j < control.size(); ++j) to = to + bump(squared(p - control[j])) * theta[j];
  return to;
}

std::array<double, 4> ThinPlate::jacobian(Point p) const {
  const Point* affine = theta.data() + control.size();
  Point dx = affine[1], dy = affine[2];
  for (size_t j = 0; j < control.size(); ++j) {
    const Point d = p - control[j];
    const double r2 = squared(d), slope = r2 > 0 ? 2 * (std::log(r2) + 1) : 0;
    dx = dx + slope * d.x * theta[j];
    dy = dy + slope * d.y * theta[j];
  }
  return {dx.x, dy.x, dx.y, dy.y};
}

ThinPlateSystem::ThinPlateSystem(std::vector<Point> control, double ridge)
    : control_(std::move(control)) {
  const auto n = Eigen::Index(control_.size());
  Eigen::MatrixXd m = Eigen::MatrixXd::Zero(n + 3, n + 3);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < n; ++j) m(i, j) = bump(squared(control_[i] - control_[j]));
    m.row(i).tail<3>() << 1, control_[i].x, control_[i].y;
    m.col(i).tail<3>() = m.row(i).tail<3>();
  }
  m.diagonal().head(n).array() += ridge;
  m.diagonal().tail<3>().array() -= ridge;
  const Eigen::FullPivLU<Eigen::MatrixXd> lu(m);
  if (!lu.isInvertible())
    throw Error("thin_plate", text("the system of ", n, " control points is singular"),
                "at least three control points, no two the same, not all on one line",
                "choose other points, or give a ridge (1e-4 to 1e-2)");
  if (n == 0) return;  // the identity, which through() adds
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  inverse_.resize(size_t((n + 3) * n));
  Eigen::Map<RowMajor>(inverse_.data(), n + 3, n) = lu.solve(Eigen::MatrixXd::Identity(n + 3, n));
}

ThinPlate ThinPlateSystem::through(std::span<const Point> targets) const {
  const size_t n = control_.size();
  if (targets.size() != n)
    throw Error("thin_plate", text(targets.size(), " targets for ", n, " control points"),
                "one target for each control point", "give the targets in the points' order");
  ThinPlate t{control_, std::vector<Point>(n + 3)};
  for (size_t i = 0; i < n + 3; ++i)
    for (size_t j = 0; j < n; ++j)
      t.theta[i] = t.theta[i] + inverse_[i * n + j] * (targets[j] - control_[j]);
  t.theta[n + 1].x += 1;
  t.theta[n + 2].y += 1;
  return t;
}

bool folds(const ThinPlate& t, const Matrix3& before) {
  constexpr int side = 16;
  for (int i = 0; i < side * side; ++i) {
    const Point node{2.0 * (i % side) / (side - 1) - 1, 2.0 * (i / side) / (side - 1) - 1};
    const auto [xx, xy, yx, yy] = t.jacobian(apply(before, node));
    if (!(xx * yy - xy * yx > 0.1)) return true;
  }
  return false;
}

}  // namespace cairn
