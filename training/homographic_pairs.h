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
//
// The host draws numbers; the device that learns changes the images and renders the labels, and
// warps those that it keeps (others are cut on the host).
#include <functional>
#include <vector>

#include "models/model.h"
#include "training/image_cache.h"
#include "training/photometric.h"
#include "training/random_homography.h"
#include "training/synthetic_shapes.h"

namespace cairn {

struct HomographicPairs {
  HomographyRange homography = HomographyRange::homographic_pair();
  bool augment_photometric = true;
  Photometric photometric = Photometric::photo_pairs();
};

struct ImageLevels {
  /// u8, of the size of a pair, then, if more is known, of 2, 4 .. times its sides.
  std::vector<LabelledImage> levels;
  int64_t kept = -1;  ///< the place of the first in a cache, the others behind it; -1: in none
};

/// What pairs are made of: an endless sequence of images.
struct PairImages {
  int64_t height, width;                         ///< of level 0: multiples of 8
  int64_t most_points;                           ///< of a level
  std::function<ImageLevels(int64_t index)> at;  ///< the same in any order and on any thread
};

/// N images and their partners. Row n < N is image n, row N + n its partner.
struct PairBatch {
  Tensor image;       ///< f32 [2N, H, W, 1] in 0..1
  Tensor label;       ///< i32 [2N, H/8, W/8]: 0..63, or 64 where there is no point
  Tensor valid;       ///< u8 [2N, H/8, W/8]: 1 in all cells of the images
  Tensor homography;  ///< f32 [N, 9], row-major: a pixel of image n -> the same spot in its partner
};

/// What the host draws of batch `number`, the pairs of images number * size ..
/// (number + 1) * size - 1, which depend on the seed and their image's index alone:
///   empty_detector_rows()  of 2N rows, filled (training/detector_rows.h)
///   homography     as in a PairBatch
///   crop           u8 [2N,H,W,1], the sides before they are changed; or, with a cache, `sources`
///                  and `maps` of the same (kernels/warp/crop_images.h) and, if it has guests,
///                  `guests`: the images that are in no cache
/// Throws an Error unless both sides are multiples of 8.
Batch draw_pair_batch(const PairImages& images, const HomographicPairs& options, uint64_t seed,
                      int size, int64_t number, const ImageCache* cache);

/// Launches alone, on the device of `drawn` and of the cache that it was drawn for, if any.
PairBatch rendered_pairs(const Batch& drawn, ImageCache* cache);

}  // namespace cairn
