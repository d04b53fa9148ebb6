#include "training/homography_estimator.h"

#include "runtime/error.h"
#ifdef CAIRN_HAS_OPENCV
#include <opencv2/calib3d.hpp>
#endif

namespace cairn {
namespace {

#ifdef CAIRN_HAS_OPENCV

constexpr bool have_opencv = true;

// Its generator starts from the same state in each call: the seed has no effect.
RobustHomography opencv_homography(std::span<const Point> from, std::span<const Point> to,
                                   const RansacOptions& o) {
  RobustHomography result;
  result.inliers.assign(from.size(), 0);
  if (from.size() < 4) return result;
  std::vector<cv::Point2d> source, target;
  for (Point p : from) source.emplace_back(p.x, p.y);
  for (Point p : to) target.emplace_back(p.x, p.y);
  cv::Mat mask;
  const cv::Mat h = cv::findHomography(source, target, cv::USAC_MAGSAC, o.threshold, mask,
                                       o.max_iterations, o.confidence);
  if (h.empty()) return result;
  result.homography.emplace();
  for (int i = 0; i < 9; ++i) result.homography->m[i] = h.at<double>(i / 3, i % 3);
  for (size_t i = 0; i < from.size(); ++i) result.inliers[i] = mask.at<uint8_t>(int(i)) != 0;
  return result;
}

#else

constexpr bool have_opencv = false;

RobustHomography opencv_homography(std::span<const Point>, std::span<const Point>,
                                   const RansacOptions&) {
  throw Error("usac", "this build has no OpenCV", "a build that found it",
              "install libopencv-calib3d-dev and configure again, or take another estimator");
}

#endif

}  // namespace

const char* name(HomographyEstimator e) {
  switch (e) {
    case HomographyEstimator::ransac:
      return "ransac";
    case HomographyEstimator::magsac:
      return "magsac";
    case HomographyEstimator::usac:
      return "usac";
  }
  return "?";
}

HomographyEstimator parse_homography_estimator(const std::string& option,
                                               const std::string& value) {
  for (auto e :
       {HomographyEstimator::ransac, HomographyEstimator::magsac, HomographyEstimator::usac}) {
    if (value != name(e)) continue;
    if (e == HomographyEstimator::usac && !have_opencv)
      throw UsageError(option, "usac is OpenCV's, which this build does not have",
                       "ransac or magsac", "install libopencv-calib3d-dev and configure again");
    return e;
  }
  throw UsageError(option, "'" + value + "' is no estimator", "ransac, magsac or usac",
                   "choose one of these");
}

RobustHomography estimate_homography(HomographyEstimator estimator, std::span<const Point> from,
                                     std::span<const Point> to, RansacOptions options) {
  if (estimator == HomographyEstimator::usac) return opencv_homography(from, to, options);
  options.score =
      estimator == HomographyEstimator::magsac ? RobustScore::magsac : RobustScore::inliers;
  return ransac_homography(from, to, options);
}

}  // namespace cairn
