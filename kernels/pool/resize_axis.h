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
  int64_t in, out, mul, add, den;

  ResizeAxis(int64_t in_, int64_t out_, Align align) : in(in_), out(out_) {
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

  /// Output o = (1 - weight) x[low] + weight x[high].
  struct Source {
    int64_t low, high;
    double weight;
  };
  CAIRN_HD Source source(int64_t o) const {
    int64_t at = o * mul + add;
    at = at < 0 ? 0 : at > (in - 1) * den ? (in - 1) * den : at;
    const int64_t low = at / den;
    return {low, low + 1 < in ? low + 1 : low, double(at - low * den) / double(den)};
  }

  /// Only the outputs first .. last read input i (and not all of them need to).
  struct Range {
    int64_t first, last;
  };
  CAIRN_HD Range readers(int64_t i) const {
    if (mul == 0) return {0, out - 1};
    // (i - 1) den < o mul + add < (i + 1) den, and beyond the ends of the axis what clamping adds
    const int64_t low = (i - 1) * den - add, high = (i + 1) * den - add;
    const int64_t first = low < 0 ? 0 : low / mul, last = high < 0 ? 0 : high / mul;
    return {i == 0 ? 0 : first, i == in - 1 || last > out - 1 ? out - 1 : last};
  }

  /// The share of input i in output o.
  CAIRN_HD double weight(int64_t o, int64_t i) const {
    const Source s = source(o);
    return (s.low == i ? 1 - s.weight : 0) + (s.high == i ? s.weight : 0);
  }
};

}  // namespace cairn
