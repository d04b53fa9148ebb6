#include "training/classical_detectors.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#ifdef CAIRN_HAS_OPENCV
#include <opencv2/features2d.hpp>
#include <opencv2/imgproc.hpp>
#endif

namespace cairn {

const char* name(ClassicalDetector d) {
  switch (d) {
    case ClassicalDetector::fast:
      return "FAST";
    case ClassicalDetector::harris:
      return "Harris";
    case ClassicalDetector::shi_tomasi:
      return "Shi-Tomasi";
  }
  return "?";
}

#ifdef CAIRN_HAS_OPENCV

namespace {

constexpr int suppression_radius = 4, most_corners = 300;

// Greedy: the surest first, each removes all others within the radius along both axes.
std::vector<ScoredPoint> suppressed(std::vector<ScoredPoint> points) {
  std::stable_sort(points.begin(), points.end(),
                   [](const ScoredPoint& a, const ScoredPoint& b) { return a.score > b.score; });
  std::vector<ScoredPoint> kept;
  for (const ScoredPoint& p : points) {
    if (int(kept.size()) == most_corners) break;
    if (std::none_of(kept.begin(), kept.end(), [&](const ScoredPoint& q) {
          return std::max(std::abs(p.x - q.x), std::abs(p.y - q.y)) <= suppression_radius;
        }))
      kept.push_back(p);
  }
  return kept;
}

std::vector<ScoredPoint> fast_corners(const cv::Mat& grey) {
  cv::Mat bytes;
  grey.convertTo(bytes, CV_8U);
  std::vector<cv::KeyPoint> keypoints;
  cv::FAST(bytes, keypoints, 10, true);
  std::vector<ScoredPoint> points;
  for (const cv::KeyPoint& k : keypoints) points.push_back({k.pt.x, k.pt.y, k.response});
  return points;
}

// The local maxima of the response: of its positive pixels none else survives the suppression's
// first round.
std::vector<ScoredPoint> harris_corners(const cv::Mat& grey) {
  cv::Mat response, highest;
  cv::cornerHarris(grey, response, 4, 3, 0.04);
  cv::dilate(response, highest, cv::Mat());
  std::vector<ScoredPoint> points;
  for (int y = 0; y < response.rows; ++y)
    for (int x = 0; x < response.cols; ++x) {
      const float r = response.at<float>(y, x);
      if (r > 0 && r == highest.at<float>(y, x)) points.push_back({double(x), double(y), r});
    }
  return points;
}

// The published evaluation runs the detector at many quality levels and scores a corner with the
// highest that keeps it. Weaker corners never displace stronger ones, so that level is the
// corner's own eigenvalue relative to the largest.
std::vector<ScoredPoint> shi_tomasi_corners(const cv::Mat& grey) {
  std::vector<cv::Point2f> corners;
  cv::goodFeaturesToTrack(grey, corners, 100, 1e-4, 5);
  cv::Mat eigenvalue;
  cv::cornerMinEigenVal(grey, eigenvalue, 3, 3);
  double largest = 0;
  cv::minMaxLoc(eigenvalue, nullptr, &largest);
  std::vector<ScoredPoint> points;
  for (const cv::Point2f& c : corners)
    points.push_back({c.x, c.y, eigenvalue.at<float>(int(c.y), int(c.x)) / largest});
  return points;
}

}  // namespace

bool have_classical_detectors() { return true; }

std::vector<ScoredPoint> classical_corners(ClassicalDetector detector, const Tensor& image) {
  if (image.dtype() != DType::f32 || image.rank() != 3 || image.dim(2) != 1)
    throw Error(name(detector), text("an image ", image), "f32 [height, width, 1]",
                "convert the image to grey floats");
  const cv::Mat unit(int(image.dim(0)), int(image.dim(1)), CV_32F,
                     const_cast<float*>(image.data<float>()));
  const cv::Mat grey = unit * 255;
  switch (detector) {
    case ClassicalDetector::fast:
      return suppressed(fast_corners(grey));
    case ClassicalDetector::harris:
      return suppressed(harris_corners(grey));
    case ClassicalDetector::shi_tomasi:
      return suppressed(shi_tomasi_corners(grey));
  }
  return {};
}

#else

bool have_classical_detectors() { return false; }

std::vector<ScoredPoint> classical_corners(ClassicalDetector detector, const Tensor&) {
  throw Error(name(detector), "this build has no OpenCV", "a build that found it",
              "install libopencv-dev and configure again; nothing else needs it");
}

#endif

}  // namespace cairn
