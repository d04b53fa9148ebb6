#include "training/synthetic_pairs.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#include "training/filters.h"
#include "training/homography_metrics.h"
#include "training/photometric.h"

namespace cairn {
namespace {

struct Range {
  double perspective, degrees, scale;
};

Range range(PairLevel level) {
  switch (level) {
    case PairLevel::easy:
      return {0.15, 15, 1.2};
    case PairLevel::medium:
      return {0.3, 30, 1.5};
    case PairLevel::hard:
      return {0.5, 180, 2};
    case PairLevel::illumination:
      break;
  }
  throw Error("viewpoint_change", "illumination pairs show one view", "easy, medium or hard",
              "ask for one of these levels");
}

// Whether no pixel of the first image comes near the horizon and half of them fall into the second.
bool useful(const Matrix3& h, int height, int width) {
  std::vector<Point> grid;
  for (int i = 0; i < 12; ++i)
    for (int j = 0; j < 16; ++j)
      grid.push_back({(j + 0.5) * width / 16 - 0.5, (i + 0.5) * height / 12 - 0.5});
  for (Point corner :
       {Point{0, 0}, {double(width), 0}, {0, double(height)}, {double(width), double(height)}})
    if (!(h(2, 0) * corner.x + h(2, 1) * corner.y + h(2, 2) > 0.1)) return false;
  return 2 * seen(grid, h, {height, width}).size() >= grid.size();
}

double bilinear(const GrayImage& image, double x, double y) {
  x = std::clamp(x, 0.0, image.width - 1.001);
  y = std::clamp(y, 0.0, image.height - 1.001);
  const int u = int(x), v = int(y);
  const uint8_t *a = image.row(v) + u, *b = image.row(v + 1) + u;
  const double upper = a[0] + (x - u) * (a[1] - a[0]), lower = b[0] + (x - u) * (b[1] - b[0]);
  return upper + (y - v) * (lower - upper);
}

// The side of the square of source pixels that an image pixel covers, where it is largest.
double reach(const Matrix3& to_source, int height, int width) {
  double most = 1;
  for (double y : {0.0, height / 2.0, height - 1.0})
    for (double x : {0.0, width / 2.0, width - 1.0}) {
      const Point p = apply(to_source, {x, y}), right = apply(to_source, {x + 1, y}),
                  below = apply(to_source, {x, y + 1});
      most = std::max({most, std::hypot(right.x - p.x, right.y - p.y),
                       std::hypot(below.x - p.x, below.y - p.y)});
    }
  return std::isfinite(most) ? most : 8;
}

// A pixel is the mean of a grid of samples, one per source pixel that it covers.
Tensor rendered(const GrayImage& source, const Matrix3& to_source, int height, int width) {
  const int n = std::min(8, int(std::ceil(reach(to_source, height, width) - 1e-9)));
  Tensor image = Tensor::empty({height, width, 1}, DType::u8);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      double sum = 0;
      for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) {
          const Point p = apply(to_source, {x + (j + 0.5) / n - 0.5, y + (i + 0.5) / n - 0.5});
          sum += std::isfinite(p.x) ? bilinear(source, p.x, p.y) : 0;
        }
      image.data<uint8_t>()[y * width + x] = uint8_t(sum / (n * n) + 0.5);
    }
  return image;
}

void cast_shadow(Tensor& image, Random& random) {
  const int height = int(image.dim(0)), width = int(image.dim(1)), side = std::min(height, width);
  GrayImage mask(height, width);
  const Point centre{random.uniform(0, width), random.uniform(0, height)};
  const double a = side * random.uniform(0.2, 0.6), b = side * random.uniform(0.2, 0.6);
  fill_ellipse(mask, centre, a, b, random.uniform(0, 3.14159265358979), 255);
  const std::vector<float> soft = gaussian_smoothed(mask, side / 8 | 1);
  const float depth = float(1 - random.uniform(0.4, 1));
  float* v = image.data<float>();
  for (size_t i = 0; i < soft.size(); ++i) v[i] *= 1 - depth * soft[i] / 255;
}

// Along x and then along y, the border repeated.
void blur(Tensor& image, double sigma) {
  if (sigma < 0.1) return;
  const int height = int(image.dim(0)), width = int(image.dim(1)), half = int(3 * sigma + 1);
  std::vector<float> weights(size_t(2 * half + 1));
  float sum = 0;
  for (int i = -half; i <= half; ++i)
    sum += weights[size_t(i + half)] = float(std::exp(-i * i / (2 * sigma * sigma)));
  for (const bool across : {true, false}) {
    const std::vector<float> from = image.values<float>();
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        float total = 0;
        for (int i = -half; i <= half; ++i) {
          const int u = across ? std::clamp(x + i, 0, width - 1) : x;
          const int v = across ? y : std::clamp(y + i, 0, height - 1);
          total += weights[size_t(i + half)] * from[size_t(v) * size_t(width) + size_t(u)];
        }
        image.data<float>()[y * width + x] = total / sum;
      }
  }
}

}  // namespace

const char* name(PairLevel level) {
  const char* names[] = {"easy", "medium", "hard", "illumination"};
  return names[int(level)];
}

Matrix3 viewpoint_change(PairLevel level, int height, int width, Random& random) {
  const Range r = range(level);
  const double cx = (width - 1) / 2.0, cy = (height - 1) / 2.0, side = std::max(height, width);
  for (;;) {
    Matrix3 perspective;
    perspective(2, 0) = random.uniform(-r.perspective, r.perspective) / side;
    perspective(2, 1) = random.uniform(-r.perspective, r.perspective) / side;
    const double angle = random.uniform(-r.degrees, r.degrees) * 3.14159265358979 / 180;
    const double s = std::exp(random.uniform(-1, 1) * std::log(r.scale));
    const double cosine = s * std::cos(angle), sine = s * std::sin(angle);
    const Matrix3 turn{{cosine, -sine, 0, sine, cosine, 0, 0, 0, 1}};
    const double dx = random.uniform(-0.1, 0.1) * width, dy = random.uniform(-0.1, 0.1) * height;
    const Matrix3 h = translation(cx, cy) * perspective * turn * translation(dx - cx, dy - cy);
    if (useful(h, height, width)) return with_unit_corner(h);
  }
}

Tensor change_illumination(const Tensor& image, Random& random) {
  Tensor changed = image.to(DType::f32);
  cast_shadow(changed, random);
  const float gain = float(random.uniform(0.4, 1.8)), offset = float(random.uniform(-60, 60)),
              gamma = float(std::exp(random.uniform(-0.7, 0.7)));
  float* v = changed.data<float>();
  for (int64_t i = 0; i < changed.count(); ++i)
    v[i] = 255 * std::pow(v[i] / 255, gamma) * gain + offset;
  blur(changed, random.uniform(0, 1.2));
  add_noise(changed, random.uniform(0, 12), random);
  for (int64_t i = 0; i < changed.count(); ++i) v[i] = std::clamp(v[i], 0.f, 255.f);
  return changed.to(DType::u8);
}

ImagePair synthetic_pair(const TextureOptions& options, PairLevel level, int64_t index) {
  Random random(options.seed, uint64_t(index), (uint64_t{161} + uint64_t(level)) << 40);
  if (level == PairLevel::illumination) {
    const Tensor image = texture(options, index);
    return {image, change_illumination(image, random), {}};
  }
  const int height = options.height, width = options.width;
  const GrayImage source = texture_source({2 * height, 2 * width, options.seed}, index);
  const Matrix3 to_source = resizing(2, 2) * translation(width / 2, height / 2);
  const Matrix3 h = viewpoint_change(level, height, width, random);
  return {rendered(source, to_source, height, width),
          rendered(source, to_source * inverse(h), height, width), h};
}

}  // namespace cairn
