#pragma once
// Weights as they are read: in the type of the activations, and by inference with the norm behind
// them folded in.
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
Tensor weight_as(const Tensor& weight, DType type);

/// The parameters of a model in bf16, made by one launch instead of one for each: while it lives,
/// weight_as() finds them there on this thread. For a step of training, which changes them.
class RoundedParameters {
 public:
  /// `values` is all of them side by side, f32 (Parameters::values()).
  explicit RoundedParameters(const Tensor& values);
  ~RoundedParameters() { current() = outer_; }
  RoundedParameters(const RoundedParameters&) = delete;

 private:
  friend Tensor weight_as(const Tensor& weight, DType type);
  static RoundedParameters*& current();
  Tensor rounded_of(const Tensor& weight) const;  // undefined if it is none of them
  const Tensor values_, rounded_;
  RoundedParameters* const outer_;
};

/// What fold_norm() and weight_as() made, for a network that runs again and again and stays as it
/// is: it is made once and kept here. Folding reads weights back to the host.
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
  friend Tensor weight_as(const Tensor& weight, DType type);
  struct Rounded {
    Tensor from, to;  // the former keeps its address
  };
  static InferenceWeights*& current();
  std::map<const Conv2d*, FoldedConv> folded_;
  std::map<std::pair<const void*, DType>, Rounded> rounded_;
};

}  // namespace cairn
