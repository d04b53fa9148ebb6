#pragma once
// Photometric augmentation: six changes of an image's grey values, each with random strength, in a
// random order, clipped to 0..255 after each (the published settings of SuperPoint's
// re-implementation by Pautrat).
#include <cstdint>

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

/// Changes `image`, f32 [H, W, 1] with values in 0..255. Throws an Error on another type or shape.
void augment(Tensor& image, const Photometric& range, Random& random);

/// The single changes; none of them clips.
namespace photometric {

void contrast(Tensor& image, double factor);
/// Normal deviates from a table of 4096 quantiles (|z| <= 3.7), rescaled to unit variance.
void add_noise(Tensor& image, double standard_deviation, Random& random);
/// Each pixel becomes 0 with probability `share`, 255 with the same.
void speckle(Tensor& image, double share, Random& random);
/// image *= 1 - transparency * mask, with a mask of 20 filled ellipses under a Gaussian.
void shade(Tensor& image, double transparency, int side, Random& random);

enum class Motion { horizontal, vertical, falling, rising };
/// A line of `side` (odd) pixels, weighted by a Gaussian of standard deviation side / 4.
void blur_motion(Tensor& image, Motion direction, int side);

}  // namespace photometric
}  // namespace cairn
