#pragma once
// The convolution of kernels/conv/conv2d.h and its epilogue in float64, as plain loops.
#include <cmath>

#include "kernels/conv/conv2d.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {

inline double activated(double z, Activation act, double slope) {
  switch (act) {
    case Activation::none:
      return z;
    case Activation::relu:
      return std::fmax(z, 0);
    case Activation::leaky_relu:
      return z > 0 ? z : slope * z;
    case Activation::relu6:
      return std::fmin(std::fmax(z, 0), 6);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-z));
    case Activation::softplus:
      return std::log1p(std::exp(z));
  }
  return z;
}

/// in: x [N,H,W,C], w [O,kh,kw,C/groups], bias [O]
inline Tensor conv_sums(const Tensors& x, const Conv2dOptions& o) {
  const int64_t N = x[0].dim(0), H = x[0].dim(1), W = x[0].dim(2), C = x[0].dim(3);
  const int64_t O = x[1].dim(0), kh = x[1].dim(1), kw = x[1].dim(2), Cg = x[1].dim(3);
  const int64_t Ho = (H + 2 * o.padding - o.dilation * (kh - 1) - 1) / o.stride + 1;
  const int64_t Wo = (W + 2 * o.padding - o.dilation * (kw - 1) - 1) / o.stride + 1;
  Tensor y = zeros64({N, Ho, Wo, O});
  double* at = y.data<double>();
  for (int64_t n = 0; n < N; ++n)
    for (int64_t i = 0; i < Ho; ++i)
      for (int64_t j = 0; j < Wo; ++j)
        for (int64_t k = 0; k < O; ++k, ++at) {
          *at = in(x[2])[k];
          for (int64_t u = 0; u < kh; ++u)
            for (int64_t v = 0; v < kw; ++v) {
              const int64_t r = i * o.stride + u * o.dilation - o.padding;
              const int64_t q = j * o.stride + v * o.dilation - o.padding;
              if (r < 0 || r >= H || q < 0 || q >= W) continue;
              const double* from = in(x[0]) + ((n * H + r) * W + q) * C + k / (O / o.groups) * Cg;
              const double* with = in(x[1]) + ((k * kh + u) * kw + v) * Cg;
              for (int64_t c = 0; c < Cg; ++c) *at += from[c] * with[c];
            }
        }
  return y;
}

/// 2x2 max pool of [N,H,W,C].
inline Tensor pooled(const Tensor& x) {
  const int64_t H = x.dim(1), W = x.dim(2), C = x.dim(3);
  Tensor y = zeros64({x.dim(0), H / 2, W / 2, C});
  double* at = y.data<double>();
  for (int64_t n = 0; n < x.dim(0); ++n)
    for (int64_t i = 0; i < H / 2; ++i)
      for (int64_t j = 0; j < W / 2; ++j)
        for (int64_t c = 0; c < C; ++c, ++at) {
          const double* p = in(x) + ((n * H + 2 * i) * W + 2 * j) * C + c;
          *at = std::fmax(std::fmax(p[0], p[C]), std::fmax(p[W * C], p[W * C + C]));
        }
  return y;
}

/// pool2(act(conv(x, w) + bias)) of {x, w, bias}.
inline Tensor conv_formula(const Tensors& in, const Conv2dOptions& o, Activation act, double slope,
                           bool pool2) {
  Tensor y = conv_sums(in, o);
  for (int64_t i = 0; i < y.count(); ++i)
    y.data<double>()[i] = activated(y.data<double>()[i], act, slope);
  return pool2 ? pooled(y) : y;
}

}  // namespace cairn::conformance
