#pragma once
// What a training run learns: where its batches come from and how its progress is measured. One
// file per task, training/tasks/NAME.cpp, which defines make_NAME_task(); recipes name it (task =
// "NAME").
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/model.h"
#include "training/recipe.h"

namespace cairn {

/// A sequence of batches. The batch at a position is the same however the source got there.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  /// The next batch, on cpu.
  virtual Batch next() = 0;
  /// What the model learns of such a batch, which lies on the model's device by now: the place of
  /// augmentation and targets. Launches alone, as they are captured with the step.
  virtual Batch prepared(const Batch& batch) const { return batch; }
};

/// How good a model is now.
struct Evaluation {
  std::map<std::string, double> metrics;  ///< "ap_clean" -> 0.93
  struct Picture {
    std::string name;  ///< "corners"
    Tensor image;      ///< u8 [H,W,1 or 3]
  };
  std::vector<Picture> pictures;      ///< the same images every time, so that progress can be seen
  std::vector<std::string> warnings;  ///< what its reader should do something about, one line each
};

/// By which of its metrics an evaluation is better than another.
struct Objective {
  std::string metric;
  bool higher_is_better;
};

class Task {
 public:
  virtual ~Task() = default;
  /// Batches for `model` from number `first` on; they may depend on what it has learned so far.
  virtual std::unique_ptr<BatchSource> source(Model& model, int batch, int64_t first) = 0;
  virtual Evaluation evaluate(Model& model, Device device) = 0;
  /// What training keeps the best weights by; nothing if the last ones are as good as any.
  virtual std::optional<Objective> objective() const { return {}; }
  /// Options of the model that follow from the data; those of the recipe go before them.
  virtual Options model_options() const { return {}; }
  /// Throws a UsageError if this model cannot learn it.
  virtual void check(const Model&) const {}
  /// What of the data was left out and why, one line each.
  virtual std::vector<std::string> left_out() const { return {}; }
};

/// The task that the recipe names; reads its own keys from the recipe.
std::unique_ptr<Task> make_task(Recipe& recipe, uint64_t seed);
std::vector<std::string> task_names();

}  // namespace cairn
