#pragma once
// Labels of photographs that nobody labelled: the points of a detector's adapted heatmap (see
// models/superpoint/homographic_adaptation.h).
#include "models/image_detection.h"
#include "models/superpoint.h"
#include "models/superpoint/homographic_adaptation.h"
#include "training/random_homography.h"

namespace cairn {

struct PseudoLabelOptions {
  int homographies = 100;  ///< the identity among them
  HomographyRange range = HomographyRange::homographic_adaptation();
  AdaptationOptions adaptation;
  DetectOptions points{.top_k = 600};
};

/// The identity and `count` - 1 random homographies from view to image.
std::vector<Matrix3> adaptation_views(const HomographyRange& range, int count, int64_t height,
                                      int64_t width, Random& random);

/// How many views of this size go through a network at once. More make a CPU no faster, and a GPU
/// hardly; at about 512 bytes of activations a pixel these take 0.2 GB and 2 GB.
int64_t views_at_once(int64_t height, int64_t width, Device device);

/// Points of an image u8 [H,W,C] with sides that suit the network, best first, without descriptors.
/// `stream` numbers the image, so that its views do not depend on the other images.
Keypoints pseudo_labels(SuperPoint& model, const InferencePlace& place, const Tensor& image,
                        const PseudoLabelOptions& options, uint64_t stream);

}  // namespace cairn
