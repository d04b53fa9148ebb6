#include "training/occluders.h"

#include <algorithm>
#include <cmath>

namespace cairn {
namespace {

// One colour where the texture is flat, else random ones on its grid.
void draw_texture(JitterPatch<float>& patch, int channels, Random& random) {
  const bool flat = random.uniform() < 0.5;
  for (int i = 0; i < texture_knots * texture_knots * channels; ++i)
    patch.colours[i] =
        flat && i >= channels ? patch.colours[i - channels] : float(random.uniform(0, 255));
}

PatchShape draw_patch(JitterPatch<float>& patch, int64_t height, int64_t width, const Occluders& o,
                      Random& random) {
  const double half = double(std::min(height, width)) / 2;
  patch.x = float(random.uniform(-0.5, double(width) - 0.5));
  patch.y = float(random.uniform(-0.5, double(height) - 0.5));
  patch.half_width = float(half * random.uniform(o.side_low, o.side_high));
  patch.half_height = float(half * random.uniform(o.side_low, o.side_high));
  const double angle = random.uniform(0, 3.141592653589793);
  patch.cosine = float(std::cos(angle));
  patch.sine = float(std::sin(angle));
  return random.uniform() < 0.5 ? PatchShape::ellipse : PatchShape::rectangle;
}

}  // namespace

void draw_occluders(const Occluders& options, int64_t height, int64_t width, int channels,
                    Random& random, JitterDraw& draw) {
  if (random.uniform() >= options.probability) return;
  const int count = random.integer(1, options.most);
  for (int i = 0; i < count; ++i) {
    JitterPatch<float>& patch = draw.amounts.patches[i];
    draw.plan.patches[i] = draw_patch(patch, height, width, options, random);
    draw_texture(patch, channels, random);
  }
}

bool is_covered(const JitterDraw& draw, Point p) {
  for (int i = 0; i < jitter_patches; ++i)
    if (draw.plan.patches[i] != PatchShape::none &&
        draw.amounts.patches[i].place(float(p.x), float(p.y)).inside(draw.plan.patches[i]))
      return true;
  return false;
}

}  // namespace cairn
