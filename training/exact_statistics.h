#pragma once
// Batch-norm statistics that belong to the weights as they are now.
//
// In training the running statistics are a moving average over steps whose weights differed: where
// weights move fast they fit none of them, and a network that has learned well is evaluated badly.
// Before it is judged or handed out, its statistics are therefore taken anew, with fixed weights
// (Wu, Johnson, "Rethinking 'Batch' in BatchNorm", 2021, section 3).
#include <vector>

#include "layers/modules.h"
#include "models/model.h"
#include "training/task.h"

namespace cairn {

/// While it lives, every batch norm of `model` has the statistics of the given batches, all counted
/// alike: the mean over them, and as variance the mean of theirs (unbiased) plus that of their
/// means. Then those of the training run are back, bit for bit.
class ExactStatistics {
 public:
  /// Runs the loss's forward on so many batches of `source`, in training mode, without gradients.
  ExactStatistics(Model& model, BatchSource& source, int batches, Device device);
  ~ExactStatistics();
  ExactStatistics(const ExactStatistics&) = delete;

 private:
  struct Norm {
    BatchNorm2d* module;
    Tensor running_mean, running_var;  ///< of the run
  };
  std::vector<Norm> norms_;
};

}  // namespace cairn
