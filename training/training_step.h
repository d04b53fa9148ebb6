#pragma once
// One step of training: what the device does for its data, forward, backward, clipping, optimizer.
// On simt and cuda it is captured as a graph (runtime/graph.h) after two steps that warm up, and
// then repeated without the host: the same launches on the same addresses, so the same bits.
//
// What is captured has fixed shapes and addresses. A batch of other shapes (a short last one), a
// search for anomalies, steps that a profile records (a graph has no modules to show), and all
// steps on cpu run eagerly. The graph has memory of its own, beside
// which such a step needs as much again.
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "models/model.h"
#include "runtime/graph.h"
#include "runtime/host_staging.h"
#include "training/optimizer.h"

namespace cairn {

struct StepOptions {
  double max_norm = INFINITY;   ///< of the gradient, which is scaled down to it
  bool detect_anomaly = false;  ///< name the first op that produces a NaN
  bool capture = true;          ///< where the device has graphs
  /// Of activations and their gradients: f32, or bf16 on simt and cuda. Weights, their gradients,
  /// the optimizer's state, batch statistics and the loss are f32 all the same.
  DType activations = DType::f32;
  /// What the model learns of a batch on its device (BatchSource::prepared); null: the batch.
  std::function<Batch(const Batch&)> prepare = {};
};

/// What a step leaves on the device. Reading it waits for the step.
struct StepResult {
  Tensor loss;  ///< one element
  std::map<std::string, Tensor> terms;
};

class TrainingStep {
 public:
  /// `parameters` are the model's, `optimizer` theirs; all must outlive the step. Throws a
  /// UsageError if the model, or its device, does not train with such activations.
  TrainingStep(Model& model, Parameters& parameters, Optimizer& optimizer,
               const StepOptions& options = {});

  /// One step with the learning rate `lr` on a batch, which may be freed at once. Nothing in it
  /// waits for the device. The result holds until the next run.
  const StepResult& run(const Batch& batch, double lr);

  bool captured() const { return graph_ != nullptr; }  ///< whether batches like the first replay

 private:
  Loss forward(Tape& tape, Batch batch);
  StepResult compute(const Batch& batch);
  Batch moved(Batch batch) const;
  bool captures(const Batch& batch);
  const StepResult& run_fixed();

  Model& model_;
  Parameters& parameters_;
  Optimizer& optimizer_;
  const StepOptions options_;
  const Device device_;
  HostStaging staging_;
  Batch fixed_;  // what the graph reads: as the first batch
  int warm_ups_ = 0;
  StepResult eager_, captured_;
  std::unique_ptr<Graph> graph_;
};

}  // namespace cairn
