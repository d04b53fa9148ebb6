#pragma once
// Random changes of a crop's pixels: one affine map of (r, g, b) per image, clipped once at the
// end; then patches and noise. What is drawn here, kernels/augment/colour_jitter.h applies on any
// device.
#include "kernels/augment/colour_jitter.h"
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

/// What becomes of one image; by itself nothing.
struct JitterDraw {
  JitterPlan plan;
  JitterAmounts<float> amounts;
};

/// Sets the affine map; of a grey image (one channel) neither saturation nor hue.
void draw_colours(const ColourJitter& range, int channels, Random& random, JitterDraw& draw);

/// `crop`, u8 [H,W,1 or 3], changed: f32 in 0..1. Throws an Error on another type or shape.
Tensor jittered(const Tensor& crop, const JitterDraw& draw);

}  // namespace cairn
