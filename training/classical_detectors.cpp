#include "training/classical_detectors.h"

#include "runtime/error.h"
#ifdef CAIRN_HAS_OPENCV
#include <algorithm>
#include <cstring>
#include <opencv2/features2d.hpp>
#include <opencv2/imgproc.hpp>

#include "kernels/points/best_peaks.h"
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

constexpr int suppression_radius = 4;
constexpr int64_t most_corners = 300;

// Scores of pixels; 0 where there is no corner.
cv::Mat fast_scores(const cv::Mat& grey) {
  cv::Mat bytes, scores = cv::Mat::zeros(grey.size(), CV_32F);
  grey.convertTo(bytes, CV_8U);
  std::vector<cv::KeyPoint> keypoints;
  cv::FAST(bytes, keypoints, 10, true);
  for (const cv::KeyPoint& k : keypoints) scores.at<float>(int(k.pt.y), int(k.pt.x)) = k.response;
  return scores;
}

cv::Mat harris_scores(const cv::Mat& grey) {
  cv::Mat response;
  cv::cornerHarris(grey, response, 4, 3, 0.04);
  return response;
}

// The published evaluation runs the detector at many quality levels and scores a corner with the
// highest that keeps it. Weaker corners never displace stronger ones, so that level is the
// corner's own eigenvalue relative to the largest.
cv::Mat shi_tomasi_scores(const cv::Mat& grey) {
  std::vector<cv::Point2f> corners;
  cv::goodFeaturesToTrack(grey, corners, 100, 1e-4, 5);
  cv::Mat eigenvalue, scores = cv::Mat::zeros(grey.size(), CV_32F);
  cv::cornerMinEigenVal(grey, eigenvalue, 3, 3);
  double largest = 0;
  cv::minMaxLoc(eigenvalue, nullptr, &largest);
  for (const cv::Point2f& c : corners)
    scores.at<float>(cv::Point(c)) = float(eigenvalue.at<float>(cv::Point(c)) / largest);
  return scores;
}

cv::Mat scores_of(ClassicalDetector detector, const cv::Mat& grey) {
  switch (detector) {
    case ClassicalDetector::fast:
      return fast_scores(grey);
    case ClassicalDetector::harris:
      return harris_scores(grey);
    case ClassicalDetector::shi_tomasi:
      return shi_tomasi_scores(grey);
  }
  return cv::Mat::zeros(grey.size(), CV_32F);
}

}  // namespace

bool have_classical_detectors() { return true; }

std::vector<ScoredPoint> classical_corners(ClassicalDetector detector, const Tensor& image) {
  if (image.dtype() != DType::f32 || image.rank() != 3 || image.dim(2) != 1)
    throw Error(name(detector), text("an image ", image), "f32 [height, width, 1]",
                "convert the image to grey floats");
  const int height = int(image.dim(0)), width = int(image.dim(1));
  const cv::Mat unit(height, width, CV_32F, const_cast<float*>(image.data<float>()));
  const cv::Mat scores = scores_of(detector, unit * 255);
  Tensor heat = Tensor::empty({1, height, width});
  std::memcpy(heat.raw(), scores.ptr<float>(), heat.bytes());
  BestPeaks best = empty_best_peaks(heat, most_corners);
  best_peaks(heat, {suppression_radius, 0, 0}, best);

  const float *point = best.point.data<float>(), *score = best.score.data<float>();
  std::vector<ScoredPoint> corners;
  for (int k = 0; k < best.count.item(); ++k)
    corners.push_back({point[2 * k], point[2 * k + 1], score[k]});
  return corners;
}

#else

bool have_classical_detectors() { return false; }

std::vector<ScoredPoint> classical_corners(ClassicalDetector detector, const Tensor&) {
  throw Error(name(detector), "this build has no OpenCV", "a build that found it",
              "install libopencv-dev and configure again; nothing else needs it");
}

#endif

}  // namespace cairn
