#include "training/colour_jitter.h"

#include <array>
#include <cmath>
#include <cstring>

#include "runtime/error.h"

namespace cairn {
namespace {

// y = M x + offset.
using Matrix = std::array<std::array<double, 3>, 3>;

// Grey stays where it is; what is left of a colour turns about the axis r = g = b and is scaled.
Matrix with_turned_chroma(const Matrix& m, double angle, double factor) {
  const double along = factor * std::cos(angle), across = factor * std::sin(angle) / std::sqrt(3.0);
  Matrix turned;
  for (size_t c = 0; c < 3; ++c) {
    const double grey = (m[0][c] + m[1][c] + m[2][c]) / 3;
    for (size_t i = 0; i < 3; ++i)
      turned[i][c] =
          grey + along * (m[i][c] - grey) + across * (m[(i + 2) % 3][c] - m[(i + 1) % 3][c]);
  }
  return turned;
}

}  // namespace

void draw_colours(const ColourJitter& range, int channels, Random& random, JitterDraw& draw) {
  const auto around = [&](double centre, double reach) {
    return random.uniform(centre - reach, centre + reach);
  };
  const size_t C = size_t(channels);
  double gain[3];
  for (size_t c = 0; c < C; ++c) gain[c] = around(1, range.gain);
  // All numbers are drawn whatever the image: grey and colour differ in nothing else.
  const double saturation = around(1, range.saturation);
  const double hue = around(0, range.hue) * (3.141592653589793 / 180);
  const double contrast = around(1, range.contrast), added = 255 * around(0, range.brightness);

  Matrix m{};
  for (size_t c = 0; c < C; ++c) m[c][c] = gain[c];
  if (C == 3) m = with_turned_chroma(m, hue, saturation);
  for (size_t c = 0; c < C; ++c) {
    for (size_t i = 0; i < C; ++i) draw.amounts.colour[i][c] = float(contrast * m[i][c]);
    draw.amounts.pull[c] = float((1 - contrast) * gain[c] / double(C));  // towards the mean grey
  }
  draw.amounts.added = float(added);
}

Tensor jittered(const Tensor& crop, const JitterDraw& draw) {
  if (crop.dtype() != DType::u8 || crop.rank() != 3 || (crop.dim(2) != 1 && crop.dim(2) != 3))
    throw Error("jittered", text("a crop ", crop), "u8 [height, width, 1 or 3]",
                "convert the image first");
  const Shape one{1, crop.dim(0), crop.dim(1), crop.dim(2)};
  Tensor plan = Tensor::empty({1, jitter_integers}, DType::i32),
         amounts = Tensor::empty({1, jitter_reals}), changed = Tensor::empty(one);
  std::memcpy(plan.raw(), &draw.plan, plan.bytes());
  std::memcpy(amounts.raw(), &draw.amounts, amounts.bytes());
  colour_jitter(crop.reshape(one), plan, amounts, changed);
  return changed.reshape(crop.shape());
}

}  // namespace cairn
