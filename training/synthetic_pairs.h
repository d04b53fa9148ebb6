#pragma once
// Pairs of textures with a known homography: an endless benchmark that needs no data.
#include "geometry/homography.h"
#include "runtime/random.h"
#include "training/textures.h"

namespace cairn {

enum class PairLevel {
  easy,         ///< perspective 0.15, turned by up to 15 degrees, scaled by up to 1.2
  medium,       ///< 0.3, 30 degrees, 1.5
  hard,         ///< 0.5, 180 degrees, 2
  illumination  ///< the same view: gain, offset, gamma, a shadow, blur and noise
};
inline constexpr PairLevel pair_levels[] = {PairLevel::easy, PairLevel::medium, PairLevel::hard,
                                            PairLevel::illumination};
const char* name(PairLevel);

struct ImagePair {
  Tensor first, second;  ///< u8 [height, width, 1]
  Matrix3 first_to_second;
};

/// Pair number `index` of a level. The first image is a texture; both are drawn from the same
/// source of twice the resolution, which reaches half an image beyond the first on each side, so
/// that neither is interpolated twice.
ImagePair synthetic_pair(const TextureOptions& options, PairLevel level, int64_t index);

/// A map of first to second image: T(c) P R S T(t - c) about the centre c, with perspective
/// U[-p, p] / max(width, height) along x and y, an angle U[-A, A], a scale from 1/s to s uniform in
/// its logarithm, and a shift of up to a tenth of the image. At least half of the first image is
/// seen in the second. Throws an Error for PairLevel::illumination.
Matrix3 viewpoint_change(PairLevel level, int height, int width, Random& random);

/// value -> 255 (value / 255)^gamma gain + offset of a grey image with a soft shadow over it, then
/// blur (sigma U[0, 1.2]) and noise (standard deviation U[0, 12]); gain U[0.4, 1.8], offset
/// U[-60, 60], gamma exp U[-0.7, 0.7].
Tensor change_illumination(const Tensor& image, Random& random);

}  // namespace cairn
