#pragma once
// The training loop. A run is a folder: config.toml as resolved, log.jsonl, checkpoint.safetensors
// (the full state), model.safetensors (the weights), samples/*.png and report.html.
#include <functional>
#include <string>

#include "runtime/device.h"
#include "runtime/dtype.h"
#include "runtime/profile.h"
#include "training/recipe.h"
#include "training/run_log.h"

namespace cairn {

struct TrainOptions {
  std::string out;  ///< the run folder
  Device device = Device::cpu;
  bool resume = false;             ///< go on from the folder's checkpoint
  bool detect_anomaly = false;     ///< name the first op that produces a NaN
  bool dry_run = false;            ///< build everything, run one step, write nothing
  DType activations = DType::f32;  ///< while training (training_step.h); evaluations are in f32
  Profile* profile = nullptr;      ///< records ten steps after the first ten; of fewer, the last
};

struct TrainProgress {
  int64_t step, steps;
  int batch;
  double loss, images_per_s;
  const LogRow* evaluation;  ///< set when one has just been made
};

struct TrainResult {
  int64_t steps_done = 0;
  bool interrupted = false;  ///< stopped by request_stop(); a checkpoint has been written
  double seconds = 0;        ///< of the whole run, also of the calls before a resumption
  std::map<std::string, double> metrics;  ///< of the evaluation whose weights are handed out
  int64_t best_step = 0;  ///< that it was made at, where train.patience chooses; otherwise 0
  std::vector<std::string> left_out;  ///< what of the data was skipped and why
  size_t peak_bytes = 0;
};

/// Runs the recipe; train.initial_weights names a model file to start from, whose tensors must all
/// fit (what it lacks starts at random, a descriptor head, say). Throws an Error when the loss
/// stops being finite (the last checkpoint stays whole), when the folder cannot be written, or when
/// a run to resume does not fit the recipe. train.average_weights, the decay of a moving average
/// (0: none), has the averaged weights evaluated and handed out; train.initial_share (0) mixes so
/// much of the initial weights into them. train.patience (0: off) hands out
/// the weights of the best evaluation, and ends the run after so many evaluations in a row that are
/// no better.
TrainResult train(Recipe recipe, const TrainOptions& options,
                  const std::function<void(const TrainProgress&)>& on_progress);

/// Asks a running train() to write a checkpoint and return. Safe in a signal handler.
void request_stop();

}  // namespace cairn
