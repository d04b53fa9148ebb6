#pragma once
// concat: the channels of several tensors side by side; slice_channels: some of them back.
//
//   xs[i]  [..., C_i], the leading dimensions all equal
//   y      [..., C], C >= first + the sum of C_i; f32 or f64, simt and cuda: also bf16
//
//   concat          y[..., first + c'] = the inputs' channels in order; 0 in all other channels
//   slice_channels  y[..., c] = x[..., first + c]
//
// Each is the other's backward: the gradient of input i of a concat is the slice of dy that it went
// to; the gradient of a slice is dy put in its place among zeros.
#include <vector>

#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void concat(const std::vector<Tensor>& xs, int64_t first, Tensor& y);
                     void slice_channels(const Tensor& x, int64_t first, Tensor& y);)

/// Channels before `first` and behind the last input are zero.
inline void concat(const std::vector<Tensor>& xs, int64_t first, Tensor& y) {
  CAIRN_DISPATCH(y.device(), concat, xs, first, y);
}

/// y = channels first .. first + C_y of x.
inline void slice_channels(const Tensor& x, int64_t first, Tensor& y) {
  CAIRN_DISPATCH(y.device(), slice_channels, x, first, y);
}

}  // namespace cairn
