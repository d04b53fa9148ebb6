#include "layers/prepared_weights.h"

#include <cmath>
#include <functional>

#include "kernels/elementwise/cast.h"
#include "layers/modules.h"

namespace cairn {
namespace {

FoldedConv folded(const Conv2d& conv, const BatchNorm2d& norm) {
  const Tensor& w = conv.weight.value;
  FoldedConv f{w.to(Device::cpu).clone(), norm.bias.value.to(Device::cpu).clone()};
  const int64_t out = w.dim(0), row = w.count() / out;
  with_float(w.dtype(), [&](auto type) {
    using T = decltype(type);
    const auto gamma = norm.weight.value.values<T>(), mean = norm.running_mean.values<T>(),
               var = norm.running_var.values<T>();
    const auto bias = conv.with_bias ? conv.bias.value.values<T>() : std::vector<T>(out);
    T* weight = f.weight.data<T>();
    T* shift = f.bias.data<T>();
    for (int64_t o = 0; o < out; ++o) {
      const T factor = gamma[o] / std::sqrt(var[o] + T(norm.options.eps));
      shift[o] += (bias[o] - mean[o]) * factor;
      for (int64_t k = 0; k < row; ++k) weight[o * row + k] *= factor;
    }
  });
  return {f.weight.to(w.device()), f.bias.to(w.device())};
}

}  // namespace

InferenceWeights*& InferenceWeights::current() {
  thread_local InferenceWeights* kept = nullptr;
  return kept;
}

FoldedConv fold_norm(const Conv2d& conv, const BatchNorm2d& norm) {
  InferenceWeights* const kept = InferenceWeights::current();
  if (!kept) return folded(conv, norm);
  auto found = kept->folded_.find(&conv);
  if (found == kept->folded_.end()) found = kept->folded_.emplace(&conv, folded(conv, norm)).first;
  return found->second;
}

RoundedParameters*& RoundedParameters::current() {
  thread_local RoundedParameters* kept = nullptr;
  return kept;
}

RoundedParameters::RoundedParameters(const Tensor& values)
    : values_(values), rounded_(as_type(values, DType::bf16)), outer_(current()) {
  current() = this;
}

Tensor RoundedParameters::rounded_of(const Tensor& weight) const {
  const float *first = values_.data<float>(), *at = weight.data<float>();
  const std::less<const float*> before;
  if (before(at, first) || !before(at, first + values_.count())) return {};
  return rounded_.part(at - first, weight.shape());
}

Tensor weight_as(const Tensor& weight, DType type) {
  if (weight.dtype() == type) return weight;
  if (const RoundedParameters* step = RoundedParameters::current();
      step && type == DType::bf16 && weight.dtype() == DType::f32)
    if (const Tensor found = step->rounded_of(weight); found.defined()) return found;
  InferenceWeights* const kept = InferenceWeights::current();
  if (!kept) return as_type(weight, type);
  auto& made = kept->rounded_[{weight.raw(), type}];
  if (!made.to.defined()) made = {weight, as_type(weight, type)};
  return made.to;
}

}  // namespace cairn
