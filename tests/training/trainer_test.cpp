#include "training/trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "models/model_file.h"
#include "runtime/atomic_file.h"
#include "runtime/error.h"
#include "runtime/image.h"
#include "runtime/safetensors.h"
#include "tests/caught.h"
#include "tests/temporary_folder.h"
#include "tests/trace_events.h"
#include "training/task.h"

namespace cairn {
namespace {

Recipe small_recipe(const std::string& more = "") {
  return Recipe::from_text(
      "task = \"magicpoint\"\n[model]\narchitecture = \"magicpoint\"\nnorm = \"pre\"\n"
      "[train]\nsteps = 4\nbatch = 2\nlog_every = 1\nevaluate_every = 100\nevaluate_at_end = "
      "false\n"
      "checkpoint_every = 2\n[data]\nheight = 120\nwidth = 160\nworkers = 1\n" +
          more,
      "test.toml");
}

const auto nothing = [](const TrainProgress&) {};

TrainOptions into(const std::string& folder) {
  TrainOptions options;
  options.out = folder;
  return options;
}

void expect_same_tensors(const std::string& a, const std::string& b) {
  const SafetensorsFile first = read_safetensors(a), second = read_safetensors(b);
  ASSERT_EQ(first.tensors.size(), second.tensors.size());
  for (const auto& [name, tensor] : first.tensors) {
    const Tensor& other = second.tensors.at(name);
    ASSERT_EQ(tensor.bytes(), other.bytes()) << name;
    EXPECT_EQ(std::memcmp(tensor.raw(), other.raw(), tensor.bytes()), 0) << name;
  }
}

TEST(Trainer, AResumedRunEndsBitForBitWhereTheUninterruptedOneDoes) {
  TemporaryFolder folder;
  train(small_recipe(), into(folder / "whole"), [](const TrainProgress&) {});

  // Stop after two steps, as Ctrl-C does, then go on.
  const TrainResult stopped =
      train(small_recipe(), into(folder / "parts"), [](const TrainProgress& p) {
        if (p.step == 2) request_stop();
      });
  EXPECT_TRUE(stopped.interrupted);
  EXPECT_EQ(stopped.steps_done, 2);
  TrainOptions resume = into(folder / "parts");
  resume.resume = true;
  const TrainResult done = train(small_recipe(), resume, [](const TrainProgress&) {});
  EXPECT_EQ(done.steps_done, 4);
  EXPECT_FALSE(done.interrupted);
  EXPECT_GT(done.seconds, stopped.seconds);  // of the whole run, not of the second call
  expect_same_tensors(folder / "whole/checkpoint.safetensors",
                      folder / "parts/checkpoint.safetensors");
}

TEST(Trainer, ARunWithACacheResumesBitForBit) {
  TemporaryFolder folder;
  const Recipe recipe = small_recipe("cache = 3\n");
  train(recipe, into(folder / "whole"), nothing);
  train(recipe, into(folder / "parts"), [](const TrainProgress& p) {
    if (p.step == 2) request_stop();
  });
  TrainOptions resume = into(folder / "parts");
  resume.resume = true;
  train(recipe, resume, nothing);
  expect_same_tensors(folder / "whole/checkpoint.safetensors",
                      folder / "parts/checkpoint.safetensors");
}

TEST(Trainer, MagicPointLearnsFromACache) {
  TemporaryFolder folder;
  Recipe recipe = small_recipe("cache = 20\n");
  for (const char* setting : {"train.steps=24", "train.batch=4", "train.checkpoint_every=100"})
    recipe.set(setting);
  std::vector<double> losses;
  train(recipe, into(folder / "run"), [&](const TrainProgress& p) { losses.push_back(p.loss); });
  ASSERT_EQ(losses.size(), 24u);
  double last = 0;
  for (size_t i = 19; i < 24; ++i) last += losses[i] / 5;
  EXPECT_GT(losses[0], 4);  // log 65 = 4.2: nothing is known
  EXPECT_LT(last, 3.8);
}

// Two steps warm up, the others are replays of a graph, with checkpoints and what `evaluate` says
// between.
void expect_captured_as_eager(const std::string& task_and_data, const std::string& evaluate) {
  TemporaryFolder folder;
  const auto run = [&](const char* name, bool eager) {
    const Recipe recipe = Recipe::from_text(
        task_and_data +
            "height = 32\nwidth = 32\n"
            "[train]\nsteps = 5\nbatch = 2\nlog_every = 2\n"
            "checkpoint_every = 2\naverage_weights = 0.5\nclip_norm = 1\nwarmup_steps = 3\n" +
            evaluate,
        "test.toml");
    TrainOptions options = into(folder / name);
    options.device = Device::simt;
    options.detect_anomaly = eager;
    train(recipe, options, nothing);
  };
  run("eager", true);
  run("captured", false);
  for (const char* file : {"checkpoint.safetensors", "model.safetensors"})
    expect_same_tensors(folder / (std::string("eager/") + file),
                        folder / (std::string("captured/") + file));
}

const std::string small_hourglass =
    "task = \"keypoints\"\n[model]\narchitecture = \"stacked_hourglass\"\nstacks = 1\n"
    "features = 8\ndepth = 1\n[augment]\ngain = 0.2\noccluders = 0.5\nnoise = 10\n"
    "[eval]\nthreshold = 0.5\nimages = 1\npictures = 1\n[data]\n";

TEST(Trainer, OnSimtCapturedStepsEndBitForBitWhereEagerOnesDo) {
  if (!build::has_simt) GTEST_SKIP() << "this build has no simt";
  expect_captured_as_eager(small_hourglass + "source = \"stickman\"\n", "evaluate_every = 4\n");
}

// Their images are kept on the device and cropped there.
TEST(Trainer, OnSimtCapturedStepsOfAnnotatedImagesDoSoToo) {
  if (!build::has_simt) GTEST_SKIP() << "this build has no simt";
  TemporaryFolder images;
  std::string rows = "file,left_x,left_y,left_v,right_x,right_y,right_v\n";
  for (int n = 0; n < 3; ++n) {
    const std::string name = std::to_string(n) + ".png";
    write_png(images / name, Tensor::full({40 + n, 50, 3}, 60 * n + 40, DType::u8));
    rows += name + ",10,20,1,40,30,1\n";
  }
  write_file(images / "points.csv", rows);
  const std::string path = images / "points.csv";
  expect_captured_as_eager(
      small_hourglass + "train = \"" + path + "\"\nvalidation = \"" + path + "\"\n",
      "evaluate_every = 4\n");
}

// Images through a warp, and warps about the landmarks that the network finds.
TEST(Trainer, OnSimtCapturedStepsWithoutLabelsDoSoToo) {
  if (!build::has_simt) GTEST_SKIP() << "this build has no simt";
  expect_captured_as_eager(
      "task = \"landmarks\"\n[model]\narchitecture = \"landmark_autoencoder\"\nsize = \"mini\"\n"
      "landmarks = 3\n[warp]\nfirst = true\nby_landmarks = 0.7\nlandmark_ramp = [0, 1]\n"
      "[reconstruction]\nweights = [1, 5]\nfrom = [4]\n"
      "[eval]\nreference = \"right_eye:left_eye\"\nfit_images = 8\nimages = 4\n"
      "[data]\nsource = \"synthface\"\n",
      "evaluate_at_end = false\n");
}

TEST(Trainer, AResumedRunOfAveragedWeightsEndsBitForBitWhereTheUninterruptedOneDoes) {
  TemporaryFolder folder;
  const auto recipe = [] {
    Recipe r = small_recipe();
    r.set("train.average_weights=0.5");
    return r;
  };
  train(recipe(), into(folder / "whole"), [](const TrainProgress&) {});
  train(recipe(), into(folder / "parts"), [](const TrainProgress& p) {
    if (p.step == 2) request_stop();
  });
  TrainOptions resume = into(folder / "parts");
  resume.resume = true;
  train(recipe(), resume, [](const TrainProgress&) {});
  expect_same_tensors(folder / "whole/checkpoint.safetensors",
                      folder / "parts/checkpoint.safetensors");
  expect_same_tensors(folder / "whole/model.safetensors", folder / "parts/model.safetensors");

  const SafetensorsFile state = read_safetensors(folder / "whole/checkpoint.safetensors"),
                        model = read_safetensors(folder / "whole/model.safetensors");
  EXPECT_EQ(model.tensors.at("conv1a.weight").values<float>(),
            state.tensors.at("average.conv1a.weight").values<float>());
  EXPECT_NE(model.tensors.at("conv1a.weight").values<float>(),
            state.tensors.at("conv1a.weight").values<float>());
  try {  // without averaging, the state does not fit
    train(small_recipe(), resume, [](const TrainProgress&) {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.wrong.find("average.conv1a.weight: not in this run"), std::string::npos);
  }
}

TEST(Trainer, PatienceIsRefusedWhereATaskHasNothingToBePatientAbout) {
  TemporaryFolder folder;
  Recipe recipe = small_recipe();
  recipe.set("train.patience=2");
  EXPECT_THROW(train(recipe, into(folder / "run"), [](const TrainProgress&) {}), UsageError);
}

// A learning rate of 0 keeps the weights as they were at the start.
TEST(Trainer, ARunStartsFromTheWeightsOfAFileAndAtRandomWhereItHasNone) {
  TemporaryFolder folder;
  train(small_recipe(), into(folder / "detector"), [](const TrainProgress&) {});
  Recipe joint = small_recipe();
  joint.set("model.architecture=superpoint");
  joint.set("train.initial_weights=" + (folder / "detector/model.safetensors"));
  joint.set("train.lr=0");
  train(joint, into(folder / "joint"), [](const TrainProgress&) {});
  const SafetensorsFile from = read_safetensors(folder / "detector/model.safetensors"),
                        to = read_safetensors(folder / "joint/model.safetensors");
  for (const char* name : {"conv1a.weight", "bn4b.bias", "convPb.weight"})
    EXPECT_EQ(from.tensors.at(name).values<float>(), to.tensors.at(name).values<float>()) << name;
  EXPECT_FALSE(from.tensors.contains("convDa.weight"));
  EXPECT_TRUE(to.tensors.contains("convDa.weight"));
}

TEST(Trainer, SomeOfTheInitialWeightsStayAlsoInARunThatWasResumed) {
  TemporaryFolder folder;
  train(small_recipe(), into(folder / "first"), [](const TrainProgress&) {});
  Recipe more = small_recipe();
  more.set("train.initial_weights=" + (folder / "first/model.safetensors"));
  more.set("train.initial_share=0.25");
  train(more, into(folder / "more"), [](const TrainProgress& p) {
    if (p.step == 2) request_stop();
  });
  TrainOptions resume = into(folder / "more");
  resume.resume = true;
  train(more, resume, [](const TrainProgress&) {});
  const auto value = [&](const char* file, const char* name) {
    return read_safetensors(folder / file).tensors.at(name).values<float>()[7];
  };
  const char* name = "conv1a.weight";
  EXPECT_NEAR(value("more/model.safetensors", name),
              0.25 * value("first/model.safetensors", name) +
                  0.75 * value("more/checkpoint.safetensors", name),
              1e-6);
  Recipe none = small_recipe();
  none.set("train.initial_share=0.5");
  EXPECT_THROW(train(none, into(folder / "none"), [](const TrainProgress&) {}), UsageError);
}

TEST(Trainer, InitialWeightsOfAnotherModelAreRefused) {
  TemporaryFolder folder;
  train(small_recipe(), into(folder / "normed"), [](const TrainProgress&) {});
  Recipe other = small_recipe();
  other.set("model.norm=none");
  other.set("train.initial_weights=" + (folder / "normed/model.safetensors"));
  try {
    train(other, into(folder / "other"), [](const TrainProgress&) {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.wrong.find("unexpected  bn1a.weight"), std::string::npos) << e.what();
  }
}

TEST(Trainer, ARunLeavesEverythingThatIsNeededToRepeatAndToUseIt) {
  TemporaryFolder folder;
  train(small_recipe(), into(folder / "run"), [](const TrainProgress&) {});
  for (const char* file :
       {"config.toml", "log.jsonl", "checkpoint.safetensors", "model.safetensors", "report.html"})
    EXPECT_TRUE(std::filesystem::exists(folder / ("run/" + std::string(file)))) << file;
  const LoadedModel loaded = load_model(folder / "run/model.safetensors", "", Device::cpu);
  EXPECT_EQ(loaded.model->architecture(), "superpoint");
  EXPECT_EQ(loaded.model->options().at("norm"), "pre");
  EXPECT_EQ(read_log(folder / "run/log.jsonl").size(), 4u);
  Recipe again = Recipe::from_file(folder / "run/config.toml");
  EXPECT_EQ(again.integer("train.steps", 0, 0, 100), 4);
}

// Its batch norms have exact statistics, where the checkpoint goes on with those of the run.
TEST(Trainer, TheModelHandedOutIsTheOneThatWasEvaluated) {
  TemporaryFolder folder;
  Recipe recipe = small_recipe("[eval]\nimages = 4\n");
  recipe.set("train.evaluate_at_end=true");
  const TrainResult result = train(recipe, into(folder / "run"), [](const TrainProgress&) {});
  const LoadedModel loaded = load_model(folder / "run/model.safetensors", "", Device::cpu);
  const auto task = make_task(recipe, 1);
  EXPECT_EQ(task->evaluate(*loaded.model, Device::cpu).metrics, result.metrics);

  const SafetensorsFile model = read_safetensors(folder / "run/model.safetensors"),
                        state = read_safetensors(folder / "run/checkpoint.safetensors");
  const char* weight = "conv4b.weight";
  EXPECT_EQ(model.tensors.at(weight).values<float>(), state.tensors.at(weight).values<float>());
  const char* statistics = "bn4b.running_var";
  EXPECT_NE(model.tensors.at(statistics).values<float>(),
            state.tensors.at(statistics).values<float>());
}

TEST(Trainer, AFolderThatHoldsARunIsNotOverwritten) {
  TemporaryFolder folder;
  train(small_recipe(), into(folder / "run"), [](const TrainProgress&) {});
  EXPECT_THROW(train(small_recipe(), into(folder / "run"), [](const TrainProgress&) {}), Error);
}

TEST(Trainer, ACheckpointOfAnotherModelIsRefusedWithAllMismatches) {
  TemporaryFolder folder;
  train(small_recipe(), into(folder / "run"), [](const TrainProgress&) {});
  TrainOptions resume = into(folder / "run");
  resume.resume = true;
  Recipe other = small_recipe();
  other.set("model.norm=none");
  try {
    train(other, resume, [](const TrainProgress&) {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.wrong.find("bn1a"), std::string::npos) << e.what();
    EXPECT_NE(e.wrong.find("bnPb"), std::string::npos) << e.what();
  }
}

TEST(Trainer, ANonFiniteLossStopsTheRunAndLeavesTheLastCheckpoint) {
  TemporaryFolder folder;
  Recipe recipe = small_recipe();
  recipe.set("train.lr=10");  // the largest allowed: diverges at once without normalisation
  recipe.set("model.norm=none");
  recipe.set("train.steps=60");
  recipe.set("optimizer.name=sgd");
  const Error each = caught([&] { train(recipe, into(folder / "each"), nothing); });
  EXPECT_NE(each.wrong.find("the loss became"), std::string::npos) << each.what();
  // Read in the last of several steps, it is found before anything is written.
  recipe.set("train.log_every=60");
  recipe.set("train.checkpoint_every=8");
  const Error later = caught([&] { train(recipe, into(folder / "run"), nothing); });
  EXPECT_EQ(later.wrong, each.wrong);
  EXPECT_FALSE(std::filesystem::exists(folder / "run/checkpoint.safetensors"));
  for (const auto& entry : std::filesystem::directory_iterator(folder / "run"))
    EXPECT_EQ(entry.path().string().find(".tmp"), std::string::npos) << entry.path();
}

TEST(Trainer, AProfileShowsTheLastStepsOfAShortRunWithModulesForwardAndBackward) {
  TemporaryFolder folder;
  Recipe recipe = small_recipe();
  for (const char* setting :
       {"train.steps=12", "train.batch=1", "train.evaluate_every=12", "eval.images=2"})
    recipe.set(setting);
  TrainOptions options = into(folder / "run");
  Profile profile(folder / "trace.json");
  options.profile = &profile;
  train(recipe, options, [](const TrainProgress&) {});
  ASSERT_TRUE(profile.finished());

  const TraceEvents trace(folder / "trace.json");
  trace.expect_nested();
  const auto steps = trace.named("step");
  ASSERT_EQ(steps.size(), 10u);
  for (size_t i = 0; i < steps.size(); ++i) EXPECT_EQ(steps[i].at("args").at("step"), 3 + i);

  const auto expect_within = [&](const std::string& inner, const nlohmann::json& outer) {
    const auto found = trace.named(inner);
    EXPECT_TRUE(std::any_of(found.begin(), found.end(),
                            [&](const auto& e) { return TraceEvents::within(e, outer); }))
        << inner << " in " << outer;
  };
  for (const char* part :
       {"wait for a batch", "copy the batch", "forward", "backward", "optimizer step", "log"})
    expect_within(part, steps[0]);
  for (const char* part : {"checkpoint", "evaluation"}) expect_within(part, steps[9]);
  for (const char* module : {"conv1a", "bn1a", "convPb"}) {
    expect_within(module, trace.named("forward").at(0));
    expect_within(module + std::string(" backward"), trace.named("backward").at(0));
  }
  expect_within("conv2d", trace.named("conv1a").at(0));
  expect_within("conv2d_backward_weights", trace.named("conv1b backward").at(0));
  expect_within("adam", trace.named("optimizer step").at(0));
  const std::string tensors = trace.named("conv2d").at(0).at("args").at("tensors");
  EXPECT_TRUE(tensors.starts_with("f32[1,120,160,1] f32[64,3,3,1]")) << tensors;

  EXPECT_EQ(trace.thread_names(), (std::set<std::string>{"main", "data worker 1"}));
  EXPECT_NE(trace.named("make a batch").at(0).at("tid"), steps[0].at("tid"));
  EXPECT_FALSE(trace.of("C").empty());
}

TEST(Trainer, ARunThatEndsBeforeTheRecordedStepsHasNoProfile) {
  TemporaryFolder folder;
  Recipe recipe = small_recipe();
  recipe.set("train.steps=20");
  TrainOptions options = into(folder / "run");
  Profile profile(folder / "trace.json");
  options.profile = &profile;
  train(recipe, options, [](const TrainProgress& p) {
    if (p.step == 2) request_stop();
  });
  EXPECT_FALSE(profile.finished());
  EXPECT_FALSE(std::filesystem::exists(folder / "trace.json"));
}

}  // namespace
}  // namespace cairn
