#pragma once
// sample_descriptors: unit descriptors at points, from the coarse map that a network puts out
// (SuperPoint, DeTone et al., CVPRW 2018, section 3.3). The same as l2_normalize of the map,
// grid_sample and l2_normalize of the samples, but only the vectors at the points are looked at.
//
//   map     [N,H,W,C]   f32 (f64 on cpu)
//   points  [N,K,2]     (x, y) in pixels of the image
//   grid    where pixel x lies in the map: u = scale_x x + offset_x, v = scale_y y + offset_y
//   y       [N,K,C]     s / max(|s|, eps), s the bilinear sample at (u, v) of map / max(|map|,
//                       eps); what lies outside of the map is 0
//
// Inference only: training normalises the whole map.
#include "kernels/dispatch.h"

namespace cairn {

struct DescriptorGrid {
  double scale_x, scale_y, offset_x, offset_y;
};

inline constexpr double descriptor_eps = 1e-12;  ///< the least length that is divided by

CAIRN_ON_EACH_DEVICE(void sample_descriptors(const Tensor& map, const Tensor& points,
                                             const DescriptorGrid& grid, Tensor& y);)

/// Writes y.
inline void sample_descriptors(const Tensor& map, const Tensor& points, const DescriptorGrid& grid,
                               Tensor& y) {
  CAIRN_DISPATCH(y.device(), sample_descriptors, map, points, grid, y);
}

}  // namespace cairn
