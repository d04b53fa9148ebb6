#include "training/random_warps.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "geometry/thin_plate.h"
#include "layers/check.h"
#include "runtime/threads.h"

namespace cairn {
namespace {

constexpr int draws = 10;
constexpr double ridge = 1e-3;

// R diag(sx, sy) p + t
Matrix3 affine_map(double angle, double sx, double sy, double tx, double ty) {
  const double c = std::cos(angle), s = std::sin(angle);
  return {{c * sx, -s * sy, tx, s * sx, c * sy, ty, 0, 0, 1}};
}

// Numbers are drawn in the order of the fields. The image's side is 2.
Matrix3 drawn(const SimilarityRange& range, Random& random) {
  const double angle = range.rotation * random.normal();
  const double scale = std::exp(range.log_scale * random.normal()), reach = 2 * range.translation;
  const double tx = random.uniform(-reach, reach), ty = random.uniform(-reach, reach);
  return affine_map(angle, scale, scale, tx, ty);
}

Matrix3 drawn(const AffineRange& range, Random& random) {
  const double angle = random.uniform(-range.rotation, range.rotation);
  const double sx = random.uniform(range.scale_low, range.scale_high);
  const double sy = sx + range.aspect * random.normal();
  const double tx = 2 * range.translation * random.normal();
  const double ty = 2 * range.translation * random.normal();
  return affine_map(angle, sx, sy, tx, ty);
}

ThinPlate drawn(const ThinPlateSystem& system, const std::vector<Point>& control, double sd,
                const Matrix3& affine, Random& random) {
  for (int i = 0; i < draws; ++i, sd *= 0.8) {
    std::vector<Point> targets = control;
    for (Point& p : targets) {
      p.x += sd * random.normal();
      p.y += sd * random.normal();
    }
    ThinPlate t = system.through(targets);
    if (!folds(t, affine)) return t;
  }
  return system.through(control);
}

PointWarp room_for(int64_t count, int64_t points) {
  return {Tensor::empty({count, points, 2}), Tensor::empty({count, points + 3, 2}),
          Tensor::empty({count, 2, 3})};
}

void copy(const std::vector<Point>& from, int64_t image, Tensor& to) {
  float* out = to.data<float>() + image * int64_t(from.size()) * 2;
  for (size_t i = 0; i < from.size(); ++i) {
    out[2 * i] = float(from[i].x);
    out[2 * i + 1] = float(from[i].y);
  }
}

// Map number `image`, with control points of which `system` was made.
void draw_into(const WarpRange& range, const ThinPlateSystem& system,
               const std::vector<Point>& control, double displacement, int64_t image, Random random,
               PointWarp& warp) {
  const Matrix3 affine = std::visit([&](const auto& a) { return drawn(a, random); }, range.affine);
  copy(control, image, warp.control);
  copy(drawn(system, control, displacement, affine, random).theta, image, warp.theta);
  for (int k = 0; k < 6; ++k) warp.affine.data<float>()[6 * image + k] = float(affine.m[k]);
}

// Calls f(image, random) for every image with random numbers of its own, on several threads: the
// search for folds takes a logarithm for each node and control point.
template <class F>
void for_images(int64_t count, Random& random, F&& f) {
  const uint64_t high = random.bits(), seed = high << 32 | random.bits();
  parallel_for(count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) f(n, Random(seed, uint64_t(n)));
  });
}

}  // namespace

PointWarp random_warps(const WarpRange& range, int64_t count, Random& random) {
  if (range.side != 0 && range.side < 2)
    throw Error("random_warps", text("a grid of ", range.side, "x", range.side, " control points"),
                "0, or at least 2 control points along a side",
                "set side to 7, or 0 for no spline");
  std::vector<Point> control;
  for (int i = 0; i < range.side; ++i)
    for (int j = 0; j < range.side; ++j)
      control.push_back({(2.0 * j + 1) / range.side - 1, (2.0 * i + 1) / range.side - 1});
  // Without points only a ridge fixes the map: to the identity.
  const ThinPlateSystem system(control, control.empty() ? ridge : 0);
  PointWarp warp = room_for(count, int64_t(control.size()));
  for_images(count, random, [&](int64_t n, const Random& own) {
    draw_into(range, system, control, range.displacement, n, own, warp);
  });
  return warp;
}

PointWarp random_warps_about(const Tensor& landmarks, const WarpRange& range, Random& random) {
  Check("random_warps_about")
      .argument("landmarks", landmarks)
      .require(landmarks.rank() == 3 && landmarks.shape()[-1] == 2, "they have shape ",
               landmarks.shape())
      .done("landmarks [N,K,2]", "give the landmarks of each image as (x, y)");
  const int64_t count = landmarks.dim(0), points = landmarks.dim(1);
  const std::vector<double> at = landmarks.to(DType::f64).values<double>();
  PointWarp warp = room_for(count, points);
  for_images(count, random, [&](int64_t n, const Random& own) {
    std::vector<Point> control(points);
    for (int64_t k = 0; k < points; ++k) {
      const double* p = &at[2 * (n * points + k)];
      control[k] = {2 * p[0] - 1, 2 * p[1] - 1};
    }
    const ThinPlateSystem system(control, ridge);
    draw_into(range, system, control, range.landmark_displacement, n, own, warp);
  });
  return warp;
}

PointWarp with_warps(const PointWarp& warps, const std::vector<int64_t>& images,
                     const PointWarp& others) {
  const int64_t count = warps.control.dim(0);
  PointWarp all = room_for(count, std::max(warps.control.dim(1), others.control.dim(1)));
  all.control.zero();
  const auto put = [&](const PointWarp& from, int64_t row, int64_t n) {
    const int64_t points = from.control.dim(1), room = all.control.dim(1);
    const float* theta = from.theta.data<float>() + row * (points + 3) * 2;
    float* to = all.theta.data<float>() + n * (room + 3) * 2;
    std::copy_n(from.control.data<float>() + row * points * 2, points * 2,
                all.control.data<float>() + n * room * 2);
    std::copy_n(theta, points * 2, to);
    std::fill_n(to + points * 2, (room - points) * 2, 0.f);
    std::copy_n(theta + points * 2, 6, to + room * 2);
    std::copy_n(from.affine.data<float>() + row * 6, 6, all.affine.data<float>() + n * 6);
  };
  for (int64_t n = 0; n < count; ++n) put(warps, n, n);
  for (size_t i = 0; i < images.size(); ++i) put(others, int64_t(i), images[i]);
  return all;
}

}  // namespace cairn
