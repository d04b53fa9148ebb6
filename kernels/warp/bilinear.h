#pragma once
// Bilinear interpolation along one axis, for host and device: which two pixels, with which weights,
// and how the weights change with the position.
#include <cmath>
#include <cstdint>

#include "runtime/host_device.h"

namespace cairn {

/// What lies outside of an image: zeros, or its nearest border pixel.
enum class Padding : unsigned char { zeros, border };

/// What a coordinate u means on an axis of `size` pixels; p is the pixel index, centres at
/// integers.
enum class Coordinates : unsigned char {
  index,       ///< p = u
  unit,        ///< p = u size - 1/2: 0..1 spans the image
  ndc,         ///< p = ((u+1) size - 1)/2: -1..1 spans the image (align_corners = false)
  ndc_corners  ///< p = (u+1)(size-1)/2: -1, 1 are corner pixels' centres (align_corners = true)
};

/// p = scale u + offset.
template <class T>
struct AxisMap {
  T scale, offset;

  CAIRN_HD AxisMap(Coordinates coordinates, int64_t size) : scale(1), offset(0) {
    if (coordinates == Coordinates::unit) {
      scale = T(size);
      offset = T(-0.5);
    } else if (coordinates == Coordinates::ndc) {
      scale = T(size) / 2;
      offset = (T(size) - 1) / 2;
    } else if (coordinates == Coordinates::ndc_corners) {
      scale = offset = (T(size) - 1) / 2;
    }
  }
  CAIRN_HD T operator()(T u) const { return scale * u + offset; }
};

/// Two neighbouring pixels: value = sum weight * I[at], derivative by the position = sum slope *
/// I[at]. A pixel that does not exist has weight and slope 0 and the place of one that does.
template <class T>
struct AxisTap {
  int64_t at[2];
  T weight[2], slope[2];
};

/// At position p of an axis of `size` >= 1 pixels. At and beyond the border the slope is 0 with
/// Padding::border. With Padding::zeros a NaN reads outside.
template <class T>
CAIRN_HD inline AxisTap<T> axis_tap(T p, int64_t size, Padding padding) {
  AxisTap<T> tap{{0, 0}, {0, 0}, {0, 0}};
  const T last = T(size - 1);
  const bool moves = padding == Padding::zeros || (p > 0 && p < last);
  if (padding == Padding::border) p = p > 0 ? (p < last ? p : last) : T(0);
  if (!(p > -1 && p < T(size))) return tap;
  const int64_t first = p < 0 ? -1 : int64_t(p);  // floor(p), which may be a call
  const T part = p - T(first);
  if (first >= 0) {
    tap.at[0] = tap.at[1] = first;
    tap.weight[0] = 1 - part;
    tap.slope[0] = moves ? T(-1) : T(0);
  }
  if (first + 1 < size) {
    tap.at[1] = first + 1;
    tap.weight[1] = part;
    tap.slope[1] = moves ? T(1) : T(0);
  }
  return tap;
}

}  // namespace cairn
