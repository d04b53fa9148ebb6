#include "kernels/conv/dilated.h"

#include <algorithm>

#include "kernels/conv/winograd.h"
#include "runtime/threads.h"

namespace cairn {
namespace {

Shape shape_of_phases(const Shape& x, int d) { return {x[0] * d * d, x[1] / d, x[2] / d, x[3]}; }

// Calls copy(pixel, phase pixel, channels) for each pixel of a map [N,H,W,C].
template <class Copy>
void for_each_pixel(const Shape& x, int d, const Copy& copy) {
  const int64_t H = x[1], W = x[2], C = x[3], h = H / d, w = W / d;
  parallel_for(x[0] * H, 8, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t n = row / H, i = row % H;
      for (int64_t j = 0; j < W; ++j) {
        const int64_t phase = (n * d + i % d) * d + j % d;
        copy((row * W + j) * C, ((phase * h + i / d) * w + j / d) * C, C);
      }
    }
  });
}

Tensor phases_of(const Tensor& x, int d) {
  Tensor phases = Tensor::empty(shape_of_phases(x.shape(), d));
  const float* from = x.data<float>();
  float* to = phases.data<float>();
  for_each_pixel(x.shape(), d, [=](int64_t pixel, int64_t phase, int64_t C) {
    std::copy_n(from + pixel, C, to + phase);
  });
  return phases;
}

void join(const Tensor& phases, int d, Tensor& x) {
  const float* from = phases.data<float>();
  float* to = x.data<float>();
  for_each_pixel(x.shape(), d, [=](int64_t pixel, int64_t phase, int64_t C) {
    std::copy_n(from + phase, C, to + pixel);
  });
}

}  // namespace

bool dilated_serves(const Tensor& x, const Tensor& w, const Conv2dOptions& o) {
  const int d = o.dilation;
  return x.dtype() == DType::f32 && d > 1 && o.padding == d && x.dim(1) % d == 0 &&
         x.dim(2) % d == 0 &&
         winograd_serves_wide(shape_of_phases(x.shape(), d), w.shape(),
                              {.stride = o.stride, .padding = 1, .groups = o.groups});
}

void dilated(const Tensor& x, const Tensor& w, int dilation, const Epilogue& epilogue, Tensor& y) {
  Tensor phases = Tensor::empty(shape_of_phases(y.shape(), dilation));
  winograd(phases_of(x, dilation), w, 1, epilogue, phases);
  join(phases, dilation, y);
}

void dilated_backward_data(const Tensor& dy, const Tensor& w, int dilation, Tensor& dx) {
  Tensor phases = Tensor::empty(shape_of_phases(dx.shape(), dilation));
  winograd_backward_data(phases_of(dy, dilation), w, 1, phases);
  join(phases, dilation, dx);
}

void dilated_backward_weights(const Tensor& x, const Tensor& dy, int dilation, Tensor& dw) {
  winograd_backward_weights(phases_of(x, dilation), phases_of(dy, dilation), 1, dw);
}

}  // namespace cairn
