#pragma once
// How far predicted keypoints are from the annotated ones. docs/keypoint_metrics.md defines every
// number.
//
//   PCK at tau   share_within(errors.points(), tau)        (PCKh where the reference is the head)
//   CED at t     share_within(errors.instances(), t)
//   AUC          area_within(errors.instances(), alpha)
//   FR           1 - share_within(errors.instances(), alpha)
#include <span>
#include <string>
#include <vector>

#include "training/keypoint_dataset.h"

namespace cairn {

/// Errors of a data set, collected instance by instance. Labelled points count whether hidden or
/// visible; missing ones never do. A labelled point without prediction (NaN) is infinitely far.
class KeypointErrors {
 public:
  explicit KeypointErrors(int keypoints) : distances_(size_t(keypoints)), scaled_(distances_) {}

  /// `length` is what distances are divided by; where it is NaN the instance counts in pixels()
  /// alone. Throws an Error on another number of points.
  void add(const Instance& truth, std::span<const ScoredPoint> predicted, double length);

  /// Distance / length of every labelled point; of those that `which` names.
  std::vector<double> points() const;
  std::vector<double> points(std::span<const int> which) const;
  /// The normalised mean error of every instance: the mean of its points.
  const std::vector<double>& instances() const { return instances_; }
  /// Distances in pixels of every labelled point; of one keypoint.
  std::vector<double> pixels() const;
  const std::vector<double>& pixels(int keypoint) const { return distances_[size_t(keypoint)]; }
  /// Instances with labelled points whose length is not known.
  int64_t without_length() const { return without_length_; }

 private:
  std::vector<std::vector<double>> distances_, scaled_;  // by keypoint
  std::vector<double> instances_;
  int64_t without_length_ = 0;
};

// All are NaN of no errors at all.

/// Share of errors <= t.
double share_within(std::span<const double> errors, double t);
/// Mean of that share over thresholds 0 .. t, exactly: the mean of max(0, 1 - error / t).
double area_within(std::span<const double> errors, double t);
/// The share at 0, limit / steps, .., limit.
std::vector<double> share_curve(std::span<const double> errors, double limit, int steps);
/// Of the finite ones.
double finite_mean(std::span<const double> errors);
/// Half of the errors are below it; infinity when half of the points have no prediction.
double median(std::vector<double> errors);

/// Keypoints that tables list in one column: left and right together.
struct PointGroup {
  std::string name;  ///< "wrist" of left_wrist and right_wrist
  std::vector<int> points;
};
std::vector<PointGroup> point_groups(const Skeleton& skeleton);
/// All but pelvis and thorax, which the total of PCKh leaves out.
std::vector<int> pckh_points(const Skeleton& skeleton);

}  // namespace cairn
