#pragma once
// Opaque patches in front of an object: a network that sees them learns what the rest of the object
// says about a point that is covered.
#include "geometry/point.h"
#include "training/colour_jitter.h"

namespace cairn {

struct Occluders {
  double probability = 0;                  ///< that an image has any
  int most = jitter_patches;               ///< 1 .. most, all counts alike
  double side_low = 0.1, side_high = 0.4;  ///< of each, as a share of the image's shorter side
  bool hide_points = true;  ///< points under them become hidden; else they stay as annotated
};

/// Draws the patches of a crop of this size: each of one colour, or of a texture of random colours
/// that blend into each other.
void draw_occluders(const Occluders& options, int64_t height, int64_t width, int channels,
                    Random& random, JitterDraw& draw);

/// Whether a patch lies over p.
bool is_covered(const JitterDraw& draw, Point p);

}  // namespace cairn
