#include "training/keypoint_metrics.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#include "training/keypoint_names.h"

namespace cairn {
namespace {

std::vector<double> joined(const std::vector<std::vector<double>>& parts) {
  std::vector<double> all;
  for (const std::vector<double>& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

void KeypointErrors::add(const Instance& truth, std::span<const ScoredPoint> predicted,
                         double length) {
  const size_t K = distances_.size();
  if (truth.points.size() != K || predicted.size() != K)
    throw Error("keypoint errors",
                text("instance ", truth.id, " has ", truth.points.size(), " annotated and ",
                     predicted.size(), " predicted points"),
                text(K, " of both"), "predict the data set's keypoints, all of them, in its order");
  double sum = 0;
  int64_t labelled = 0;
  for (size_t k = 0; k < K; ++k) {
    const LabelledPoint& p = truth.points[k];
    if (p.v == Visibility::missing) continue;
    const double d = std::hypot(predicted[k].x - p.x, predicted[k].y - p.y);
    distances_[k].push_back(std::isfinite(d) ? d : INFINITY);
    if (!std::isnan(length)) scaled_[k].push_back(distances_[k].back() / length);
    sum += distances_[k].back();
    ++labelled;
  }
  if (labelled == 0) return;
  if (std::isnan(length))
    ++without_length_;
  else
    instances_.push_back(sum / (double(labelled) * length));
}

std::vector<double> KeypointErrors::points() const { return joined(scaled_); }

std::vector<double> KeypointErrors::points(std::span<const int> which) const {
  std::vector<std::vector<double>> parts;
  for (int k : which) parts.push_back(scaled_[size_t(k)]);
  return joined(parts);
}

std::vector<double> KeypointErrors::pixels() const { return joined(distances_); }

double share_within(std::span<const double> errors, double t) {
  if (errors.empty()) return NAN;
  const auto within = std::count_if(errors.begin(), errors.end(), [t](double e) { return e <= t; });
  return double(within) / double(errors.size());
}

double area_within(std::span<const double> errors, double t) {
  if (errors.empty()) return NAN;
  double sum = 0;
  for (double e : errors) sum += std::max(0.0, 1 - e / t);
  return sum / double(errors.size());
}

std::vector<double> share_curve(std::span<const double> errors, double limit, int steps) {
  std::vector<double> curve;
  for (int i = 0; i <= steps; ++i) curve.push_back(share_within(errors, limit * i / steps));
  return curve;
}

double finite_mean(std::span<const double> errors) {
  double sum = 0;
  int64_t count = 0;
  for (double e : errors)
    if (std::isfinite(e)) {
      sum += e;
      ++count;
    }
  return count ? sum / double(count) : NAN;
}

double median(std::vector<double> errors) {
  if (errors.empty()) return NAN;
  std::sort(errors.begin(), errors.end());
  const size_t half = errors.size() / 2;
  return errors.size() % 2 ? errors[half] : (errors[half - 1] + errors[half]) / 2;
}

std::vector<PointGroup> point_groups(const Skeleton& skeleton) {
  std::vector<PointGroup> groups;
  for (int k = 0; k < skeleton.keypoints(); ++k) {
    const int partner = skeleton.swap.empty() ? k : skeleton.swap[size_t(k)];
    const std::string &name = skeleton.names[size_t(k)], &other = skeleton.names[size_t(partner)];
    if (partner == k) groups.push_back({name, {k}});
    if (partner <= k) continue;
    const std::string both = shared_name(name, other);
    groups.push_back({both.empty() ? name + "/" + other : both, {k, partner}});
  }
  return groups;
}

std::vector<int> pckh_points(const Skeleton& skeleton) {
  std::vector<int> points;
  for (int k = 0; k < skeleton.keypoints(); ++k)
    if (skeleton.names[size_t(k)] != "pelvis" && skeleton.names[size_t(k)] != "thorax")
      points.push_back(k);
  return points;
}

}  // namespace cairn
