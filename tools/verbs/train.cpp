// cairn train: a run from a recipe, with progress, checkpoints and a report.
#include <csignal>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <memory>

#include "runtime/error.h"
#include "tools/profile_option.h"
#include "tools/verb.h"
#include "training/failed_run.h"
#include "training/progress.h"

namespace cairn {
namespace {

struct Options {
  std::string recipe, out, resume, profile;
  std::vector<std::string> set;
  TrainOptions train;
  bool json = false;
};

void on_interrupt(int) { request_stop(); }

std::string metrics_text(const std::map<std::string, double>& metrics) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(3);
  for (const auto& [name, value] : metrics)
    if (name != "images") out << (out.tellp() > 0 ? ", " : "") << name << " " << value;
  return out.str();
}

Recipe recipe_of(const Options& o) {
  if (o.recipe.empty() == o.resume.empty())
    throw UsageError("cairn train", o.recipe.empty() ? "no recipe" : "a recipe and --resume",
                     "either RECIPE.toml or --resume RUN", "see cairn train --help");
  Recipe recipe = Recipe::from_file(o.resume.empty() ? o.recipe : o.resume + "/config.toml");
  for (const std::string& s : o.set) recipe.set(s);
  return recipe;
}

void run(Options o) {
  const Recipe recipe = recipe_of(o);
  o.train.resume = !o.resume.empty();
  o.train.out = o.train.resume  ? o.resume
                : o.out.empty() ? "runs/" + std::filesystem::path(o.recipe).stem().string()
                                : o.out;
  const std::unique_ptr<Profile> profile = make_profile(o.profile);
  o.train.profile = profile.get();
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);

  std::unique_ptr<Progress> progress;
  const TrainResult r = train_or_explain(recipe, o.train, [&](const TrainProgress& p) {
    if (!progress) progress = std::make_unique<Progress>("train", p.steps * p.batch, "images");
    std::ostringstream note;
    note << "step " << p.step << ", loss " << std::setprecision(4) << p.loss;
    progress->update(p.step * p.batch, note.str());
    if (!p.evaluation) return;
    progress.reset();  // ends the line
    std::cerr << "step " << p.step << ": " << metrics_text(p.evaluation->values) << '\n';
    for (const std::string& warning : p.evaluation->warnings)
      std::cerr << "warning: " << warning << '\n';
  });
  progress.reset();
  if (!r.left_out.empty()) std::cerr << "of the data, " << r.left_out.size() << " remarks:\n";
  for (const std::string& line : r.left_out) std::cerr << "  " << line << '\n';

  if (o.json) {
    Json j{{"run", o.train.out},    {"steps", r.steps_done},      {"interrupted", r.interrupted},
           {"seconds", r.seconds},  {"peak_bytes", r.peak_bytes}, {"metrics", r.metrics},
           {"left_out", r.left_out}};
    if (r.best_step > 0) j["best_step"] = r.best_step;
    print_json(j);
  } else if (o.train.dry_run) {
    std::cout << "one step works: " << r.peak_bytes / 1'000'000
              << " MB at the peak; nothing was written\n";
  } else if (r.interrupted) {
    std::cout << "stopped after " << r.steps_done << " steps; go on with: cairn train --resume "
              << o.train.out << '\n';
  } else {
    std::cout << r.steps_done << " steps in " << duration_text(r.seconds) << ", "
              << r.peak_bytes / 1'000'000 << " MB at the peak\n";
    if (!r.metrics.empty()) std::cout << metrics_text(r.metrics) << '\n';
    std::cout << "weights  " << o.train.out << "/model.safetensors"
              << (r.best_step > 0 ? text(", of step ", r.best_step) : "") << '\n'
              << "report   " << o.train.out << "/report.html\n";
  }
  print_profile(profile.get(), o.json);
}

}  // namespace

void add_train(CLI::App& verb) {
  describe(verb, "Train a model from a recipe",
           "cairn train recipes/magicpoint.toml --out runs/magicpoint --set train.steps=2000\n"
           "  cairn train --resume runs/magicpoint");
  auto o = std::make_shared<Options>();
  verb.add_option("RECIPE", o->recipe, "a TOML file; recipes/ has them")->type_name("");
  verb.add_option("--out", o->out, "the run's folder; default runs/RECIPE")->type_name("DIR");
  verb.add_option("--resume", o->resume, "go on where the run in DIR stopped, to the bit")
      ->type_name("DIR");
  verb.add_option("--set", o->set, "override a key of the recipe, e.g. train.batch=8")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  verb.add_flag("--dry-run", o->train.dry_run, "build everything, run one step, write nothing");
  verb.add_flag("--detect-anomaly", o->train.detect_anomaly,
                "name the first op that produces a NaN (slow)");
  add_profile_option(verb, o->profile, "ten steps after the first ten (of a shorter run its last)");
  add_device_options(verb, o->train.device);
  add_precision_option(verb, o->train.device, o->train.activations);
  add_json_option(verb, o->json);
  verb.callback([o] { run(*o); });
}

}  // namespace cairn
