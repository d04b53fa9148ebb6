#include "training/occluders.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace cairn {
namespace {

constexpr int knots = 5;  // of a texture along each side of its patch

// Random colours on a grid over the patch, bilinear in between; one colour where the grid is flat.
struct Texture {
  std::vector<float> colours;  // [knots, knots, C]
  int64_t channels;

  Texture(int64_t channels_, Random& random)
      : colours(size_t(knots * knots * channels_)), channels(channels_) {
    const bool flat = random.uniform() < 0.5;
    for (size_t i = 0; i < colours.size(); ++i)
      colours[i] = flat && i >= size_t(channels) ? colours[i - size_t(channels)]
                                                 : float(random.uniform(0, 255));
  }

  void write(Point inner, float* pixel) const {
    const auto grid = [](double t) { return std::clamp((t + 1) / 2, 0.0, 1.0) * (knots - 1); };
    const double x = grid(inner.x), y = grid(inner.y);
    const int i = std::min(int(x), knots - 2), j = std::min(int(y), knots - 2);
    const float u = float(x - i), v = float(y - j);
    const float* row = &colours[size_t((j * knots + i) * channels)];
    const float* below = row + knots * channels;
    for (int64_t c = 0; c < channels; ++c)
      pixel[c] = (1 - v) * ((1 - u) * row[c] + u * row[c + channels]) +
                 v * ((1 - u) * below[c] + u * below[c + channels]);
  }
};

Patch random_patch(int64_t height, int64_t width, const Occluders& o, Random& random) {
  const double half = double(std::min(height, width)) / 2;
  Patch patch;
  patch.centre = {random.uniform(-0.5, double(width) - 0.5),
                  random.uniform(-0.5, double(height) - 0.5)};
  patch.half_width = half * random.uniform(o.side_low, o.side_high);
  patch.half_height = half * random.uniform(o.side_low, o.side_high);
  const double angle = random.uniform(0, 3.141592653589793);
  patch.cosine = std::cos(angle);
  patch.sine = std::sin(angle);
  patch.ellipse = random.uniform() < 0.5;
  return patch;
}

void paint(Tensor& image, const Patch& patch, const Texture& texture) {
  const int64_t height = image.dim(0), width = image.dim(1), C = image.dim(2);
  const double reach = std::hypot(patch.half_width, patch.half_height);
  const auto first = [&](double c) { return std::max<int64_t>(0, int64_t(std::ceil(c - reach))); };
  const auto last = [&](double c, int64_t n) {
    return std::min<int64_t>(n - 1, int64_t(std::floor(c + reach)));
  };
  for (int64_t y = first(patch.centre.y); y <= last(patch.centre.y, height); ++y)
    for (int64_t x = first(patch.centre.x); x <= last(patch.centre.x, width); ++x) {
      const Point p{double(x), double(y)};
      if (patch.covers(p)) texture.write(patch.inner(p), image.data<float>() + (y * width + x) * C);
    }
}

}  // namespace

Point Patch::inner(Point p) const {
  const Point d = p - centre;
  return {(cosine * d.x + sine * d.y) / half_width, (cosine * d.y - sine * d.x) / half_height};
}

bool Patch::covers(Point p) const {
  const Point q = inner(p);
  return ellipse ? q.x * q.x + q.y * q.y <= 1 : std::max(std::abs(q.x), std::abs(q.y)) <= 1;
}

std::vector<Patch> add_occluders(Tensor& image, const Occluders& options, Random& random) {
  std::vector<Patch> patches;
  if (random.uniform() >= options.probability) return patches;
  const int count = random.integer(1, options.most);
  for (int i = 0; i < count; ++i) {
    patches.push_back(random_patch(image.dim(0), image.dim(1), options, random));
    paint(image, patches.back(), Texture(image.dim(2), random));
  }
  return patches;
}

}  // namespace cairn
