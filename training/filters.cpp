#include "training/filters.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"

namespace cairn {
namespace {

[[noreturn]] void refuse(const char* where, const std::string& wrong, const char* expected) {
  throw Error(where, wrong, expected, "choose a size that fits the image");
}

}  // namespace

double gaussian_sigma(int side) { return 0.3 * ((side - 1) / 2.0 - 1) + 0.8; }

std::vector<double> gaussian_kernel(int side) {
  const double sigma = gaussian_sigma(side), middle = (side - 1) / 2.0;
  std::vector<double> kernel(side);
  double sum = 0;
  for (int i = 0; i < side; ++i) {
    kernel[i] = std::exp(-(i - middle) * (i - middle) / (2 * sigma * sigma));
    sum += kernel[i];
  }
  for (double& w : kernel) w /= sum;
  return kernel;
}

GrayImage box_blur(const GrayImage& image, int side) {
  const int h = image.height, w = image.width, before = side / 2, after = side - 1 - before;
  if (side < 1 || side > std::min(h, w))
    refuse("box_blur", text("side ", side, " for an image of ", h, "x", w),
           "1 <= side <= the shorter side of the image");
  GrayImage out(h, w);
  std::vector<int32_t> columns(w, 0);  // sums over the window's rows
  for (int dy = -before; dy <= after; ++dy) {
    const uint8_t* row = image.row(reflect101(dy, h));
    for (int x = 0; x < w; ++x) columns[x] += row[x];
  }
  std::vector<int32_t> padded(w + side - 1);
  const double scale = 1.0 / (double(side) * side);
  std::vector<int32_t> sums(w);
  for (int y = 0; y < h; ++y) {
    for (int x = -before; x < w + after; ++x) padded[x + before] = columns[reflect101(x, w)];
    int32_t sum = 0;  // at most 255 * 960^2 < 2^31
    for (int i = 0; i < side - 1; ++i) sum += padded[i];
    for (int x = 0; x < w; ++x) {
      sum += padded[x + side - 1];
      sums[x] = sum;
      sum -= padded[x];
    }
    uint8_t* to = out.row(y);
    for (int x = 0; x < w; ++x) to[x] = uint8_t(int(sums[x] * scale + 0.5));
    const uint8_t* enters = image.row(reflect101(y + after + 1, h));
    const uint8_t* leaves = image.row(reflect101(y - before, h));
    for (int x = 0; x < w; ++x) columns[x] += int32_t(enters[x]) - int32_t(leaves[x]);
  }
  return out;
}

std::vector<float> gaussian_smoothed(const GrayImage& image, int side) {
  const int h = image.height, w = image.width, half = side / 2;
  if (side < 1 || side % 2 == 0 || half >= std::min(h, w))
    refuse("gaussian_blur", text("side ", side, " for an image of ", h, "x", w),
           "an odd side below twice the shorter side of the image");
  const std::vector<double> exact = gaussian_kernel(side);
  const std::vector<float> kernel(exact.begin(), exact.end());
  // sum = the centre tap, then pairs of taps at equal distance, which share a weight.
  std::vector<float> across(image.pixels.size()), padded(w + 2 * half), out(image.pixels.size());
  for (int y = 0; y < h; ++y) {
    for (int x = -half; x < w + half; ++x) padded[x + half] = image.row(y)[reflect101(x, w)];
    float* sum = across.data() + int64_t{y} * w;
    for (int x = 0; x < w; ++x) sum[x] = kernel[half] * padded[x + half];
    for (int i = 0; i < half; ++i) {
      const float weight = kernel[i];
      const float *a = padded.data() + i, *b = padded.data() + side - 1 - i;
      for (int x = 0; x < w; ++x) sum[x] += weight * (a[x] + b[x]);
    }
  }
  for (int y = 0; y < h; ++y) {
    const auto row = [&](int v) { return across.data() + int64_t{reflect101(v, h)} * w; };
    float* sum = out.data() + int64_t{y} * w;
    const float* centre = row(y);
    for (int x = 0; x < w; ++x) sum[x] = kernel[half] * centre[x];
    for (int i = 0; i < half; ++i) {
      const float weight = kernel[i];
      const float *a = row(y + i - half), *b = row(y + half - i);
      for (int x = 0; x < w; ++x) sum[x] += weight * (a[x] + b[x]);
    }
  }
  return out;
}

GrayImage gaussian_blur(const GrayImage& image, int side) {
  const std::vector<float> smooth = gaussian_smoothed(image, side);
  GrayImage out(image.height, image.width);
  for (size_t i = 0; i < smooth.size(); ++i)
    out.pixels[i] = uint8_t(std::min(255, int(smooth[i] + 0.5f)));
  return out;
}

GrayImage resize_bilinear(const GrayImage& image, int height, int width) {
  struct Tap {
    int low, high;
    double weight;  // of `high`
  };
  const auto taps = [](int from, int to) {
    std::vector<Tap> result(to);
    for (int i = 0; i < to; ++i) {
      const double p = std::clamp((i + 0.5) * from / to - 0.5, 0.0, from - 1.0);
      result[i] = {int(p), std::min(int(p) + 1, from - 1), p - int(p)};
    }
    return result;
  };
  const std::vector<Tap> xs = taps(image.width, width), ys = taps(image.height, height);
  GrayImage out(height, width);
  for (int y = 0; y < height; ++y) {
    const uint8_t *upper = image.row(ys[y].low), *lower = image.row(ys[y].high);
    for (int x = 0; x < width; ++x) {
      const Tap t = xs[x];
      const double a = upper[t.low] + t.weight * (upper[t.high] - upper[t.low]);
      const double b = lower[t.low] + t.weight * (lower[t.high] - lower[t.low]);
      out.row(y)[x] = uint8_t(a + ys[y].weight * (b - a) + 0.5);
    }
  }
  return out;
}

GrayImage resize_area(const GrayImage& image, int height, int width) {
  if (height > image.height || width > image.width)
    refuse("resize_area", text("from ", image.height, "x", image.width, " to ", height, "x", width),
           "an output no larger than the input");
  // Sums the part of each pixel that lies in [begin, end).
  const auto part = [](int i, double begin, double end) {
    return std::min(i + 1.0, end) - std::max(double(i), begin);
  };
  const double sx = double(image.width) / width, sy = double(image.height) / height;
  GrayImage out(height, width);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double left = x * sx, right = std::min(left + sx, double(image.width));
      const double top = y * sy, bottom = std::min(top + sy, double(image.height));
      double sum = 0;
      for (int v = int(top); v < bottom; ++v)
        for (int u = int(left); u < right; ++u)
          sum += image.row(v)[u] * part(u, left, right) * part(v, top, bottom);
      out.row(y)[x] = uint8_t(sum / ((right - left) * (bottom - top)) + 0.5);
    }
  }
  return out;
}

GrayImage blur_and_reduce(const GrayImage& image, int side, int factor) {
  const int h = image.height, w = image.width;
  if (factor < 2 || factor % 2 || h % factor || w % factor || side % 2 == 0 || side < 3 ||
      side > 63)
    refuse("blur_and_reduce", text("factor ", factor, ", side ", side, " for ", h, "x", w),
           "an even factor that divides both sides, an odd blur side from 3 to 63");
  // An output pixel is the mean of the two blurred pixels on each side of its centre: one kernel
  // of side + 1 symmetric taps around that centre. Pairs of taps share a 16-bit weight.
  const std::vector<double> kernel = gaussian_kernel(side);
  const int pairs = (side + 1) / 2, half = side / 2;
  std::vector<uint16_t> weights(pairs);
  for (int i = 0; i < pairs; ++i)  // the outermost pair first
    weights[i] = uint16_t(65536 * 0.5 * (kernel[i] + (i ? kernel[i - 1] : 0)) + 0.5);
  GrayImage out(h / factor, w / factor);
  const int pad = half + 1;
  std::vector<uint16_t> sum(w + 2 * pad);
  for (int y = 0; y < out.height; ++y) {
    const int top = y * factor + factor / 2 - 1 - half;  // the row of the first tap
    std::fill(sum.begin(), sum.end(), uint16_t{0});
    uint16_t* columns = sum.data() + pad;  // vertical sums in units of 1/128
    for (int i = 0; i < pairs; ++i) {
      const uint8_t* a = image.row(reflect101(top + i, h));
      const uint8_t* b = image.row(reflect101(top + side - i, h));
      const uint16_t weight = weights[i];
      for (int x = 0; x < w; ++x) {
        const uint16_t pair = uint16_t((a[x] + b[x]) << 7);
        columns[x] = uint16_t(columns[x] + uint16_t((uint32_t{pair} * weight) >> 16));
      }
    }
    for (int i = 1; i <= pad; ++i) {
      columns[-i] = columns[i];
      columns[w - 1 + i] = columns[w - 1 - i];
    }
    for (int x = 0; x < out.width; ++x) {
      const uint16_t* from = columns + x * factor + factor / 2 - 1 - half;
      uint32_t total = 0;
      for (int i = 0; i < pairs; ++i) total += weights[i] * uint32_t(from[i] + from[side - i]);
      // Each of the `pairs` products above lost half a unit on average.
      out.row(y)[x] = uint8_t(std::min<uint32_t>(255, ((total >> 16) + pairs / 2 + 64) >> 7));
    }
  }
  return out;
}

}  // namespace cairn
