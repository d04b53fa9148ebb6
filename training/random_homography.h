#pragma once
// Random homographies for augmentation and pairs (DeTone et al., "SuperPoint", 2018, section 5 and
// the published sampler): the centred square of side r of the unit square is deformed, scaled,
// moved and turned, and the map from the square to its image is returned in pixels.
//
// Direction: the result maps OUTPUT (warped) pixels to INPUT pixels, as a warp by inverse mapping
// needs it. Points of the input move to the output by its inverse.
#include <array>

#include "geometry/homography.h"
#include "runtime/random.h"

namespace cairn {

struct HomographyRange {
  double scale = 0.2;           ///< twice the standard deviation of the scale about 1
  double perspective = 0.2;     ///< twice that of the corners' moves, unit square, x and y
  double patch_ratio = 0.85;    ///< r: the side of the square
  double max_angle = 1.57;      ///< radians; 25 angles equally spaced in [-max, max]
  bool allow_artefacts = true;  ///< may look outside of the input
  double overflow = 0;          ///< how far a translation may leave it, unit square
  bool zoom_patch = false;      ///< from the full square instead: shows the patch alone
  int erosion_margin = 3;       ///< pixels near the border of what was seen are not trusted

  static HomographyRange magicpoint();              ///< training on synthetic shapes
  static HomographyRange homographic_pair();        ///< detector on photos, joint training
  static HomographyRange homographic_adaptation();  ///< export of pseudo-labels
  static HomographyRange pair_benchmark();          ///< synthetic pairs of the evaluation
};

/// Four corners in the unit square: left top, left bottom, right bottom, right top.
struct UnitQuad {
  std::array<Point, 4> corners;

  static UnitQuad centred_square(double side);
  void deform(double left, double right, double vertical);  ///< perspective
  void scale(double s);                                     ///< about the centroid
  void move(double dx, double dy);
  void turn(double angle);  ///< (x, y) -> (x cos + y sin, -x sin + y cos) about the centroid
  bool inside() const;      ///< all corners in [0, 1]
};

/// The homography in pixels (h33 = 1) that sends one quad to the other.
Matrix3 homography_between(const UnitQuad& from, const UnitQuad& to, int height, int width);

/// One homography, output pixels to input pixels.
Matrix3 random_homography(const HomographyRange& range, int height, int width, Random& random);

}  // namespace cairn
