#include "training/trainer.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <optional>

#include "layers/weights.h"
#include "models/model_file.h"
#include "runtime/atomic_file.h"
#include "runtime/error.h"
#include "runtime/image.h"
#include "runtime/memory.h"
#include "training/best_evaluation.h"
#include "training/checkpoint.h"
#include "training/exact_statistics.h"
#include "training/loss_history.h"
#include "training/report.h"
#include "training/task.h"
#include "training/training_step.h"
#include "training/weight_average.h"

namespace cairn {
namespace {

namespace fs = std::filesystem;
std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free,
              "request_stop() is called from a signal handler");

struct Settings {
  uint64_t seed;
  int batch;
  int64_t steps, log_every, evaluate_every, checkpoint_every, warmup, patience;
  double lr, final_lr_fraction, clip, average_decay, initial_share;
  std::vector<double> lr_drops;
  bool evaluate_at_end;
  std::string initial_weights;

  explicit Settings(Recipe& r)
      : seed(uint64_t(r.integer("train.seed", 1, 0, INT64_MAX))),
        batch(int(r.integer("train.batch", 32, 1, 4096))),
        steps(r.integer("train.steps", 1000, 1, 100'000'000)),
        log_every(r.integer("train.log_every", 20, 1, 1'000'000)),
        evaluate_every(r.integer("train.evaluate_every", 500, 1, 100'000'000)),
        checkpoint_every(r.integer("train.checkpoint_every", 200, 1, 100'000'000)),
        warmup(r.integer("train.warmup_steps", 0, 0, 100'000'000)),
        patience(r.integer("train.patience", 0, 0, 1'000'000)),
        lr(r.real("train.lr", 1e-3, 0, 10)),
        final_lr_fraction(r.real("train.final_lr_fraction", 1, 0, 1)),
        clip(r.real("train.clip_norm", 0, 0, 1e9)),
        average_decay(r.real("train.average_weights", 0, 0, 0.999999)),
        initial_share(r.real("train.initial_share", 0, 0, 1)),
        lr_drops(r.reals("train.lr_drops", {}, 1, 1e8)),
        evaluate_at_end(r.boolean("train.evaluate_at_end", true)),
        initial_weights(r.string("train.initial_weights", "")) {
    if (initial_share > 0 && initial_weights.empty())
      throw UsageError("train.initial_share", "there are no initial weights", "0",
                       "name a model file with train.initial_weights");
  }

  // Linear warm-up, then a cosine down to final_lr_fraction of the peak (1: constant); a tenth of
  // it from each of lr_drops on.
  double lr_at(int64_t step) const {
    if (step < warmup) return lr * double(step + 1) / double(warmup);
    const double t = double(step - warmup) / double(std::max<int64_t>(1, steps - warmup));
    const double cosine =
        lr * (final_lr_fraction + (1 - final_lr_fraction) * 0.5 * (1 + std::cos(M_PI * t)));
    const auto drops = std::count_if(lr_drops.begin(), lr_drops.end(),
                                     [&](double at) { return double(step) >= at; });
    return cosine * std::pow(0.1, double(drops));
  }
};

OptimizerConfig optimizer_config(Recipe& r) {
  OptimizerConfig c = OptimizerConfig::defaults(
      parse_optimizer(r.choice("optimizer.name", "adam", {"adam", "adamw", "rmsprop", "sgd"})));
  c.beta1 = r.real("optimizer.beta1", c.beta1, 0, 1);
  c.beta2 = r.real("optimizer.beta2", c.beta2, 0, 1);
  c.alpha = r.real("optimizer.alpha", c.alpha, 0, 1);
  c.eps = r.real("optimizer.eps", c.eps, 0, 1);
  c.momentum = r.real("optimizer.momentum", c.momentum, 0, 1);
  c.nesterov = r.boolean("optimizer.nesterov", c.nesterov);
  c.weight_decay = r.real("optimizer.weight_decay", c.weight_decay, 0, 10);
  return c;
}

std::unique_ptr<Model> recipe_model(Recipe& r, const Task& task) {
  Options options = r.table("model");
  options.merge(task.model_options());
  const auto it = options.find("architecture");
  if (it == options.end())
    throw UsageError("recipe", "model.architecture is missing", "the name of a model",
                     "add [model] architecture = \"superpoint\", for example");
  const std::string architecture = it->second;
  options.erase(it);
  return make_model(architecture, options);
}

// Starts `model` from the weights in a file; what the file lacks stays as it is.
void load_initial_weights(Model& model, const std::string& path) {
  const SafetensorsFile file = read_safetensors(path);
  std::vector<std::string> lacking;
  for (const NamedTensor& t : named_tensors(model))
    if (!file.tensors.contains(t.name)) lacking.push_back(t.name);
  load_weights(model, file, path, lacking);
}

BestEvaluation best_evaluation(const Task& task) {
  if (const auto objective = task.objective()) return BestEvaluation(*objective);
  throw UsageError("train.patience", "this task has no metric to be patient about", "0",
                   "leave it out: the last weights are handed out");
}

// Everything that one run holds while it lasts.
class Run {
 public:
  Run(Recipe recipe, const TrainOptions& options)
      : options_(options),
        settings_(recipe),
        task_(make_task(recipe, settings_.seed)),
        model_(recipe_model(recipe, *task_)),
        parameters_(*model_, options.device),
        optimizer_(optimizer_config(recipe), parameters_),
        training_step_(*model_, parameters_, optimizer_,
                       {.max_norm = settings_.clip > 0 ? settings_.clip : INFINITY,
                        .detect_anomaly = options.detect_anomaly,
                        .activations = options.activations,
                        .prepare = [this](const Batch& b) { return source_->prepared(b); }}),
        losses_(options.device) {
    model_->set_loss_options(recipe.table("loss"));
    recipe.finish();
    task_->check(*model_);
    if (settings_.average_decay > 0) average_.emplace(parameters_, settings_.average_decay);
    if (settings_.patience > 0) best_ = best_evaluation(*task_);
    config_ = recipe.resolved();
    parameters_.initialize(settings_.seed);
    if (!settings_.initial_weights.empty() && (!options.resume || settings_.initial_share > 0))
      load_initial_weights(*model_, settings_.initial_weights);
    if (settings_.initial_share > 0) initial_ = parameters_.values().clone();
  }

  TrainResult go(const std::function<void(const TrainProgress&)>& on_progress) {
    if (options_.dry_run) {
      start_source();
      if (options_.profile) options_.profile->start(options_.device);
      one_step();
      losses_.read(step_);
      if (options_.profile) options_.profile->finish();
      return result();
    }
    prepare_folder();
    RunLog log(options_.out, step_);
    log_ = &log;
    for (const LogRow& row : log.rows())  // of the calls before a resumption
      if (best_ && row.kind == "evaluation") best_->add(row);
    start_source();
    start_ = std::chrono::steady_clock::now();
    memory(options_.device).reset_peak();
    const int64_t first_step = step_;
    while (step_ < settings_.steps && !stop_requested && !out_of_patience()) {
      profile_steps(step_ - first_step, settings_.steps - first_step);
      const ProfileRange range(Work::host, "step");
      range.note("step", step_ + 1);
      const StepResult& done = one_step();
      const bool last = step_ == settings_.steps;
      if (step_ % settings_.log_every == 0 || last || step_ == 1) log_step(done, on_progress);
      if (step_ % settings_.checkpoint_every == 0 || last) save();
      if (step_ % settings_.evaluate_every == 0 || (last && settings_.evaluate_at_end)) {
        const double loss = losses_.read(step_).loss;
        with_final_weights([&] { evaluate(on_progress, loss); });
      }
    }
    if (Profile::recording()) options_.profile->finish();
    save();
    if (!best_ || best_->step() == 0) with_final_weights([&] { hand_out(); });
    write_run_report(options_.out);
    TrainResult r = result();
    r.interrupted = step_ < settings_.steps && !out_of_patience();
    r.seconds = seconds();
    return r;
  }

 private:
  // Called before each of `steps` steps. The first ones meet cold memory and make what later ones
  // reuse; more than some make a file that is slow to look at.
  void profile_steps(int64_t step, int64_t steps) {
    if (!options_.profile) return;
    constexpr int64_t most = 10;
    const int64_t first = std::clamp<int64_t>(steps - most, 0, most);
    if (step == first) options_.profile->start(options_.device);
    if (step == first + most) options_.profile->finish();
  }

  std::string checkpoint_path() const { return options_.out + "/checkpoint.safetensors"; }

  void prepare_folder() {
    std::error_code error;
    fs::create_directories(options_.out + "/samples", error);
    if (error)
      throw Error(options_.out, text("the folder cannot be made: ", error.message()),
                  "a folder that can be written", "choose another one with --out");
    const bool there = fs::exists(checkpoint_path());
    if (there && !options_.resume)
      throw Error(options_.out, "the folder holds a run already", "a new folder, or --resume",
                  text("go on with --resume ", options_.out, ", or choose another --out"));
    if (!there && options_.resume)
      throw Error(options_.out, "there is no checkpoint.safetensors in it", "the folder of a run",
                  "start the run without --resume");
    if (options_.resume) {
      const RunState state = load_checkpoint(checkpoint_path(), *model_, optimizer_, average());
      step_ = state.step;
      seconds_before_ = state.seconds;
    }
    write_file(options_.out + "/config.toml", config_);
  }

  void start_source() {
    source_ = task_->source(*model_, settings_.batch, step_);
    window_start_ = std::chrono::steady_clock::now();
    window_step_ = step_;
  }

  Batch next_batch() {
    const ProfileRange range(Work::host, "wait for a batch");
    return source_->next();
  }

  // Nothing in it waits for the device.
  const StepResult& one_step() {
    if (losses_.full()) losses_.read(step_);
    const StepResult& done = training_step_.run(next_batch(), settings_.lr_at(step_));
    losses_.add(done.loss, optimizer_.gradient_norm());
    ++step_;
    if (average_) average_->update(step_);
    return done;
  }

  void log_step(const StepResult& done,
                const std::function<void(const TrainProgress&)>& on_progress) {
    const ProfileRange range(Work::host, "log");
    const LossHistory::Step last = losses_.read(step_);
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - window_start_).count();
    const double rate = double(step_ - window_step_) * settings_.batch / std::max(seconds, 1e-9);
    window_start_ = now;
    window_step_ = step_;
    LogRow row{"step",
               step_,
               {{"loss", last.loss},
                {"lr", settings_.lr_at(step_ - 1)},
                {"gradient_norm", last.gradient_norm},
                {"images", double(step_) * settings_.batch},
                {"images_per_s", rate}}};
    for (const auto& [name, value] : done.terms) row.values[name] = value.item();
    log_->write(row);
    on_progress({step_, settings_.steps, settings_.batch, last.loss, rate, nullptr});
  }

  void evaluate(const std::function<void(const TrainProgress&)>& on_progress, double loss) {
    const ProfileRange range(Work::host, "evaluation");
    const Evaluation found = task_->evaluate(*model_, options_.device);
    LogRow row{"evaluation", step_, found.metrics, found.warnings};
    row.values["images"] = double(step_) * settings_.batch;
    log_->write(row);
    metrics_ = found.metrics;
    if (best_ && best_->add(row)) hand_out();
    for (const auto& picture : found.pictures)
      write_png(text(options_.out, "/samples/", picture.name, "-", step_, ".png"), picture.image);
    write_run_report(options_.out);
    on_progress({step_, settings_.steps, settings_.batch, loss, 0, &row});
    window_start_ = std::chrono::steady_clock::now();  // an evaluation's time is not the steps'
    window_step_ = step_;
  }

  // A checkpoint never follows a loss that is not finite.
  void save() {
    const ProfileRange range(Work::host, "checkpoint");
    losses_.read(step_);
    save_checkpoint(checkpoint_path(), *model_, optimizer_, average(), {step_, seconds()});
  }

  // Calls f with the weights and batch-norm statistics in place that are evaluated and handed out.
  template <class F>
  void with_final_weights(F&& f) {
    std::optional<WeightAverage::Use> averaged;
    if (average_) averaged.emplace(*average_);
    std::optional<MixedWeights> mixed;
    if (settings_.initial_share > 0) mixed.emplace(parameters_, initial_, settings_.initial_share);
    const ExactStatistics exact = exact_statistics();
    f();
  }

  // Of the first batches, the same ones at any step: what is evaluated is what is handed out. Never
  // of more batches than the run has been trained on.
  ExactStatistics exact_statistics() {
    constexpr int64_t images = 512, most_batches = 32;
    const int64_t batches =
        std::min({most_batches, (images - 1) / settings_.batch + 1, std::max<int64_t>(step_, 1)});
    return {*model_, *task_->source(*model_, settings_.batch, 0), int(batches), options_.device};
  }

  void hand_out() { save_model(options_.out + "/model.safetensors", *model_); }

  const WeightAverage* average() const { return average_ ? &*average_ : nullptr; }

  bool out_of_patience() const { return best_ && best_->worse_since() >= settings_.patience; }

  double seconds() const {
    const std::chrono::duration<double> now = std::chrono::steady_clock::now() - start_;
    return seconds_before_ + now.count();
  }

  TrainResult result() const {
    TrainResult r;
    r.steps_done = step_;
    r.best_step = best_ ? best_->step() : 0;
    r.metrics = r.best_step > 0 ? best_->metrics() : metrics_;
    r.left_out = task_->left_out();
    r.peak_bytes = memory(options_.device).use().peak;
    return r;
  }

  const TrainOptions options_;
  const Settings settings_;
  std::unique_ptr<Task> task_;
  std::unique_ptr<Model> model_;
  Parameters parameters_;
  Optimizer optimizer_;
  TrainingStep training_step_;
  LossHistory losses_;
  std::optional<WeightAverage> average_;
  Tensor initial_;  // the weights that the run began with, where some of them stay
  std::optional<BestEvaluation> best_;
  std::unique_ptr<BatchSource> source_;
  std::string config_;
  RunLog* log_ = nullptr;
  int64_t step_ = 0, window_step_ = 0;
  double seconds_before_ = 0;  // of the calls before this one
  std::chrono::steady_clock::time_point start_, window_start_;
  std::map<std::string, double> metrics_;
};

}  // namespace

void request_stop() { stop_requested = true; }

TrainResult train(Recipe recipe, const TrainOptions& options,
                  const std::function<void(const TrainProgress&)>& on_progress) {
  require_available(options.device);
  stop_requested = false;
  return Run(std::move(recipe), options).go(on_progress);
}

}  // namespace cairn
