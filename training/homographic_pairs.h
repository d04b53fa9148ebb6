#pragma once
// Pairs of an image and its copy seen through a known homography: what a detector and a descriptor
// are trained on together (DeTone et al., "SuperPoint", CVPRW 2018, section 6; order of operations
// and settings of the published re-implementation by Pautrat).
//
//   H        random, from pixels of the partner to pixels of the image
//   partner  image(H p), bilinear, 0 outside
//   valid    cells of the partner that show the image with all of their pixels and lie `margin`
//            pixels away from where it ends
//   labels   the image's points, moved by the inverse of H; those outside are dropped
//
// then both are changed photometrically, each in its own way.
//
// That zooms into a blur. Of an image that is there in L sizes, each twice the one before and with
// points found at that size, both sides are windows instead, and closer ones show new detail:
//
//   a, b     sides of the windows of image and partner over those of the whole, 2^u with u uniform
//            in [1 - L, 0]; the smaller window lies anywhere within the larger one
//   partner  seen through H within its window
//   pixels   and points of each side: of the size that is nearest to its own scale
#include <functional>
#include <vector>

#include "training/photometric.h"
#include "training/random_homography.h"
#include "training/synthetic_shapes.h"

namespace cairn {

struct HomographicPairs {
  HomographyRange homography = HomographyRange::homographic_pair();
  bool augment_photometric = true;
  Photometric photometric = Photometric::photo_pairs();
};

/// An image of the size of a pair, then, if more is known, of 2, 4 .. times its sides.
using ImageLevels = std::vector<LabelledImage>;

/// N images and their partners. Row n < N is image n, row N + n its partner.
struct PairBatch {
  Tensor image;       ///< f32 [2N, H, W, 1] in 0..1
  Tensor label;       ///< i32 [2N, H/8, W/8]: 0..63, or 64 where there is no point
  Tensor valid;       ///< u8 [2N, H/8, W/8]: 1 in all cells of the images
  Tensor homography;  ///< f32 [N, 9], row-major: a pixel of image n -> the same spot in its partner
};

/// The pair of one image (N = 1). Random numbers depend on seed and index alone. Throws an Error
/// unless both sides are multiples of 8.
PairBatch homographic_pair(const ImageLevels& from, const HomographicPairs& options, uint64_t seed,
                           int64_t index);

/// Image `index` of an endless sequence: the same in any order and on any thread.
using LabelledImages = std::function<ImageLevels(int64_t index)>;

/// Batch `number`: the pairs of images number * size .. (number + 1) * size - 1, all of one size.
PairBatch pair_batch(const LabelledImages& images, const HomographicPairs& options, uint64_t seed,
                     int size, int64_t number);

}  // namespace cairn
