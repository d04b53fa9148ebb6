#pragma once
// Images of simple shapes whose corners are known exactly: the training data of MagicPoint
// (DeTone et al., "SuperPoint", 2018; distributions of the published re-implementation by
// Pautrat). A canvas of 960x1280 is drawn without anti-aliasing, blurred and reduced.
//
// Labels are junctions, line ends and corners; ellipses and noise have none.
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "geometry/point.h"
#include "runtime/tensor.h"

namespace cairn {

enum class Primitive {
  lines,
  polygon,
  multiple_polygons,
  ellipses,
  star,
  checkerboard,
  stripes,
  cube,
  gaussian_noise
};
inline constexpr int primitive_count = 9;
const char* name(Primitive);

struct SyntheticShapes {
  int height = 120, width = 160;  ///< 120x160 (blur side 21) or 240x320 (11)

  /// How often each primitive is drawn, in the order of the enum.
  std::array<double, primitive_count> amounts{1, 1, 1, 0.3, 1, 1, 0.2, 1, 0.1};

  /// Scales labels as the published code does, x / 8, which puts them 0.44 px to the right and
  /// below of where the resized image shows the corner, (x + 1/2) / 8 - 1/2.
  bool compat_label_scale = false;
};

/// Of any image: thirty polygons of seven corners.
inline constexpr int most_shape_points = 210;

struct LabelledImage {
  Tensor image;               ///< u8 [height, width, 1]
  std::vector<Point> points;  ///< pixels; within the outer border, unless compat_label_scale
};

/// Image number `index` of the endless sequence `seed`: the same in any order and on any machine.
/// Throws an Error on a size other than the two above.
LabelledImage synthetic_shape(const SyntheticShapes& options, Primitive primitive, uint64_t seed,
                              int64_t index);

/// The same with a primitive drawn by `amounts`.
LabelledImage synthetic_shape(const SyntheticShapes& options, uint64_t seed, int64_t index);

}  // namespace cairn
