#include "training/photometric.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "runtime/error.h"
#include "training/filters.h"
#include "training/raster.h"

namespace cairn {
namespace {

std::span<float> values(Tensor& image) { return {image.data<float>(), size_t(image.count())}; }

void clip(Tensor& image) {
  for (float& v : values(image)) v = std::min(std::max(v, 0.f), 255.f);
}

// The quantiles of the normal distribution at the middles of 4096 equal parts of [0, 1].
std::array<float, 4096> normal_quantiles() {
  constexpr int n = 4096;
  std::array<double, n> z{};
  double square = 0;
  for (int i = 0; i < n / 2; ++i) {
    const double p = (i + 0.5) / n;
    double low = -8, high = 0;
    for (int step = 0; step < 60; ++step) {
      const double middle = (low + high) / 2;
      (std::erfc(-middle / std::sqrt(2.0)) / 2 < p ? low : high) = middle;
    }
    z[i] = low;
    z[n - 1 - i] = -low;
    square += 2 * low * low;
  }
  std::array<float, n> result;
  for (int i = 0; i < n; ++i) result[i] = float(z[i] / std::sqrt(square / n));
  return result;
}

}  // namespace

Photometric Photometric::photos() {
  Photometric p;
  p.brightness = 50;
  p.contrast_high = 1.5;
  p.noise = 10;
  p.shade_high = 0.5;
  p.shade_side_low = 100;
  p.shade_side_high = 149;
  p.motion_side = 3;
  return p;
}

Photometric Photometric::photo_pairs() {
  Photometric p = photos();
  p.contrast_low = 0.5;
  return p;
}

namespace photometric {

void contrast(Tensor& image, double factor) {
  double sum = 0;
  for (float v : values(image)) sum += v;
  const float mean = float(sum / double(image.count())), f = float(factor);
  for (float& v : values(image)) v = (v - mean) * f + mean;
}

void add_noise(Tensor& image, double standard_deviation, Random& random) {
  static const std::array<float, 4096> quantiles = normal_quantiles();
  const float sd = float(standard_deviation);
  const std::span<float> v = values(image);
  size_t i = 0;
  for (; i + 1 < v.size(); i += 2) {
    const uint32_t bits = random.bits();
    v[i] += sd * quantiles[bits & 4095];
    v[i + 1] += sd * quantiles[bits >> 20];
  }
  if (i < v.size()) v[i] += sd * quantiles[random.bits() & 4095];
}

void speckle(Tensor& image, double share, Random& random) {
  if (share <= 0) return;
  const std::span<float> v = values(image);
  // The gap to the next speckle is geometric: one draw per speckle instead of one per pixel.
  const double scale = 1 / std::log1p(-2 * std::min(share, 0.499));
  double i = -1;
  for (;;) {
    i += 1 + std::floor(std::log(1 - random.uniform()) * scale);
    if (i >= double(v.size())) return;
    v[size_t(i)] = random.bits() & 1 ? 255.f : 0.f;
  }
}

void shade(Tensor& image, double transparency, int side, Random& random) {
  const int h = int(image.dim(0)), w = int(image.dim(1));
  const double quarter = std::min(h, w) / 4.0;
  GrayImage mask(h, w);
  for (int i = 0; i < 20; ++i) {
    const auto semi_axis = [&] {
      return std::max(1.0, std::trunc(std::max(random.uniform() * quarter, quarter / 5)));
    };
    const double semi_x = semi_axis(), semi_y = semi_axis();
    const int reach = int(std::max(semi_x, semi_y));
    const double x = random.integer(reach, w - reach - 1), y = random.integer(reach, h - reach - 1);
    fill_ellipse(mask, {x, y}, semi_x, semi_y, random.uniform() * 1.5707963267948966, 255);
  }
  const std::vector<float> smooth = gaussian_smoothed(mask, side | 1);  // an even side: one more
  const std::span<float> v = values(image);
  const float scale = float(transparency / 255);
  for (size_t i = 0; i < v.size(); ++i) v[i] *= 1 - scale * smooth[i];
}

void blur_motion(Tensor& image, Motion direction, int side) {
  const int h = int(image.dim(0)), w = int(image.dim(1)), half = side / 2;
  const int dx = direction == Motion::vertical ? 0 : 1;
  const int dy = direction == Motion::horizontal ? 0 : direction == Motion::rising ? -1 : 1;
  std::vector<float> weights(side);
  float sum = 0;
  for (int i = 0; i < side; ++i) {
    const double d = (i - half) * (i - half) * (dx + dy * dy);
    sum += weights[i] = float(std::exp(-d / (2 * side * side / 16.0)));
  }
  const int stride = w + 2 * half;
  std::vector<float> padded(size_t(h + 2 * half) * stride);
  float* v = image.data<float>();
  for (int y = -half; y < h + half; ++y)
    for (int x = -half; x < w + half; ++x)
      padded[(y + half) * stride + x + half] = v[reflect101(y, h) * w + reflect101(x, w)];
  std::fill(v, v + image.count(), 0.f);
  for (int y = 0; y < h; ++y)
    for (int i = 0; i < side; ++i) {
      const int k = i - half;
      const float weight = weights[i] / sum;
      const float* from = padded.data() + (y + half + k * dy) * stride + half + k * dx;
      for (int x = 0; x < w; ++x) v[y * w + x] += weight * from[x];
    }
}

}  // namespace photometric

void augment(Tensor& image, const Photometric& range, Random& random) {
  using namespace photometric;
  if (image.dtype() != DType::f32 || image.rank() != 3 || image.dim(2) != 1)
    throw Error("augment", text("an image ", image), "f32 [height, width, 1], values in 0..255",
                "convert the image first");
  int order[6] = {0, 1, 2, 3, 4, 5};
  for (int i = 5; i > 0; --i) std::swap(order[i], order[random.integer(0, i)]);
  for (int change : order) {
    switch (change) {
      case 0: {
        const float delta = float(random.uniform(-range.brightness, range.brightness));
        for (float& v : values(image)) v += delta;
        break;
      }
      case 1:
        contrast(image, random.uniform(range.contrast_low, range.contrast_high));
        break;
      case 2:
        add_noise(image, random.uniform(0, range.noise), random);
        break;
      case 3:
        speckle(image, random.uniform(0, range.speckle), random);
        break;
      case 4: {
        const double transparency = random.uniform(range.shade_low, range.shade_high);
        const int side = random.integer(range.shade_side_low, range.shade_side_high);
        shade(image, transparency, side, random);
        break;
      }
      case 5: {
        const Motion direction = Motion(random.integer(0, 3));
        blur_motion(image, direction, 2 * random.integer(0, (range.motion_side - 1) / 2) + 1);
        break;
      }
    }
    clip(image);
  }
}

}  // namespace cairn
