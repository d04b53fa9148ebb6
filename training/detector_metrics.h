#pragma once
// How well detected points meet the true ones: average precision and localisation error (DeTone et
// al., "SuperPoint", 2018, appendix; procedure of the published re-implementation).
#include <cstdint>
#include <span>
#include <vector>

#include "geometry/point.h"

namespace cairn {

struct DetectorMetricOptions {
  /// Which true point a detection within the radius is counted for. The published evaluation takes
  /// the first one listed, even if a surer detection has it already.
  enum class Assignment { nearest_free, first_listed };

  double radius = 3;          ///< pixels
  double least_score = 1e-4;  ///< detections below or at it are left out
  double sure_score = 0.5;    ///< the localisation error is that of detections above it
  Assignment assignment = Assignment::nearest_free;

  static DetectorMetricOptions published();  ///< radius 4, first listed
};

/// Collects the detections of a whole set of images; those of images without true points count as
/// false positives. Detections should have passed non-maximum suppression.
class DetectorMetrics {
 public:
  explicit DetectorMetrics(const DetectorMetricOptions& options = {}) : options_(options) {}

  /// One image. In falling order of score each detection takes a true point within the radius: a
  /// true positive; where there is none (left), it is a false positive.
  void add(std::span<const ScoredPoint> detections, std::span<const Point> truth);

  /// Area under precision over recall, all images pooled: sum of P_n (R_n - R_{n-1}) with the
  /// precision made falling from the right. NaN before any true point was added.
  double average_precision() const;
  /// Mean distance in pixels of sure detections within the radius to the nearest true point; NaN
  /// if there are none.
  double localisation_error() const;

  int64_t detections() const { return int64_t(judged_.size()); }
  int64_t true_points() const { return true_points_; }

 private:
  struct Judged {
    double score;
    bool correct;
  };

  DetectorMetricOptions options_;
  std::vector<Judged> judged_;
  int64_t true_points_ = 0, sure_ = 0;
  double sure_distance_ = 0;
};

}  // namespace cairn
