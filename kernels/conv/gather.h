#pragma once
// The general convolution on the CPU: outputs gather from the inputs. One routine serves the
// forward (any stride, padding, dilation, groups) and the gradient of the input, which for stride s
// falls into s x s such convolutions, one for each remainder of the pixel's place.
#include <vector>

#include "kernels/conv/conv2d.h"

namespace cairn {

/// One direction of the image: output i lies at first + i step of y and reads the source at
/// i source_step + offset[t] through tap[t] of the kernel, for each t. Offsets ascend.
struct Axis {
  int64_t count = 0, first = 0, step = 1, source_step = 1;
  std::vector<int64_t> offset, tap;
};

/// The axis of a forward convolution with `size` outputs.
Axis forward_axis(int64_t size, int64_t kernel, const Conv2dOptions& o);

/// The axis of the gradient of inputs remainder, remainder + stride, ... of `size`.
Axis backward_axis(int64_t size, int64_t kernel, int64_t remainder, const Conv2dOptions& o);

/// Weights as a gather sees them: w(n, u, v, c) = w[g group + n output + u row + v column + c
/// channel].
struct WeightStrides {
  int64_t group, output, row, column, channel;
};

/// For n in 0..O of each group: y(i,j,n) = sum over taps and the group's channels of x, then the
/// epilogue. x [N,H,W,C], y [N,Ho,Wo,O], or pooled.
template <class T>
void gather(const Tensor& x, const T* w, const WeightStrides& strides, int groups, const Axis& rows,
            const Axis& columns, const Epilogue& epilogue, Tensor& y);

extern template void gather(const Tensor&, const float*, const WeightStrides&, int, const Axis&,
                            const Axis&, const Epilogue&, Tensor&);
extern template void gather(const Tensor&, const double*, const WeightStrides&, int, const Axis&,
                            const Axis&, const Epilogue&, Tensor&);

}  // namespace cairn
