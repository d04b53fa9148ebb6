#pragma once
// The exponential moving average of the weights of a run: smoother than the weights themselves
// while the learning rate is high, and often better (Polyak and Juditsky, 1992; Tarvainen and
// Valpola, "Mean teachers", NeurIPS 2017, section 3).
#include <vector>

#include "training/optimizer.h"

namespace cairn {

class WeightAverage {
 public:
  /// `decay` in [0, 1): an average over about 1 / (1 - decay) steps. The parameters must outlive
  /// it.
  WeightAverage(Parameters& parameters, double decay);

  /// average = d average + (1 - d) weights after step number `step` (from 1), with
  /// d = min(decay, (step - 1) / (step + 8)): it forgets the first weights quickly.
  void update(int64_t step);

  /// "average.<parameter>", in the parameter's shape; shares memory, as Optimizer::named_state().
  std::vector<Optimizer::NamedState> named_state() const;

  /// While it lives, the model has the averaged weights; then its own are back, bit for bit.
  class Use {
   public:
    explicit Use(WeightAverage& average);
    ~Use();
    Use(const Use&) = delete;

   private:
    Tensor& values_;
    Tensor own_;
  };

 private:
  Parameters& parameters_;
  double decay_;
  Tensor average_, scaled_;
};

/// While it lives, the model has (1 - share) of its own weights and `share` of others, as the flat
/// buffer of its parameters holds them; then its own are back, bit for bit. A network that was
/// trained on from others keeps some of what they knew (Wortsman et al., "Robust fine-tuning of
/// zero-shot models", CVPR 2022).
class MixedWeights {
 public:
  MixedWeights(Parameters& parameters, const Tensor& others, double share);
  ~MixedWeights();
  MixedWeights(const MixedWeights&) = delete;

 private:
  Tensor& values_;
  Tensor own_;
};

}  // namespace cairn
