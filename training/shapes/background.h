#pragma once
// The smooth, blotchy grey behind the shapes: thresholded noise and 100 discs under a box blur of
// side 150 to 499.
//
// At full resolution that blur costs more than everything else together, and what it leaves is
// smooth: so it is evaluated at the centres of 8x8 blocks, from the means of the blocks, and
// interpolated linearly. Measured against the blur of every pixel, on real noisy canvases: at most
// 2 grey levels on the canvas; in the finished image at most 1, in 10 % of the pixels (rounding).
#include <vector>

#include "runtime/random.h"
#include "training/raster.h"

namespace cairn::shapes {

/// Means of the 8x8 blocks of an image, [height/8, width/8].
struct BlockMeans {
  int height = 0, width = 0;
  std::vector<float> values;

  explicit BlockMeans(const GrayImage& image);
};

/// box_blur(image, side) for side >= 64, from the means of the image's blocks.
GrayImage wide_box_blur(const BlockMeans& blocks, int side);

/// What the blur is given: the noise replaced by its mean, with the discs on it.
struct RoughBackground {
  int level = 0;  ///< mean of the noise, whose values are 0 and 255
  int side = 0;   ///< of the blur
  GrayImage image;

  explicit RoughBackground(Random& random);
};

/// The finished background; the noise is drawn per block, from the distribution of its mean.
GrayImage smooth_background(Random& random);

}  // namespace cairn::shapes
