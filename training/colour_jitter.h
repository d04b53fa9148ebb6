#pragma once
// Random changes of colour: one affine map of (r, g, b) per image, clipped once at the end.
#include "runtime/random.h"
#include "runtime/tensor.h"

namespace cairn {

/// Each number is how far a quantity strays, drawn uniformly; 0 leaves it as it is. With grey = the
/// mean of r, g and b, in this order:
struct ColourJitter {
  double gain = 0;        ///< each channel times 1 +- gain by itself
  double saturation = 0;  ///< the distance from grey, times 1 +- saturation
  double hue = 0;         ///< turned about the axis of greys by +- hue degrees
  double contrast = 0;    ///< the distance from the image's mean grey, times 1 +- contrast
  double brightness = 0;  ///< +- brightness times 255 is added
};

/// Changes `image`, f32 [H,W,1] or [H,W,3] with values in 0..255; of a grey one neither saturation
/// nor hue. Throws an Error on another type or shape.
void jitter_colour(Tensor& image, const ColourJitter& range, Random& random);

}  // namespace cairn
