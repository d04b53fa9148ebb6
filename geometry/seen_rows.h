#pragma once
// Which pixels of a warped image show something of the input: in each row one run, because the
// input's outline stays convex. Computed on the host, exactly as a warp by nearest neighbour and an
// erosion would give it.
#include <cstdint>
#include <vector>

#include "geometry/homography.h"

namespace cairn {

/// The columns begin <= x < end of one row; begin = end = 0 when there are none.
struct RowSpan {
  int32_t begin = 0, end = 0;
};

/// For each row of an image of this size, seen through `output_to_input` from one of the same size:
/// the pixels in front of the horizon whose nearest input pixel exists, and so it does for all
/// pixels of the output under an elliptic element of side 2 margin, anchored as OpenCV does. The
/// frame of the output itself erodes nothing.
std::vector<RowSpan> seen_rows(const Matrix3& output_to_input, int64_t height, int64_t width,
                               int margin);

/// How far the element of side 2 margin reaches to the left in its row dy, -margin <= dy < margin;
/// to the right it reaches as far, but at most margin - 1.
int64_t element_reach(int margin, int dy);

}  // namespace cairn
