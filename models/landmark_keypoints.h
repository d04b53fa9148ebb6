#pragma once
// What networks that discover landmarks share: the warps that they learn from, and how they answer.
#include <vector>

#include "kernels/warp/warp_points.h"
#include "models/model.h"

namespace cairn {

/// Points [N,K,2] in unit coordinates of images of height x width, as keypoints in their order. The
/// score of a point is the mean of its map under itself, sum_u m_u^2 / (sum_u m_u + 1e-6): the
/// higher, the more its map is in one place. Maps [N,h,w,C]; those after the first K are left out.
std::vector<Keypoints> landmark_keypoints(const Tensor& points, const Tensor& maps, int64_t height,
                                          int64_t width);

/// What the losses of such networks read of a batch besides the image: a warp g of each image.
PointWarp warp_of(const Batch& batch);
/// One control point of weight 0, and a turn by about 20 degrees.
std::map<std::string, Model::InputSpec> warp_inputs(int64_t batch);

}  // namespace cairn
