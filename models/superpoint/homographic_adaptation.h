#pragma once
// Homographic adaptation (DeTone et al., "SuperPoint", CVPRW 2018, section 5): the heatmap of an
// image, averaged over what a detector sees in it through many homographies,
//
//   F(I) = (1/N) sum over i of H_i^-1 f(H_i I),
//
// with counts of how many views saw each pixel. Pixels near the border of what a view shows are not
// trusted, because the black outside makes corners there: neither in the view nor when it is
// brought back.
#include <functional>
#include <vector>

#include "geometry/homography.h"
#include "kernels/warp/accumulate_warped.h"

namespace cairn {

/// Heatmaps [B,H,W], not negative, of images [B,H,W,C].
using HeatmapFunction = std::function<Tensor(const Tensor& images)>;

struct AdaptationOptions {
  Aggregation aggregation = Aggregation::sum;
  int least_count = 0;     ///< pixels seen by fewer views become 0
  int erosion_margin = 3;  ///< half the side of the elliptic element, in pixels
  int64_t batch = 8;       ///< views at a time; bounds the memory, the result is the same
};

/// The adapted heatmap [H,W] of `image` [1,H,W,C] f32, on its device. `views` lead from the pixels
/// of a view to those of the image; the first is the identity as a rule. Throws an Error when the
/// image has another shape, there is no view, a view is singular, or the batch is below 1.
Tensor homographic_adaptation(const HeatmapFunction& heatmap, const Tensor& image,
                              const std::vector<Matrix3>& views,
                              const AdaptationOptions& options = {});

}  // namespace cairn
