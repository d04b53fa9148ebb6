#pragma once
// From a map with one peak to the place of the peak, to a fraction of a cell.
//
//   argmax       the centre of the largest cell
//   quarter      a quarter of a cell further, on each axis towards the larger neighbour
//   dark         the top of the parabola through the logarithms of the blurred map: exact for a
//                Gaussian. Blur with the training sigma; with central differences g and H about the
//                largest cell, the step is -H^-1 g. Where H is not negative definite, the step
//                longer than a cell, or the cell one of the two outermost rings: as `quarter`
//   soft_argmax  the mean position of the 7 x 7 cells about the largest, weighted by their values
//
// Near an edge the blur and the 7 x 7 cells keep their symmetry and lose reach, since a window that
// is cut on one side pulls the point to the other.
// Source of dark: Zhang et al., "Distribution-Aware Coordinate Representation for Human Pose
// Estimation", CVPR 2020, equations 4 to 9.
#include <cstdint>
#include <string>
#include <vector>

namespace cairn {

enum class Decoder : uint8_t { dark, quarter, argmax, soft_argmax };

/// The names of the enumeration, in its order.
const std::vector<std::string>& decoder_names();

struct Peak {
  double x, y;  ///< in cells, integers are their centres
  float value;  ///< of the largest cell
};

/// `map` holds height x width cells, at least one; ties go to the first in reading order. `sigma`,
/// in cells, is the width that dark blurs with.
Peak find_peak(const float* map, int64_t height, int64_t width, Decoder decoder, double sigma);

}  // namespace cairn
