#pragma once
// What networks that discover landmarks answer with.
#include <vector>

#include "models/keypoints.h"
#include "runtime/tensor.h"

namespace cairn {

/// Points [N,K,2] in unit coordinates of images of height x width, as keypoints in their order. The
/// score of a point is the mean of its map under itself, sum_u m_u^2 / (sum_u m_u + 1e-6): the
/// higher, the more its map is in one place. Maps [N,h,w,C]; those after the first K are left out.
std::vector<Keypoints> landmark_keypoints(const Tensor& points, const Tensor& maps, int64_t height,
                                          int64_t width);

}  // namespace cairn
