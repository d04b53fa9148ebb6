#include "training/flip_check.h"

#include <algorithm>
#include <cmath>
#include <complex>

#include "runtime/error.h"
#include "training/keypoint_names.h"

namespace cairn {
namespace {

using Complex = std::complex<double>;
using Shape2 = std::vector<Complex>;  // x + iy for each keypoint; NaN where it is not known

bool known(Complex z) { return std::isfinite(z.real()) && std::isfinite(z.imag()); }
const Complex nowhere(NAN, NAN);

Shape2 shape_of(const Instance& instance) {
  Shape2 shape;
  for (const LabelledPoint& p : instance.points)
    shape.push_back(p.v == Visibility::missing ? nowhere : Complex(p.x, p.y));
  return shape;
}

int64_t count_known(const Shape2& shape) {
  return std::count_if(shape.begin(), shape.end(), known);
}

// Centred, of mean squared radius 1.
void normalise(Shape2& shape) {
  Complex sum = 0;
  double n = 0, squares = 0;
  for (Complex z : shape)
    if (known(z)) {
      sum += z;
      ++n;
    }
  for (Complex& z : shape) z -= sum / n;
  for (Complex z : shape)
    if (known(z)) squares += std::norm(z);
  for (Complex& z : shape) z /= std::max(std::sqrt(squares / n), 1e-12);
}

// `shape`, moved, turned and scaled onto `target` by least squares over what both have: a z + b.
Shape2 aligned(const Shape2& shape, const Shape2& target) {
  Complex from = 0, to = 0, product = 0;
  double n = 0, square = 0;
  const auto both = [&](size_t k) { return known(shape[k]) && known(target[k]); };
  for (size_t k = 0; k < shape.size(); ++k)
    if (both(k)) {
      from += shape[k];
      to += target[k];
      ++n;
    }
  from /= n;
  to /= n;
  for (size_t k = 0; k < shape.size(); ++k)
    if (both(k)) {
      product += std::conj(shape[k] - from) * (target[k] - to);
      square += std::norm(shape[k] - from);
    }
  Shape2 out(shape);
  for (Complex& z : out) z = to + (square > 0 ? product / square : 0) * (z - from);
  return out;
}

// At most this many instances, spread over the data set, are enough for a mean.
constexpr size_t most_instances = 1000;

std::vector<Shape2> shapes_of(const KeypointDataset& data) {
  std::vector<Shape2> all, some;
  for (const AnnotatedImage& image : data.images)
    for (const Instance& instance : image.instances) {
      Shape2 shape = shape_of(instance);
      const int64_t n = count_known(shape);
      if (!instance.crowd && n >= 3 && 2 * n >= int64_t(shape.size()))
        all.push_back(std::move(shape));
    }
  const size_t step = all.size() / most_instances + 1;
  for (size_t i = 0; i < all.size(); i += step) some.push_back(std::move(all[i]));
  return some;
}

Shape2 mean_of(const std::vector<Shape2>& shapes) {
  Shape2 mean = *std::max_element(shapes.begin(), shapes.end(), [](const auto& a, const auto& b) {
    return count_known(a) < count_known(b);
  });
  normalise(mean);
  for (int round = 0; round < 5; ++round) {
    Shape2 sum(mean.size(), 0);
    std::vector<double> n(mean.size(), 0);
    for (const Shape2& shape : shapes) {
      const Shape2 moved = aligned(shape, mean);
      for (size_t k = 0; k < mean.size(); ++k)
        if (known(moved[k])) {
          sum[k] += moved[k];
          ++n[k];
        }
    }
    for (size_t k = 0; k < mean.size(); ++k) mean[k] = n[k] < 2 ? nowhere : sum[k] / n[k];
    normalise(mean);
  }
  return mean;
}

size_t nearest(const Shape2& shape, Complex z) {
  size_t best = 0;
  double least = INFINITY;
  for (size_t k = 0; k < shape.size(); ++k)
    if (known(shape[k]) && std::norm(shape[k] - z) < least) {
      least = std::norm(shape[k] - z);
      best = k;
    }
  return best;
}

// The shape mirrored about an axis through its centre.
Shape2 mirrored(const Shape2& shape, double angle) {
  Shape2 out;
  for (Complex z : shape) out.push_back(std::polar(1.0, 2 * angle) * std::conj(z));
  return out;
}

// How far, in the root of the mean square, points are from the nearest ones of the mirrored shape.
double asymmetry(const Shape2& shape, double angle) {
  double sum = 0, n = 0;
  for (Complex z : mirrored(shape, angle))
    if (known(z)) {
      sum += std::norm(shape[nearest(shape, z)] - z);
      ++n;
    }
  return std::sqrt(sum / n);
}

double best_axis(const Shape2& shape) {
  constexpr int angles = 180;
  double best = 0, least = INFINITY;
  for (int i = 0; i < angles; ++i)
    if (const double a = asymmetry(shape, M_PI * i / angles); a < least) {
      least = a;
      best = M_PI * i / angles;
    }
  return best;
}

void check_names(const Skeleton& s, Problems& problems) {
  const std::vector<int> by_name = swap_by_names(s.names);
  for (size_t k = 0; k < s.names.size(); ++k)
    if (by_name[k] != int(k) && s.swap[k] != by_name[k])
      problems.add(Problem::names_not_swapped,
                   text("keypoint ", k, " (", s.names[k], ") has ", s.swap[k], " (",
                        s.names[size_t(s.swap[k])], "), not ", by_name[k], " (",
                        s.names[size_t(by_name[k])], ")"));
}

}  // namespace

std::vector<Point> mean_shape(const KeypointDataset& data) {
  const std::vector<Shape2> shapes = shapes_of(data);
  std::vector<Point> mean;
  if (shapes.size() >= 2)
    for (Complex z : mean_of(shapes)) mean.push_back({z.real(), z.imag()});
  return mean;
}

void check_flip_pairs(const KeypointDataset& data, Problems& problems) {
  const Skeleton& s = data.skeleton;
  check_names(s, problems);
  Shape2 shape;
  for (Point p : mean_shape(data)) shape.push_back({p.x, p.y});
  if (count_known(shape) < 4) return;
  const double axis = best_axis(shape), rest = asymmetry(shape, axis);
  // Of the radius of the shape: what is less symmetric says nothing; what is closer is too close.
  constexpr double symmetric = 0.12, apart = 0.35;
  if (rest > symmetric) return;
  const Shape2 mirror = mirrored(shape, axis);
  for (size_t k = 0; k < shape.size(); ++k) {
    const Complex partner = shape[size_t(s.swap[k])];
    if (!known(mirror[k]) || !known(partner)) continue;
    const size_t found = nearest(shape, mirror[k]);
    const double far = std::abs(partner - mirror[k]), near = std::abs(shape[found] - mirror[k]);
    if (far > apart && 4 * near < far)
      problems.add(Problem::mirrored_elsewhere,
                   text("keypoint ", k, " (", s.names[k], ") has ", s.swap[k], " (",
                        s.names[size_t(s.swap[k])], "); mirrored it lies on ", found, " (",
                        s.names[found], ")"));
  }
}

}  // namespace cairn
