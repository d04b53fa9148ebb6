#pragma once
// The picture of `cairn match`.
#include <optional>
#include <span>

#include "geometry/homography.h"
#include "training/draw.h"

namespace cairn {

struct MatchLine {
  Point from, to;  ///< in the pixels of either image
  bool inlier;
};

/// Two images, u8 [H,W,1] or [H,W,3], side by side; small ones are enlarged. Inliers are joined by
/// green lines, outliers by thin red ones beneath them; the outline of the first image as the
/// homography sees it is drawn into the second.
Tensor draw_matches(const Tensor& a, const Tensor& b, std::span<const MatchLine> lines,
                    const std::optional<Matrix3>& homography);

}  // namespace cairn
