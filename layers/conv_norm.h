#pragma once
// Convolution, normalisation, activation, pooling: the sequence that every network here repeats.
#include <map>

#include "layers/modules.h"

namespace cairn {

/// Which of the three orders a network was trained with.
enum class NormOrder {
  none,  ///< conv -> activation
  pre,   ///< conv -> norm -> activation
  post,  ///< conv -> activation -> norm
};

struct ConvNormStep {
  NormOrder order = NormOrder::none;
  Activation act = Activation::relu;
  bool pool2 = false;  ///< 2x2 max pool, stride 2, after everything else
  float slope = 0;     ///< of leaky_relu
};

/// pool2(act(norm(conv(x)))) in the step's order. `norm` may be null when the order is none.
///
/// While a gradient is recorded each part is a node of its own. Otherwise the running statistics
/// are folded into the convolution and everything runs in one pass over the output (a norm after
/// the activation stays a pass of its own: folded into the next convolution it would be wrong in
/// the outermost ring, where the zero padding lacks its constant). With x in bf16 (on cpu without
/// gradients) every part's output is bf16 too; weights are rounded to it, folded ones after they
/// have been folded in float32, and a norm computes in float32.
Var conv_norm(const Var& x, Conv2d& conv, BatchNorm2d* norm, const ConvNormStep& step);

/// A convolution and what conv_norm() needs to know of it.
struct ConvNormLayer {
  Conv2d& conv;
  BatchNorm2d* norm;
  ConvNormStep step;
};

/// second(first(x)). In inference, if no pass of its own stands between the two (no pool after the
/// first, no norm after its activation), the map between them is never there as a whole.
Var conv_norm_pair(const Var& x, const ConvNormLayer& first, const ConvNormLayer& second);

/// conv -> norm as one convolution: w' = w gamma / sqrt(var + eps), b' = (b - mean) gamma /
/// sqrt(var + eps) + beta, with the running statistics. `bias` may be undefined. For inference.
struct FoldedConv {
  Tensor weight, bias;
};
FoldedConv fold_norm(const Conv2d& conv, const BatchNorm2d& norm);

/// `weight` in this type: rounded as it is read, where activations are bf16.
Tensor inference_weight(const Tensor& weight, DType type);

/// What these two made, for a network that runs again and again and stays as it is: it is made once
/// and kept here. Folding reads weights back to the host.
class InferenceWeights {
 public:
  /// While it lives, they look there first on this thread.
  class Use {
   public:
    explicit Use(InferenceWeights& kept) : outer_(current()) { current() = &kept; }
    ~Use() { current() = outer_; }
    Use(const Use&) = delete;

   private:
    InferenceWeights* outer_;
  };

 private:
  friend FoldedConv fold_norm(const Conv2d& conv, const BatchNorm2d& norm);
  friend Tensor inference_weight(const Tensor& weight, DType type);
  struct Rounded {
    Tensor from, to;  // the former keeps its address
  };
  static InferenceWeights*& current();
  std::map<const Conv2d*, FoldedConv> folded_;
  std::map<std::pair<const void*, DType>, Rounded> rounded_;
};

}  // namespace cairn
