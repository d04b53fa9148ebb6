#include "training/detector_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace cairn {
namespace {

double distance(const ScoredPoint& a, Point b) { return std::hypot(a.x - b.x, a.y - b.y); }

constexpr size_t none = size_t(-1);

}  // namespace

DetectorMetricOptions DetectorMetricOptions::published() {
  DetectorMetricOptions o;
  o.radius = 4;
  o.assignment = Assignment::first_listed;
  return o;
}

void DetectorMetrics::add(std::span<const ScoredPoint> detections, std::span<const Point> truth) {
  true_points_ += int64_t(truth.size());
  std::vector<ScoredPoint> sorted;
  for (const ScoredPoint& d : detections)
    if (d.score > options_.least_score) sorted.push_back(d);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const ScoredPoint& a, const ScoredPoint& b) { return a.score > b.score; });

  std::vector<bool> taken(truth.size(), false);
  for (const ScoredPoint& d : sorted) {
    size_t first = none, nearest_free = none;
    double nearest = std::numeric_limits<double>::infinity(), nearest_of_free = nearest;
    for (size_t i = 0; i < truth.size(); ++i) {
      const double r = distance(d, truth[i]);
      if (r > options_.radius) continue;
      if (first == none) first = i;
      nearest = std::min(nearest, r);
      if (!taken[i] && r < nearest_of_free) {
        nearest_free = i;
        nearest_of_free = r;
      }
    }
    size_t hit = nearest_free;
    if (options_.assignment == DetectorMetricOptions::Assignment::first_listed)
      hit = first != none && !taken[first] ? first : none;
    if (hit != none) taken[hit] = true;
    judged_.push_back({d.score, hit != none});
    if (first != none && d.score > options_.sure_score) {
      ++sure_;
      sure_distance_ += nearest;
    }
  }
}

double DetectorMetrics::average_precision() const {
  if (true_points_ == 0) return std::numeric_limits<double>::quiet_NaN();
  std::vector<Judged> sorted = judged_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Judged& a, const Judged& b) { return a.score > b.score; });
  std::vector<double> precision(sorted.size());
  int64_t correct = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    correct += sorted[i].correct;
    precision[i] = double(correct) / double(i + 1);
  }
  // From the right: the best precision at this recall or a higher one. Recall grows by one point
  // at each correct detection and nowhere else.
  double best = 0, sum = 0;
  for (size_t i = sorted.size(); i-- > 0;) {
    best = std::max(best, precision[i]);
    if (sorted[i].correct) sum += best;
  }
  return sum / double(true_points_);
}

double DetectorMetrics::localisation_error() const {
  return sure_ ? sure_distance_ / double(sure_) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace cairn
