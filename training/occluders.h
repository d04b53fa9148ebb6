#pragma once
// Opaque patches in front of an object: a network that sees them learns what the rest of the object
// says about a point that is covered.
#include <vector>

#include "geometry/point.h"
#include "runtime/random.h"
#include "runtime/tensor.h"

namespace cairn {

struct Occluders {
  double probability = 0;                  ///< that an image has any
  int most = 2;                            ///< 1 .. most, all counts alike
  double side_low = 0.1, side_high = 0.4;  ///< of each, as a share of the image's shorter side
  bool hide_points = true;  ///< points under them become hidden; else they stay as annotated
};

/// One patch: a rectangle or an ellipse, turned.
struct Patch {
  Point centre;
  double half_width, half_height;
  double cosine, sine;  ///< of the angle that turns x towards y
  bool ellipse;

  /// p along the patch's own axes, -1..1 from edge to edge.
  Point inner(Point p) const;
  bool covers(Point p) const;
};

/// Draws patches over `image`, f32 [H,W,C] with values in 0..255: each of one colour, or of a
/// texture of random colours that blend into each other.
std::vector<Patch> add_occluders(Tensor& image, const Occluders& options, Random& random);

}  // namespace cairn
