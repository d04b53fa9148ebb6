#pragma once
// Figures made of limbs whose joints are known exactly: training data for pose networks where no
// photographs are at hand. The sixteen joints of mpii_skeleton(); left and right limbs share their
// colours, so that only geometry tells them apart.
#include <vector>

#include "runtime/tensor.h"
#include "training/keypoint_dataset.h"

namespace cairn {

struct StickmanOptions {
  int size = 128;        ///< of the square image, in pixels
  double height = 0.70;  ///< of an upright figure, in image sides, before the scale below
  double scale_low = 0.75, scale_high = 1.25;
  double rotation = 30;     ///< degrees to either side
  double distractor = 0.3;  ///< how often a second figure stands behind, away from the centre
  double occluder = 0.3;    ///< how often one to three opaque patches lie over the figure
  uint64_t seed = 1;
};

struct Stickman {
  Tensor image;  ///< u8 [size, size, 3]
  /// The figure that the image is centred on, then the distractor, if there is one. A point is
  /// hidden where a patch, or for the distractor the other figure, lies over it; points may lie
  /// outside of the image. The box encloses all joints; the head's box is the drawn head's.
  std::vector<Instance> figures;
};

/// Image number `index` of the endless sequence: the same in any order. With `on_distractor` the
/// same scene is moved so that the distractor stands in the centre, and figures[1] is the one that
/// the image is centred on; scenes without one do not change.
/// Throws a UsageError on a size below 32 or above 1024.
Stickman stickman(const StickmanOptions& options, int64_t index, bool on_distractor = false);

}  // namespace cairn
