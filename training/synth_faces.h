#pragma once
// Drawn frontal faces whose points are known exactly: what systems that discover landmarks by
// themselves are tried on. Position, scale, roll and yaw vary, and so do the proportions.
#include <vector>

#include "geometry/point.h"
#include "models/skeleton.h"
#include "runtime/tensor.h"

namespace cairn {

struct SynthFaceOptions {
  int size = 96;  ///< of the square image, in pixels
  uint64_t seed = 1;
};

struct SynthFace {
  Tensor image;               ///< u8 [size, size, 3]
  std::vector<Point> points;  ///< as synth_face_points()
};

/// The ten points: right and left eye, tip of the nose, right and left corner of the mouth (five
/// that evaluations use), chin, right and left brow, right and left contour. The person's right is
/// on the left of the image.
const Skeleton& synth_face_skeleton();

/// Face number `index` of the endless sequence: the same in any order, and at any size.
/// Throws a UsageError on a size below 16 or above 512.
SynthFace synth_face(const SynthFaceOptions& options, int64_t index);

/// Its points alone, in pixels; the chin may lie outside of the image. In image sides:
///
///   p = c + s R(roll) p', c = 1/2 + U(-.08, .08), s = U(.85, 1.15), roll = N(0, 10 degrees)
///   eyes (-+.13 U(.9, 1.1) q + h, -.10 + U(-.02, .02))   nose (1.5 h, .05 + U(-.02, .02))
///   mouth (-+.10 U(.8, 1.2) q + h, .19 + U(-.02, .02))   chin (.8 h, b)
///   brows .07 above the eyes                             contour (-+a, .02)
///
/// with the yaw psi = U(-.5, .5), which shifts by h = .1 psi and squeezes by q = 1 - |psi| / 4, and
/// a head of the half axes a = .30 U(.92, 1.08), b = .38 U(.92, 1.08). One draw for both sides. The
/// eyes are .244 apart in the mean.
std::vector<Point> synth_face_points(const SynthFaceOptions& options, int64_t index);

}  // namespace cairn
