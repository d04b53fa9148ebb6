#pragma once
// What conv2d and its transpose share on cuda and simt.
#include <string>

#include "kernels/conv/conv2d_sizes.h"

namespace cairn::CAIRN_NS {

/// conv2d_backward_data plus bias [C] unless null.
void convolve_back(const Tensor& dy, const Tensor& w, const Conv2dOptions& options,
                   const Tensor* bias, Tensor& dx);

/// w [O,kh,kw,C/groups] as [groups,C/groups,kh,kw,O/groups].
Tensor transposed_weights(const Tensor& w, const Conv2dSizes& s);

/// "conv2d f32 x[1,60,80,128] w[128,3,3,128] padding 1 bias relu": all that its time depends on.
std::string problem_name(const char* op, DType type, const Conv2dSizes& s, const Conv2dOptions& o,
                         const Epilogue& e, DType to);

/// out[c] = sum over all pixels of t[., c], t of any shape with C last.
void sum_pixels(const Tensor& t, Tensor& out);

}  // namespace cairn::CAIRN_NS
