#pragma once
// photometric: grey values of training images changed in up to six ways, in an order of each
// image's own, clipped to 0..255 after each. What is drawn is the host's (training/photometric.h);
// only the numbers of single pixels are drawn here.
//
//   x        [M,H,W,1] u8, or of the type of y: images with values of 0..255
//   plan     [N,13] i32: a PhotometricPlan for each image of y
//   amounts  [N,107] f32 (f64 on cpu): a PhotometricAmounts for each
//   y        [N,H,W,1] f32 (f64 on cpu): image plan.source of x, changed, in 0..1
//
//   brightness  v + b
//   contrast    (v - m) c + m, m the image's mean
//   noise       v + sd z, z a normal deviate of the pixel's own
//   speckle     0 with probability s, 255 with the same
//   shade       v (1 - t g), g the union of the ellipses (0 or 1) under a Gaussian
//   motion      the mean along a line, weighted by a Gaussian
//
// Gaussians have 2 reach + 1 taps, exp(-k^2 / (2 sigma^2)) normalised; beyond the border they see
// the image mirrored (reflect101), so reach < H, W for both, and at most photometric_reach.
// A pixel's random number is its half word (half_words.h), the change is the stream.
//
// No gradient: images are data.
#include "kernels/augment/half_words.h"
#include "kernels/dispatch.h"

namespace cairn {

enum class PhotometricChange : int32_t {
  brightness,
  contrast,
  noise,
  speckle,
  shade,
  motion,
  none
};
inline constexpr int photometric_changes = 6, shade_ellipses = 20, photometric_reach = 127;

/// What is done to an image; by itself nothing.
struct PhotometricPlan {
  int32_t source = 0;
  PhotometricChange order[photometric_changes] = {PhotometricChange::none, PhotometricChange::none,
                                                  PhotometricChange::none, PhotometricChange::none,
                                                  PhotometricChange::none, PhotometricChange::none};
  int32_t key[2] = {};  ///< low and high word
  int32_t shade_reach = 0;
  int32_t motion_x = 0, motion_y = 0,
          motion_reach = 0;  ///< x is 0 or 1, y -1, 0 or 1: one step of the line
};

/// a dx^2 + b dx dy + c dy^2 <= 1 around (x, y), in pixels.
template <class T>
struct ShadeEllipse {
  T x, y, a, b, c;
  CAIRN_HD bool covers(T px, T py) const {
    const T dx = px - x, dy = py - y;
    return a * dx * dx + b * dx * dy + c * dy * dy <= 1;
  }
};

template <class T>
struct PhotometricAmounts {
  T brightness, contrast, noise, speckle, shade;  ///< b, c, sd, s and t above
  T shade_sigma, motion_sigma;                    ///< in pixels; in steps of the line
  ShadeEllipse<T> ellipses[shade_ellipses];
};

inline constexpr int64_t photometric_integers = sizeof(PhotometricPlan) / sizeof(int32_t);
inline constexpr int64_t photometric_reals = sizeof(PhotometricAmounts<float>) / sizeof(float);

/// Of 65,536 half words, how many make a pixel black; as many make it white.
template <class T>
CAIRN_HD inline uint32_t speckle_share(T s) {
  return uint32_t(s * 65536 + T(0.5));
}

CAIRN_ON_EACH_DEVICE(void photometric(const Tensor& x, const Tensor& plan, const Tensor& amounts,
                                      Tensor& y);)

inline void photometric(const Tensor& x, const Tensor& plan, const Tensor& amounts, Tensor& y) {
  CAIRN_DISPATCH(y.device(), photometric, x, plan, amounts, y);
}

}  // namespace cairn
