#pragma once
// Photometric augmentation: six changes of an image's grey values, each with random strength, in a
// random order, clipped to 0..255 after each (the published settings of SuperPoint's
// re-implementation by Pautrat). What is drawn here, kernels/augment/photometric.h applies on any
// device.
#include <cstdint>

#include "kernels/augment/photometric.h"
#include "runtime/random.h"
#include "runtime/tensor.h"

namespace cairn {

struct Photometric {
  double brightness = 75;                          ///< adds U[-b, b]
  double contrast_low = 0.3, contrast_high = 1.8;  ///< scales about the image's mean
  double noise = 15;                               ///< Gaussian, standard deviation U[0, n]
  double speckle = 0.0035;                         ///< share of black, and of white, pixels U[0, s]
  double shade_low = -0.5, shade_high = 0.8;       ///< transparency of 20 blurred ellipses
  int shade_side_low = 50, shade_side_high = 99;   ///< of the Gaussian that blurs them
  int motion_side = 7;                             ///< largest motion blur, pixels, odd

  static Photometric synthetic_shapes() { return {}; }
  static Photometric photos();       ///< training of the detector
  static Photometric photo_pairs();  ///< joint training of detector and descriptor
};

/// What becomes of one image; by itself nothing.
struct PhotometricDraw {
  PhotometricPlan plan;
  PhotometricAmounts<float> amounts = {};
};

/// Changes of an image of this size. Throws an Error where blurs reach beyond the mirror image
/// (half a side must stay below both sides of the image, and at most 127).
PhotometricDraw random_changes(const Photometric& range, int64_t height, int64_t width,
                               Random& random);

/// `image`, u8 or f32 [H,W,1] with values in 0..255, changed: f32 in 0..1. Throws an Error on
/// another type or shape.
Tensor augmented(const Tensor& image, const PhotometricDraw& draw);

/// Adds normal deviates from a table of 4096 quantiles (|z| <= 3.7); does not clip.
void add_noise(Tensor& image, double standard_deviation, Random& random);

}  // namespace cairn
