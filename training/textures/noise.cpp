// Images of 1/f noise alone: plain, in steps (contours as on a map), or creased along its zeros.
#include <algorithm>
#include <cmath>

#include "training/textures/sheet.h"

namespace cairn::textures {

void draw_noise(Sheet& sheet) {
  Random& random = sheet.random;
  const int look = random.integer(0, 2), steps = random.integer(2, 6);
  std::vector<float> noise =
      fractal_noise(sheet.image.height, sheet.image.width, random.uniform(0.8, 1.6), random);
  const float dark = float(sheet.dark()), range = float(sheet.bright() - sheet.dark());
  for (size_t i = 0; i < noise.size(); ++i) {
    float v = noise[i];
    if (look == 1) v = 1.5f * std::floor(v * float(steps) / 2) / float(steps) * 2;
    if (look == 2) v = 3 * std::abs(v) - 2;
    // Three standard deviations to either side fill the range: contrast-stretched.
    sheet.image.pixels[i] = uint8_t(std::clamp(dark + range * (0.5f + v / 4), 0.f, 255.f));
  }
}

}  // namespace cairn::textures
