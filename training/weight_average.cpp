#include "training/weight_average.h"

#include <algorithm>

#include "kernels/elementwise/add.h"
#include "kernels/elementwise/scale.h"
#include "runtime/error.h"

namespace cairn {

WeightAverage::WeightAverage(Parameters& parameters, double decay)
    : parameters_(parameters), decay_(decay) {
  if (!(decay >= 0 && decay < 1))
    throw UsageError("weight average", text("a decay of ", decay), "0 or more, and less than 1",
                     "0.999 averages over a thousand steps");
  const Tensor& values = parameters.values();
  average_ = Tensor::zeros(values.shape(), values.dtype(), values.device());
  scaled_ = values.empty_like();
}

void WeightAverage::update(int64_t step) {
  const double decay = std::min(decay_, double(step - 1) / double(step + 8));
  scale(average_, decay, average_);
  scale(parameters_.values(), 1 - decay, scaled_);
  accumulate(scaled_, average_);
}

std::vector<Optimizer::NamedState> WeightAverage::named_state() const {
  std::vector<Optimizer::NamedState> named;
  for (const Segment& s : parameters_.segments())
    named.push_back({"average." + s.name, average_.part(s.offset, s.parameter->shape)});
  return named;
}

WeightAverage::Use::Use(WeightAverage& average)
    : values_(average.parameters_.values()), own_(values_.clone()) {
  values_.copy_from(average.average_);
}

WeightAverage::Use::~Use() { values_.copy_from(own_); }

MixedWeights::MixedWeights(Parameters& parameters, const Tensor& others, double share)
    : values_(parameters.values()), own_(values_.clone()) {
  Tensor part = others.empty_like();
  scale(others, share, part);
  scale(values_, 1 - share, values_);
  accumulate(part, values_);
}

MixedWeights::~MixedWeights() { values_.copy_from(own_); }

}  // namespace cairn
