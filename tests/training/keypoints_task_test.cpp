// The task of recipes/stickman.toml and its like through the training loop.
#include <gtest/gtest.h>

#include "models/model_file.h"
#include "runtime/error.h"
#include "tests/caught.h"
#include "tests/training/keypoint_files.h"
#include "training/run_log.h"
#include "training/stickman.h"
#include "training/trainer.h"

namespace cairn {
namespace {

class KeypointsTaskTest : public testing::Test {
 protected:
  // A small network on small figures.
  Recipe recipe(const std::vector<std::string>& more = {}) const {
    Recipe r = Recipe::from_text(
        "task = \"keypoints\"\n[model]\narchitecture = \"stacked_hourglass\"\nstacks = 1\n"
        "features = 8\ndepth = 1\n[data]\nsource = \"stickman\"\nheight = 64\nwidth = 64\n"
        "[train]\nsteps = 4\nbatch = 2\nlog_every = 1\nevaluate_every = 2\n"
        "[eval]\nreference = \"head\"\nthreshold = 0.5\nimages = 3\npictures = 2\n",
        "test.toml");
    for (const std::string& s : more) r.set(s);
    return r;
  }
  TrainResult run(const Recipe& r, bool resume = false) const {
    TrainOptions options;
    options.out = folder_ / "run";
    options.resume = resume;
    return train(r, options, [](const TrainProgress&) {});
  }
  std::string message(const std::vector<std::string>& more) const {
    return error_of([&] { run(recipe(more)); });
  }
  // Two figures as a data set.
  std::string write_data() const {
    std::string header = "file", rows;
    for (const std::string& name : mpii_skeleton().names)
      header += "," + name + "_x," + name + "_y," + name + "_v";
    for (int i = 0; i < 2; ++i) {
      StickmanOptions o;
      o.size = 64;
      const Stickman s = stickman(o, i);
      const std::string name = std::to_string(i) + ".png";
      write_png(folder_ / name, s.image);
      rows += name;
      for (const LabelledPoint& p : s.figures[0].points) rows += text(",", p.x, ",", p.y, ",1");
      rows += "\n";
    }
    write_file(folder_ / "points.csv", header + "\n" + rows);
    return folder_ / "points.csv";
  }

  TemporaryFolder folder_;
};

TEST_F(KeypointsTaskTest, ARunMeasuresItselfAndTheModelKnowsWhatItsPointsAreCalled) {
  const TrainResult result = run(recipe());
  for (const char* metric : {"pck", "nme", "pixels_mean", "pixels_median", "loss_of_zero"})
    EXPECT_TRUE(result.metrics.contains(metric)) << metric;
  EXPECT_TRUE(std::filesystem::exists(folder_ / "run/samples/validation-4.png"));
  const LoadedModel loaded = load_model(folder_ / "run/model.safetensors", "", Device::cpu);
  ASSERT_NE(loaded.model->skeleton(), nullptr);
  EXPECT_EQ(loaded.model->skeleton()->names, mpii_skeleton().names);
  EXPECT_EQ(loaded.model->skeleton()->swap, mpii_skeleton().swap);
  EXPECT_EQ(loaded.model->skeleton()->bones, mpii_skeleton().bones);
}

TEST_F(KeypointsTaskTest, ANetworkThatPredictsNothingYetIsWarnedOf) {
  run(recipe({"train.lr=0"}));
  std::vector<std::string> warnings;
  for (const LogRow& row : read_log(folder_ / "run/log.jsonl"))
    for (const std::string& warning : row.warnings) warnings.push_back(warning);
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_NE(warnings[0].find("learned nothing yet"), std::string::npos);
  EXPECT_NE(read_file(folder_ / "run/report.html").find("learned nothing yet"), std::string::npos);
}

TEST_F(KeypointsTaskTest, PatienceKeepsTheBestWeightsAndEndsTheRun) {
  // Without learning nothing gets better for long: batch-norm statistics alone change a little.
  const Recipe r = recipe({"train.lr=0", "train.patience=2", "train.steps=100"});
  const TrainResult result = run(r);
  EXPECT_GE(result.best_step, 2);
  EXPECT_EQ(result.steps_done, result.best_step + 4);  // two evaluations, one every two steps
  EXPECT_FALSE(result.interrupted);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "run/model.safetensors"));
}

TEST_F(KeypointsTaskTest, ARunOnFilesGoesOnWithTheBatchesThatItWouldHaveHad) {
  const std::string points = write_data();
  const std::vector<std::string> files = {
      "data.source=files",     "data.train=" + points, "data.validation=" + points,
      "eval.reference=pixels", "eval.flip=true",       "data.workers=1"};
  const auto last_loss = [&] {
    double loss = 0;
    for (const LogRow& row : read_log(folder_ / "run/log.jsonl"))
      if (row.kind == "step") loss = row.values.at("loss");
    return loss;
  };
  run(recipe(files));
  const double whole = last_loss();
  std::filesystem::rename(folder_ / "run", folder_ / "whole");
  Recipe first = recipe(files);
  first.set("train.steps=1");
  run(first);
  run(recipe(files), true);
  EXPECT_EQ(last_loss(), whole);
}

TEST_F(KeypointsTaskTest, WhatDoesNotFitTogetherIsRefusedBeforeAnythingIsWritten) {
  EXPECT_NE(message({"data.source=files"}).find("data.train: no annotation file"),
            std::string::npos);
  EXPECT_NE(message({"data.height=60", "data.width=60"}).find("data.height: it is 60"),
            std::string::npos);
  EXPECT_NE(message({"data.width=128"}).find("a square"), std::string::npos);
  EXPECT_NE(message({"model.architecture=superpoint"}).find("superpoint"), std::string::npos);
  EXPECT_NE(message({"augment.scale_low=2"}).find("augment.scale_low"), std::string::npos);
  const std::string points = write_data();
  write_file(folder_ / "other.csv", "file,a_x,a_y\n0.png,3,4\n");
  EXPECT_NE(message({"data.source=files", "data.train=" + points,
                     "data.validation=" + (folder_ / "other.csv"), "eval.reference=pixels"})
                .find("data.validation: it has 1 points, data.train 16"),
            std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

}  // namespace
}  // namespace cairn
