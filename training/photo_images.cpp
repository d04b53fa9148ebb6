#include "training/photo_images.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "runtime/image.h"

namespace cairn {
namespace {

// Which pixels an output pixel is made of along one axis, and their weights, which sum to 1.
struct Taps {
  int64_t first;
  std::vector<float> weights;
};

std::vector<Taps> axis_taps(int64_t from, int64_t to, double scale) {
  const double margin = (double(from) - scale * double(to)) / 2, reach = std::max(scale, 1.0);
  std::vector<Taps> taps(static_cast<size_t>(to));
  for (int64_t i = 0; i < to; ++i) {
    const double centre = (double(i) + 0.5) * scale - 0.5 + margin;
    const int64_t low = std::max<int64_t>(0, int64_t(std::ceil(centre - reach)));
    const int64_t high = std::min<int64_t>(from - 1, int64_t(std::floor(centre + reach)));
    Taps& t = taps[size_t(i)];
    t.first = low;
    double sum = 0;
    for (int64_t j = t.first; j <= high; ++j) {
      const double weight = std::max(0.0, 1 - std::abs(double(j) - centre) / reach);
      t.weights.push_back(float(weight));
      sum += weight;
    }
    for (float& w : t.weights) w = float(w / sum);
  }
  return taps;
}

// Where windows of this length begin so that they cover `extent` evenly.
std::vector<int64_t> window_starts(int64_t extent, int64_t window) {
  const int64_t slack = extent - window, steps = (2 * slack + window - 1) / window;
  std::vector<int64_t> starts{0};
  for (int64_t i = 1; i <= steps; ++i) starts.push_back(slack * i / steps);
  return starts;
}

Tensor cut(const Tensor& image, int64_t top, int64_t left, int64_t height, int64_t width) {
  const int64_t W = image.dim(1), C = image.dim(2);
  Tensor out = Tensor::empty({height, width, C}, DType::u8);
  for (int64_t y = 0; y < height; ++y)
    std::copy_n(image.data<uint8_t>() + ((top + y) * W + left) * C, width * C,
                out.data<uint8_t>() + y * width * C);
  return out;
}

}  // namespace

Tensor fill_size(const Tensor& image, int64_t height, int64_t width) {
  const int64_t H = image.dim(0), W = image.dim(1), C = image.dim(2);
  if (H == height && W == width) return image;
  const double scale = std::min(double(W) / double(width), double(H) / double(height));
  const std::vector<Taps> columns = axis_taps(W, width, scale), rows = axis_taps(H, height, scale);

  // Along the rows of the image first, those alone that the result needs.
  const int64_t top = rows.front().first;
  const int64_t bottom = rows.back().first + int64_t(rows.back().weights.size());
  std::vector<float> narrow(size_t((bottom - top) * width * C));
  for (int64_t y = top; y < bottom; ++y) {
    const uint8_t* row = image.data<uint8_t>() + y * W * C;
    float* to = narrow.data() + (y - top) * width * C;
    for (const Taps& t : columns)
      for (int64_t c = 0; c < C; ++c) {
        float sum = 0;
        const uint8_t* from = row + t.first * C + c;
        for (size_t k = 0; k < t.weights.size(); ++k) sum += t.weights[k] * from[int64_t(k) * C];
        *to++ = sum;
      }
  }
  Tensor out = Tensor::empty({height, width, C}, DType::u8);
  std::vector<float> sums(size_t(width * C));
  for (int64_t y = 0; y < height; ++y) {
    const Taps& t = rows[size_t(y)];
    std::fill(sums.begin(), sums.end(), 0.5f);  // rounds
    for (size_t k = 0; k < t.weights.size(); ++k) {
      const float* from = narrow.data() + (t.first - top + int64_t(k)) * width * C;
      for (size_t x = 0; x < sums.size(); ++x) sums[x] += t.weights[k] * from[x];
    }
    uint8_t* to = out.data<uint8_t>() + y * width * C;
    for (size_t x = 0; x < sums.size(); ++x) to[x] = uint8_t(std::min(sums[x], 255.f));
  }
  return out;
}

std::vector<Tensor> photo_crops(const Tensor& image, int64_t height, int64_t width) {
  const int64_t H = image.dim(0), W = image.dim(1);
  const double largest = std::min(double(W) / double(width), double(H) / double(height));
  std::vector<Tensor> crops;
  for (double scale = largest; scale == largest || scale >= 1; scale /= 2) {
    const int64_t h = std::clamp<int64_t>(std::llround(scale * double(height)), 1, H);
    const int64_t w = std::clamp<int64_t>(std::llround(scale * double(width)), 1, W);
    for (int64_t top : window_starts(H, h))
      for (int64_t left : window_starts(W, w))
        crops.push_back(fill_size(cut(image, top, left, h, w), height, width));
  }
  return crops;
}

Tensor load_photo(const std::string& path, int64_t height, int64_t width, int channels) {
  return fill_size(read_image(path, channels), height, width);
}

}  // namespace cairn
