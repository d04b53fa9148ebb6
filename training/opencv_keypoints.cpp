#include "training/opencv_keypoints.h"

#include "runtime/error.h"
#ifdef CAIRN_HAS_OPENCV
#include <algorithm>
#include <cmath>
#include <numeric>
#include <opencv2/features2d.hpp>
#include <opencv2/imgproc.hpp>

#include "training/suppression.h"
#endif

namespace cairn {

std::vector<std::string> opencv_methods() { return {"fast", "harris", "shi", "orb", "sift"}; }

void require_opencv(const std::string& method) {
  if (!have_opencv_methods())
    throw Error(method, "this build has no OpenCV", "a build that found it",
                "install libopencv-calib3d-dev and configure again; nothing else needs it");
}

#ifdef CAIRN_HAS_OPENCV

bool have_opencv_methods() { return true; }

namespace {

Keypoints by_falling_score(const Keypoints& points) {
  std::vector<size_t> order(points.points.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return points.scores[a] > points.scores[b]; });
  return chosen(points, order);
}

Keypoints positions(const std::vector<cv::KeyPoint>& found) {
  Keypoints k;
  for (const cv::KeyPoint& p : found) {
    k.points.push_back({p.pt.x, p.pt.y});
    k.scores.push_back(p.response);
  }
  return k;
}

Keypoints fast(const cv::Mat& grey) {
  std::vector<cv::KeyPoint> found;
  cv::FAST(grey, found, 10, true);
  return positions(found);
}

// Positive local maxima over 3x3 pixels.
Keypoints maxima(const cv::Mat& response) {
  cv::Mat largest;
  cv::dilate(response, largest, cv::Mat());
  Keypoints k;
  for (int y = 0; y < response.rows; ++y)
    for (int x = 0; x < response.cols; ++x)
      if (const float r = response.at<float>(y, x); r > 0 && r >= largest.at<float>(y, x)) {
        k.points.push_back({float(x), float(y)});
        k.scores.push_back(r);
      }
  return k;
}

Keypoints harris(const cv::Mat& unit) {
  cv::Mat response;
  cv::cornerHarris(unit, response, 4, 3, 0.04);
  return maxima(response);
}

Keypoints shi_tomasi(const cv::Mat& unit) {
  cv::Mat eigenvalue;
  cv::cornerMinEigenVal(unit, eigenvalue, 3, 3);
  return maxima(eigenvalue);
}

Keypoints orb(const cv::Mat& grey) {
  std::vector<cv::KeyPoint> found;
  cv::Mat bits;
  cv::ORB::create(10000)->detectAndCompute(grey, cv::noArray(), found, bits);
  Keypoints k = positions(found);
  k.descriptor_size = 256;
  for (int i = 0; i < bits.rows; ++i)
    for (int j = 0; j < k.descriptor_size; ++j)
      k.descriptors.push_back(bits.at<uint8_t>(i, j / 8) >> j % 8 & 1 ? 1 / 16.f : -1 / 16.f);
  return k;
}

Keypoints sift(const cv::Mat& grey) {
  std::vector<cv::KeyPoint> found;
  cv::Mat values;
  cv::SIFT::create(0, 3, 0.01)->detectAndCompute(grey, cv::noArray(), found, values);
  Keypoints k = positions(found);
  k.descriptor_size = 128;
  for (int i = 0; i < values.rows; ++i) {
    const float* v = values.ptr<float>(i);
    const float length = std::sqrt(std::inner_product(v, v + 128, v, 0.f));
    for (int j = 0; j < 128; ++j) k.descriptors.push_back(v[j] / std::max(length, 1e-12f));
  }
  return k;
}

}  // namespace

Keypoints opencv_keypoints(const std::string& method, const Tensor& image) {
  const cv::Mat grey(int(image.dim(0)), int(image.dim(1)), CV_8U,
                     const_cast<uint8_t*>(image.data<uint8_t>()));
  cv::Mat unit;
  grey.convertTo(unit, CV_32F, 1 / 255.0);
  if (method == "fast") return by_falling_score(fast(grey));
  if (method == "harris") return by_falling_score(harris(unit));
  if (method == "shi") return by_falling_score(shi_tomasi(unit));
  if (method == "orb") return by_falling_score(orb(grey));
  return by_falling_score(sift(grey));
}

#else

bool have_opencv_methods() { return false; }

Keypoints opencv_keypoints(const std::string& method, const Tensor&) {
  require_opencv(method);
  return {};
}

#endif

}  // namespace cairn
