#pragma once
// Differentiable elementwise functions, concatenation and slices. All take any shape; channels are
// the last dimension. Each throws an Error that lists every mismatch of shapes, types and devices.
#include <utility>
#include <vector>

#include "kernels/activation_kind.h"
#include "layers/tape.h"

namespace cairn {

/// y = a + b; shapes are equal.
Var add(const Var& a, const Var& b);

/// y = factor x.
Var scale(const Var& x, double factor);

/// x in another type, f32 or bf16; itself if it is of that type.
Var cast(const Var& x, DType type);

/// y = act(x + bias); bias [C], float32 beside bf16, may be an undefined Var. `slope` is
/// leaky_relu's, at least 0.
Var bias_activation(const Var& x, const Var& bias, Activation act, float slope = 0);

/// y = act(x).
Var activation(const Var& x, Activation act, float slope = 0);
inline Var relu(const Var& x) { return activation(x, Activation::relu); }

/// The inputs' channels side by side, then zeros up to `channels` if that is more.
Var concat(const std::vector<Var>& xs, int64_t channels = 0);

/// Channels first .. first + count.
Var slice_channels(const Var& x, int64_t first, int64_t count);

/// Two tensors of one shape [N,...], one above the other: [2N,...].
Tensor stacked(const Tensor& first, const Tensor& second);

/// The first and the second half of x [2N,...] along its first dimension, as views.
std::pair<Var, Var> halves(const Var& x);

}  // namespace cairn
