#pragma once
// The sizes of a convolution, by the names of conv2d.h.
#include "kernels/conv/conv2d.h"

namespace cairn {

struct Conv2dSizes {
  Conv2dSizes(const Tensor& x, const Tensor& w, const Conv2dOptions& o)
      : N(x.dim(0)),
        H(x.dim(1)),
        W(x.dim(2)),
        C(x.dim(3)),
        O(w.dim(0)),
        kh(w.dim(1)),
        kw(w.dim(2)),
        Cg(w.dim(3)),
        Og(O / o.groups),
        Ho(conv2d_output_size(H, kh, o)),
        Wo(conv2d_output_size(W, kw, o)) {}
  int64_t N, H, W, C, O, kh, kw;
  int64_t Cg, Og;  ///< per group
  int64_t Ho, Wo;
};

}  // namespace cairn
