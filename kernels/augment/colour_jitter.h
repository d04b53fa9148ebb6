#pragma once
// colour_jitter: crops of photographs in other colours, behind opaque patches and under noise. What
// is drawn is the host's (training/keypoint_augmentation.h); only the noise of single elements is
// drawn here.
//
//   x        [N,H,W,C] u8, C = 1 or 3
//   plan     [N,4] i32: a JitterPlan for each image
//   amounts  [N,176] f32 (f64 on cpu): JitterAmounts for each
//   y        [N,H,W,C] f32 (f64 on cpu), in 0..1
//
//   v = clip(colour x + <pull, mean of x over the image> + added)   one affine map an image
//   v = a patch's texture where it covers the pixel; the last of them wins
//   v = clip(v + noise z), z a normal deviate of the element's own
//   y = v / 255, where clip is to 0..255
//
// A texture has 5 x 5 colours over its patch, bilinear in between. An element's random number is
// its half word (half_words.h) in stream 0.
//
// No gradient: images are data.
#include "kernels/augment/half_words.h"
#include "kernels/dispatch.h"

namespace cairn {

inline constexpr int jitter_patches = 2, texture_knots = 5;

enum class PatchShape : int32_t { none, rectangle, ellipse };

struct JitterPlan {
  int32_t key[2] = {};  ///< low and high word
  PatchShape patches[jitter_patches] = {PatchShape::none, PatchShape::none};
};

/// A place along a patch's own axes, -1..1 from edge to edge.
template <class T>
struct PatchPlace {
  T x, y;
  CAIRN_HD bool inside(PatchShape shape) const {
    if (shape == PatchShape::ellipse) return x * x + y * y <= 1;
    return shape == PatchShape::rectangle && x >= -1 && x <= 1 && y >= -1 && y <= 1;
  }
};

template <class T>
struct JitterPatch {
  T x, y, half_width, half_height;               ///< in pixels
  T cosine, sine;                                ///< of the angle that turns x towards y
  T colours[texture_knots * texture_knots * 3];  ///< [5,5,C], in 0..255

  CAIRN_HD PatchPlace<T> place(T px, T py) const {
    const T dx = px - x, dy = py - y;
    return {(cosine * dx + sine * dy) / half_width, (cosine * dy - sine * dx) / half_height};
  }
  /// Channel c of C at a place inside.
  CAIRN_HD T colour(const PatchPlace<T>& p, int c, int C) const {
    const T u = (p.x + 1) / 2 * (texture_knots - 1), v = (p.y + 1) / 2 * (texture_knots - 1);
    const int i = u < texture_knots - 2 ? int(u) : texture_knots - 2,
              j = v < texture_knots - 2 ? int(v) : texture_knots - 2;
    const T a = u - T(i), b = v - T(j);
    const T *row = colours + (j * texture_knots + i) * C + c, *below = row + texture_knots * C;
    return (1 - b) * ((1 - a) * row[0] + a * row[C]) + b * ((1 - a) * below[0] + a * below[C]);
  }
};

/// By itself nothing.
template <class T>
struct JitterAmounts {
  T colour[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};  ///< of one channel [0][0] alone
  T pull[3] = {}, added = 0;
  T noise = 0;  ///< standard deviation
  JitterPatch<T> patches[jitter_patches] = {};
};

inline constexpr int64_t jitter_integers = sizeof(JitterPlan) / sizeof(int32_t);
inline constexpr int64_t jitter_reals = sizeof(JitterAmounts<float>) / sizeof(float);

CAIRN_ON_EACH_DEVICE(void colour_jitter(const Tensor& x, const Tensor& plan, const Tensor& amounts,
                                        Tensor& y);)

inline void colour_jitter(const Tensor& x, const Tensor& plan, const Tensor& amounts, Tensor& y) {
  CAIRN_DISPATCH(y.device(), colour_jitter, x, plan, amounts, y);
}

}  // namespace cairn
