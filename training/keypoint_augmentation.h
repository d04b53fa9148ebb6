#pragma once
// Training samples from annotated images: one matrix changes the image, its points and its boxes.
//
//   A = T(middle of the crop) S(s) R(phi) F T(-c)        (geometry/crop_frame.h)
//
// Drawn in this order: mirror image F (left and right points exchanged), scale, rotation,
// translation, colour, occluders, noise. Pixels are cropped here, and change where they are learned
// from. Sample i of a run draws from Random(seed, i), so it is the same whatever the number of
// workers.
#include <span>
#include <vector>

#include "models/image_crop.h"
#include "runtime/random.h"
#include "training/colour_jitter.h"
#include "training/keypoint_dataset.h"
#include "training/occluders.h"

namespace cairn {

/// The defaults change geometry alone, as stacked hourglasses are trained.
struct KeypointAugmentation {
  double flip = 0.5;                           ///< probability
  double scale_low = 0.75, scale_high = 1.25;  ///< uniform; times the frame's own
  double rotation = 30;                        ///< degrees, uniform in +- rotation
  double translation = 0;  ///< share of the crop's sides, uniform in +- translation
  ColourJitter colour;
  Occluders occluders;
  double noise = 0;  ///< Gaussian, standard deviation U[0, noise] of 255

  static KeypointAugmentation none();  ///< the frame as it is: for validation
};

struct KeypointSample {
  JitterDraw jitter;                ///< what becomes of the pixels that to_crop shows
  std::vector<Instance> instances;  ///< in crop pixels; those given, in their order
  Matrix3 to_crop;                  ///< from image to crop pixels
  bool mirrored = false;
};

/// `frame`, as frame_of() makes it, says what is seen without change of an image with so many
/// channels. Throws an Error on a mirror image where `swap` (Skeleton::swap) and the instances'
/// points differ in number.
KeypointSample augmented(int64_t channels, std::span<const Instance> instances,
                         const std::vector<int>& swap, const CropFrame& frame, int64_t height,
                         int64_t width, const KeypointAugmentation& options, Random random);

/// An instance seen through an affine map: points exactly, boxes as the enclosing box of their
/// corners, the area by the square of the scale. Missing points stay as they are.
Instance transformed(const Instance& instance, const Matrix3& to_crop);
/// The points of a mirror image: each takes the place of its partner.
void exchange_sides(Instance& instance, const std::vector<int>& swap);

/// For losses that need their points in the map: those that lie outside of a crop of this size
/// become missing. They keep their coordinates.
void drop_points_outside(std::vector<Instance>& instances, int64_t height, int64_t width);

/// Predictions in crop pixels as points of the image.
std::vector<ScoredPoint> in_image(std::span<const ScoredPoint> points, const Matrix3& to_crop);

}  // namespace cairn
