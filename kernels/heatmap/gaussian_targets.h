#pragma once
// gaussian_targets: the heatmaps that a supervised head learns, drawn from annotated points.
//
//   points   [N,M,K,2]: M instances of K points, (x, y) in heatmap cells, whose centres are
//            integers; f32 (f64 on cpu)
//   visible  [N,M,K] u8: 0 draws nothing (points may then hold anything), 1 is hidden
//   y        [N,H,W,K]: of the instances' a exp(-((j-x)^2 + (i-y)^2) / (2 sigma^2)), 0 outside of
//            the stamp, the one of largest magnitude (of equal ones the first), or the mean over
//            the instances whose stamps cover the cell; a = 1, or the amplitude of hidden points;
//            f32 (f64 on cpu)
//
// No gradient: these are targets. The published variants differ in centre, width and stamp:
//   the default here      exact centre, no stamp
//   pose-hg-train         rounded centre, sigma 1.75, half_width 3
//   stacked hourglass (2) truncated centre, sigma 1, half_width 4
//   3x3 stamp             rounded centre, sigma 0.75, half_width 1 (values 1, .41111, .16901)
#include <cmath>

#include "kernels/dispatch.h"
#include "runtime/host_device.h"

namespace cairn {

enum class TargetCentre : unsigned char { exact, rounded, truncated };
enum class TargetOverlap : unsigned char { max, mean };

struct TargetOptions {
  double sigma = 1.5;        ///< in cells
  double half_width = 1e30;  ///< of the square stamp about the centre, in cells
  TargetCentre centre = TargetCentre::exact;
  TargetOverlap overlap = TargetOverlap::max;
  double hidden = 1;  ///< amplitude of hidden points; -1 says so in the sign
};

template <class T>
CAIRN_HD inline T target_centre(TargetCentre rule, T u) {
  if (rule == TargetCentre::rounded) return std::floor(u + T(.5));
  if (rule == TargetCentre::truncated) return std::trunc(u);
  return u;
}

CAIRN_ON_EACH_DEVICE(void gaussian_targets(const Tensor& points, const Tensor& visible,
                                           const TargetOptions& options, Tensor& y);)

inline void gaussian_targets(const Tensor& points, const Tensor& visible,
                             const TargetOptions& options, Tensor& y) {
  CAIRN_DISPATCH(y.device(), gaussian_targets, points, visible, options, y);
}

}  // namespace cairn
