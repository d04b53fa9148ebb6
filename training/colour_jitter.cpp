#include "training/colour_jitter.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "runtime/error.h"

namespace cairn {
namespace {

using Colour3 = std::array<double, 3>;

// y = M x + offset.
struct AffineColour {
  std::array<std::array<double, 3>, 3> m{};
  double offset = 0;
};

template <int C>
Colour3 channel_means(const Tensor& image) {
  Colour3 sums{};
  const float* v = image.data<float>();
  for (int64_t i = 0; i < image.count(); i += C)
    for (int c = 0; c < C; ++c) sums[size_t(c)] += v[i + c];
  for (double& s : sums) s /= double(image.dim(0) * image.dim(1));
  return sums;
}

// Grey stays where it is; what is left of a colour turns about the axis r = g = b and is scaled.
void turn_chroma(AffineColour& map, double angle, double factor) {
  const double along = factor * std::cos(angle), across = factor * std::sin(angle) / std::sqrt(3.0);
  const auto m = map.m;
  for (size_t c = 0; c < 3; ++c) {
    const double grey = (m[0][c] + m[1][c] + m[2][c]) / 3;
    for (size_t i = 0; i < 3; ++i)
      map.m[i][c] =
          grey + along * (m[i][c] - grey) + across * (m[(i + 2) % 3][c] - m[(i + 1) % 3][c]);
  }
}

template <int C>
void change(Tensor& image, const ColourJitter& range, Random& random) {
  const auto around = [&](double centre, double reach) {
    return random.uniform(centre - reach, centre + reach);
  };
  AffineColour map;
  for (size_t c = 0; c < C; ++c) map.m[c][c] = around(1, range.gain);
  // All numbers are drawn whatever the image: grey and colour differ in nothing else.
  const double saturation = around(1, range.saturation);
  const double hue = around(0, range.hue) * (3.141592653589793 / 180);
  const double contrast = around(1, range.contrast), added = 255 * around(0, range.brightness);

  const Colour3 means = channel_means<C>(image);
  double mean = 0;
  for (size_t c = 0; c < C; ++c) mean += map.m[c][c] * means[c] / C;
  if (C == 3) turn_chroma(map, hue, saturation);
  for (auto& row : map.m)
    for (double& entry : row) entry *= contrast;
  map.offset = (1 - contrast) * mean + added;

  float m[C][C];
  for (size_t i = 0; i < C; ++i)
    for (size_t c = 0; c < C; ++c) m[i][c] = float(map.m[i][c]);
  const float offset = float(map.offset);
  float* v = image.data<float>();
  for (int64_t p = 0; p < image.count(); p += C) {
    float y[C];
    for (int i = 0; i < C; ++i) {
      y[i] = offset;
      for (int c = 0; c < C; ++c) y[i] += m[i][c] * v[p + c];
    }
    for (int i = 0; i < C; ++i) v[p + i] = std::min(std::max(y[i], 0.f), 255.f);
  }
}

}  // namespace

void jitter_colour(Tensor& image, const ColourJitter& range, Random& random) {
  const bool grey = image.rank() == 3 && image.dim(2) == 1;
  if (image.dtype() != DType::f32 || !(grey || (image.rank() == 3 && image.dim(2) == 3)))
    throw Error("jitter_colour", text("an image ", image),
                "f32 [height, width, 1 or 3], values in 0..255", "convert the image first");
  if (image.count() == 0) return;
  grey ? change<1>(image, range, random) : change<3>(image, range, random);
}

}  // namespace cairn
