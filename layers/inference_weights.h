#pragma once
// Weights as inference reads them: with the norm behind them folded in, and in the type of the
// activations.
#include <map>
#include <utility>

#include "runtime/tensor.h"

namespace cairn {

class BatchNorm2d;
class Conv2d;

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
