#pragma once
// Where the pixels of a resized axis come from, in exact rational numbers: output o lies at input
// coordinate (o mul + add) / den, clamped to 0 .. in - 1.
#include <cstdint>

#include "runtime/host_device.h"

namespace cairn {

/// What stays in place when an image is resized.
enum class Align {
  edges,    ///< the image's edges: p -> (p + 0.5) in/out - 0.5 (PyTorch's align_corners=False)
  corners,  ///< the centres of the corner pixels: p -> p (in - 1)/(out - 1) (align_corners=True)
};

struct ResizeAxis {
  int in, out, mul, add, den;

  static constexpr int64_t most = 16384;  ///< longer axes would overflow the products

  ResizeAxis(int64_t in_, int64_t out_, Align align) : in(int(in_)), out(int(out_)) {
    if (align == Align::edges) {
      mul = 2 * in;
      add = in - out;
      den = 2 * out;
    } else {
      mul = in - 1;
      add = 0;
      den = out > 1 ? out - 1 : 1;
    }
  }

  /// Output o's coordinate times den.
  CAIRN_HD int numerator(int o) const {
    const int at = o * mul + add, end = (in - 1) * den;
    return at < 0 ? 0 : at > end ? end : at;
  }

  /// Output o = (1 - weight) x[low] + weight x[high].
  template <class T>
  struct Source {
    int low, high;
    T weight;
  };
  template <class T>
  CAIRN_HD Source<T> source(int o) const {
    const int at = numerator(o), low = at / den;
    return {low, low + 1 < in ? low + 1 : low, T(at - low * den) / T(den)};
  }

  /// No output outside of first .. last reads input i; a few inside may not either.
  struct Range {
    int first, last;
  };
  CAIRN_HD Range readers(int i) const {
    if (mul == 0) return {0, out - 1};
    // (i - 1) den < o mul + add < (i + 1) den, and at the ends what clamping adds
    const int low = (i - 1) * den - add, high = (i + 1) * den - add;
    const int first = low < 0 ? 0 : low / mul, last = high < 0 ? 0 : high / mul;
    return {i == 0 ? 0 : first, i == in - 1 || last > out - 1 ? out - 1 : last};
  }

  /// The share of input i in output o.
  template <class T>
  CAIRN_HD T weight(int o, int i) const {
    const int off = numerator(o) - i * den, apart = off < 0 ? -off : off;
    return apart < den ? T(den - apart) / T(den) : T(0);
  }
};

}  // namespace cairn
