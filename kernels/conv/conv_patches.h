#pragma once
// A convolution's tensors as patch matrices: what conv2d.cu multiplies.
#include <algorithm>
#include <numeric>

#include "kernels/conv/conv2d_sizes.h"
#include "kernels/gemm/tiled_product.h"

namespace cairn::CAIRN_NS {

/// A convolution that is a plain product of matrices.
inline bool pointwise(const Conv2dSizes& s, const Conv2dOptions& o) {
  return s.kh == 1 && s.kw == 1 && o.stride == 1 && o.padding == 0;
}

/// The patches of x that the outputs read; rows are the pixels of y, or run through its windows.
inline Patches input_patches(const Tensor& x, const Conv2dSizes& s, const Conv2dOptions& o,
                             bool windows) {
  if (pointwise(s, o) && !windows) {
    Patches p = matrix(x.raw(), s.Cg, s.C);
    p.group_stride = s.Cg;
    return p;
  }
  Patches p;
  p.data = x.raw();
  p.group_stride = s.Cg;
  p.pixel_stride = s.C;
  p.height = int(s.H);
  p.width = int(s.W);
  p.channels = Divisor(s.Cg);
  p.taps_width = Divisor(s.kw);
  p.windows = windows;
  p.grid_height = Divisor(std::max<int64_t>(windows ? s.Ho / 2 : s.Ho, 1));
  p.grid_width = Divisor(std::max<int64_t>(windows ? s.Wo / 2 : s.Wo, 1));
  p.stride = o.stride;
  p.offset_y = p.offset_x = -o.padding;
  p.step_y = p.step_x = o.dilation;
  return p;
}

/// One dimension of a phase of x's grid: the taps that reach the rows `phase`, phase + stride, ...,
/// every `step`th from `first`, and the row of dy that the first of them reads for the first row.
struct Phase {
  Phase(int64_t size, int64_t kernel, int64_t phase, const Conv2dOptions& o)
      : rows(size > phase ? (size - phase + o.stride - 1) / o.stride : 0),
        step(o.stride / std::gcd(o.stride, o.dilation)) {
    const auto meets = [&](int64_t u) {
      return (phase + o.padding - u * o.dilation) % o.stride == 0;
    };
    while (first < std::min<int64_t>(step, kernel) && !meets(first)) ++first;
    if (first < std::min<int64_t>(step, kernel)) taps = (kernel - first + step - 1) / step;
    offset = (phase + o.padding - first * o.dilation) / o.stride;
    dy_step = -(step * o.dilation / o.stride);
  }
  int64_t rows, step, first = 0, taps = 0, offset, dy_step;
};

inline Patches gradient_patches(const Tensor& dy, const Conv2dSizes& s, const Phase& v,
                                const Phase& h) {
  Patches p;
  p.data = dy.raw();
  p.group_stride = s.Og;
  p.pixel_stride = s.O;
  p.height = int(s.Ho);
  p.width = int(s.Wo);
  p.channels = Divisor(s.Og);
  p.taps_width = Divisor(std::max<int64_t>(h.taps, 1));
  p.grid_height = Divisor(v.rows);
  p.grid_width = Divisor(h.rows);
  p.offset_y = int(v.offset);
  p.offset_x = int(h.offset);
  p.step_y = int(v.dy_step);
  p.step_x = int(h.dy_step);
  return p;
}

/// Of weights transposed to [groups, Cg, kh, kw, Og]: the taps of a phase.
inline Patches weight_patches(const Tensor& transposed, const Conv2dSizes& s, const Phase& v,
                              const Phase& h) {
  Patches p;
  p.data = transposed.raw();
  p.group_stride = s.Cg * s.kh * s.kw * s.Og;
  p.pixel_stride = s.Og;
  p.height = int(s.kh);
  p.width = int(s.kw);
  p.channels = Divisor(s.Og);
  p.taps_width = Divisor(std::max<int64_t>(h.taps, 1));
  p.offset_y = int(v.first);
  p.offset_x = int(h.first);
  p.step_y = int(v.step);
  p.step_x = int(h.step);
  return p;
}

}  // namespace cairn::CAIRN_NS
