#include "training/homography_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace cairn {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

std::vector<Point> mapped(std::span<const Point> points, const Matrix3& map) {
  std::vector<Point> out;
  for (Point p : points) out.push_back(apply(map, p));
  return out;
}

double distance(Point a, Point b) { return std::hypot(a.x - b.x, a.y - b.y); }

// For each point of `from` the distance to the nearest one of `to`.
std::vector<double> nearest_distances(std::span<const Point> from, std::span<const Point> to) {
  std::vector<double> nearest(from.size(), infinity);
  for (size_t i = 0; i < from.size(); ++i) {
    for (Point p : to) {
      const double dx = p.x - from[i].x, dy = p.y - from[i].y, square = dx * dx + dy * dy;
      if (square < nearest[i]) nearest[i] = square;
    }
    nearest[i] = std::sqrt(nearest[i]);
  }
  return nearest;
}

}  // namespace

std::vector<size_t> seen(std::span<const Point> points, const Matrix3& map, ImageSize image) {
  std::vector<size_t> kept;
  for (size_t i = 0; i < points.size(); ++i)
    if (const Point p = apply(map, points[i]);
        p.x >= 0 && p.x < image.width && p.y >= 0 && p.y < image.height)
      kept.push_back(i);
  return kept;
}

double Repeatability::share() const { return points ? double(repeated) / points : nan; }
double Repeatability::localization_error() const {
  return repeated ? distance_sum / repeated : nan;
}

Repeatability repeatability(std::span<const Point> first, std::span<const Point> second,
                            const Matrix3& first_to_second, double radius) {
  const std::vector<Point> moved = mapped(first, first_to_second);
  Repeatability r;
  r.points = int(first.size() + second.size());
  for (const std::vector<double>& distances :
       {nearest_distances(moved, second), nearest_distances(second, moved)})
    for (double d : distances)
      if (d <= radius) {
        ++r.repeated;
        r.distance_sum += d;
      }
  return r;
}

std::vector<double> match_errors(std::span<const Point> first, std::span<const Point> second,
                                 std::span<const Match> matches, const Matrix3& first_to_second) {
  std::vector<double> errors;
  for (const Match& m : matches)
    errors.push_back(distance(apply(first_to_second, first[size_t(m.a)]), second[size_t(m.b)]));
  return errors;
}

double matching_accuracy(std::span<const double> errors, double radius) {
  if (errors.empty()) return 0;
  const auto close =
      std::count_if(errors.begin(), errors.end(), [&](double e) { return e <= radius; });
  return double(close) / double(errors.size());
}

double correct_share(std::span<const Point> first, std::span<const Point> second,
                     std::span<const Match> nearest, const Matrix3& first_to_second,
                     ImageSize second_image, double radius) {
  const std::vector<size_t> visible = seen(first, first_to_second, second_image);
  if (visible.empty()) return 0;
  const std::vector<double> errors = match_errors(first, second, nearest, first_to_second);
  int correct = 0;
  for (size_t i = 0; i < nearest.size(); ++i)
    if (errors[i] < radius &&
        std::binary_search(visible.begin(), visible.end(), size_t(nearest[i].a)))
      ++correct;
  return double(correct) / double(visible.size());
}

double average_precision(std::vector<RankedMatch> ranked, int positives) {
  if (positives == 0) return 0;
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const RankedMatch& a, const RankedMatch& b) { return a.score > b.score; });
  double area = 0;
  int correct = 0;
  for (size_t i = 0; i < ranked.size();) {
    const int before = correct;
    const double score = ranked[i].score;
    for (; i < ranked.size() && ranked[i].score == score; ++i) correct += ranked[i].correct;
    area += double(correct) / double(i) * double(correct - before) / positives;
  }
  return area;
}

double nearest_average_precision(std::span<const Point> first, std::span<const Point> second,
                                 std::span<const Match> nearest, const Matrix3& first_to_second,
                                 double radius) {
  const std::vector<double> errors = match_errors(first, second, nearest, first_to_second);
  std::vector<RankedMatch> ranked;
  for (size_t i = 0; i < nearest.size(); ++i)
    ranked.push_back({nearest[i].score, errors[i] < radius});
  const std::vector<double> distances = nearest_distances(mapped(first, first_to_second), second);
  const auto partners =
      std::count_if(distances.begin(), distances.end(), [&](double d) { return d < radius; });
  return average_precision(std::move(ranked), int(partners));
}

double corner_error(const Matrix3& estimate, const Matrix3& truth, ImageSize first_image) {
  const double right = first_image.width - 1, bottom = first_image.height - 1;
  double sum = 0;
  for (Point corner : {Point{0, 0}, {right, 0}, {0, bottom}, {right, bottom}})
    sum += distance(apply(estimate, corner), apply(truth, corner));
  return std::isfinite(sum) ? sum / 4 : infinity;
}

CosineGap cosine_gap(const Keypoints& first, const Keypoints& second,
                     const Matrix3& first_to_second, double radius) {
  const auto size = size_t(first.descriptor_size);
  double positives = 0, negatives = 0;
  int partners = 0, others = 0;
  for (size_t i = 0; i < first.points.size(); ++i) {
    const Point at = apply(first_to_second, {first.points[i][0], first.points[i][1]});
    const float* a = &first.descriptors[i * size];
    double nearest = infinity, positive = 0, negative = -infinity;
    for (size_t j = 0; j < second.points.size(); ++j) {
      const double d = distance(at, {second.points[j][0], second.points[j][1]});
      const float* b = &second.descriptors[j * size];
      const double cosine = std::inner_product(a, a + size, b, 0.0f);
      if (d < nearest) {
        nearest = d;
        positive = cosine;
      }
      if (d > 2 * radius) negative = std::max(negative, cosine);
    }
    if (!(nearest <= radius)) continue;
    positives += positive;
    ++partners;
    if (negative == -infinity) continue;
    negatives += negative;
    ++others;
  }
  return {partners ? positives / partners : nan, others ? negatives / others : nan};
}

double error_area(double error, double limit) { return std::max(0.0, 1 - error / limit); }

}  // namespace cairn
