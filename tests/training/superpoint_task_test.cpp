// The task of recipes/superpoint.toml through the training loop.
#include <gtest/gtest.h>

#include "models/keypoint_files.h"
#include "runtime/atomic_file.h"
#include "runtime/error.h"
#include "runtime/image.h"
#include "tests/temporary_folder.h"
#include "training/textures.h"
#include "training/trainer.h"

namespace cairn {
namespace {

class SuperPointTaskTest : public testing::Test {
 protected:
  // Two labelled textures and an image that cannot be read.
  SuperPointTaskTest() {
    std::filesystem::create_directory(images_);
    std::filesystem::create_directory(labels_);
    Keypoints points;
    points.points = {{30, 40}, {100, 50}};
    points.scores = {0.9f, 0.8f};
    for (int i : {0, 1}) {
      write_png(text(images_, "/", i, ".png"), texture({120, 160, 3}, i));
      write_keypoints_npz(text(labels_, "/", i, ".npz"), points, 160, 120);
    }
    write_file(images_ + "/broken.png", "no image");
  }

  Recipe recipe(const std::vector<std::string>& more = {}) const {
    Recipe r = Recipe::from_text(
        "task = \"superpoint\"\n[model]\narchitecture = \"superpoint\"\n"
        "[train]\nsteps = 3\nbatch = 1\nlog_every = 1\n"
        "[data]\nheight = 120\nwidth = 160\nshapes = 0.3\n[eval]\npairs = 1\n",
        "test.toml");
    r.set("data.images=" + images_);
    r.set("data.labels=" + labels_);
    for (const std::string& s : more) r.set(s);
    return r;
  }
  TrainResult run(const Recipe& r) const {
    TrainOptions options;
    options.out = folder_ / "run";
    return train(r, options, [](const TrainProgress&) {});
  }
  LogRow last_step(const std::string& run) const {
    LogRow last;
    for (const LogRow& row : read_log(folder_ / run + "/log.jsonl"))
      if (row.kind == "step") last = row;
    return last;
  }
  std::string message(const std::vector<std::string>& more) const {
    try {
      run(recipe(more));
    } catch (const Error& e) {
      return e.what();
    }
    return "no error";
  }

  TemporaryFolder folder_;
  const std::string images_ = folder_ / "images", labels_ = folder_ / "labels";
};

TEST_F(SuperPointTaskTest, ARunLogsTheTermsOfTheLossAndNamesTheImagesLeftOut) {
  const TrainResult result = run(recipe());
  EXPECT_EQ(result.steps_done, 3);
  ASSERT_EQ(result.left_out.size(), 1u);
  EXPECT_NE(result.left_out[0].find("broken.png"), std::string::npos) << result.left_out[0];
  for (const LogRow& row : read_log(folder_ / "run/log.jsonl")) {
    if (row.kind != "step") continue;
    const auto& v = row.values;
    EXPECT_NEAR(v.at("loss"), v.at("detector") + v.at("descriptor"), 1e-4);
    EXPECT_LE(v.at("positive_cosine"), 1);
  }
  EXPECT_TRUE(result.metrics.contains("matches_within_3px"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "run/samples/pair_medium-3.png"));
}

TEST_F(SuperPointTaskTest, ARunGoesOnWithTheBatchesThatItWouldHaveHad) {
  run(recipe());
  std::filesystem::rename(folder_ / "run", folder_ / "whole");
  run(recipe({"train.steps=1"}));
  TrainOptions resume;
  resume.out = folder_ / "run";
  resume.resume = true;
  train(recipe(), resume, [](const TrainProgress&) {});
  EXPECT_EQ(last_step("run").step, 3);
  EXPECT_EQ(last_step("run").values.at("positive_cosine"),
            last_step("whole").values.at("positive_cosine"));
}

TEST_F(SuperPointTaskTest, WithLabelsOfSeveralSizesARunSeesWindowsOfTheImages) {
  Keypoints points;
  points.points = {{60, 80}};
  points.scores = {0.9f};
  const std::string twice = folder_ / "twice";
  std::filesystem::create_directory(twice);
  for (int i : {0, 1}) write_keypoints_npz(text(twice, "/", i, ".npz"), points, 320, 240);
  const std::string both = text("data.labels=[\"", labels_, "\", \"", twice, "\"]");
  const TrainResult result = run(recipe({both, "train.steps=1"}));
  EXPECT_EQ(result.steps_done, 1);
  EXPECT_EQ(result.left_out.size(), 1u);  // named once
  EXPECT_NE(message({text("data.labels=[\"", twice, "\", \"", labels_, "\"]")}).find("120x160"),
            std::string::npos);
}

TEST_F(SuperPointTaskTest, TheBackboneThatReadsColoursTrainsOnGreyImages) {
  EXPECT_EQ(run(recipe({"model.architecture=superpoint-mnv2", "data.workers=1", "train.steps=1"}))
                .steps_done,
            1);
}

TEST_F(SuperPointTaskTest, RecipesWithoutImagesWithoutLabelsOrOfABadSizeAreRefused) {
  EXPECT_NE(message({"data.images="}).find("data.images: no folder"), std::string::npos);
  EXPECT_NE(message({"data.labels="}).find("data.labels: no folder"), std::string::npos);
  EXPECT_NE(message({"data.height=61"}).find("data.height: it is 61"), std::string::npos);
  EXPECT_NE(message({"data.height=64"}).find("120x160 or 240x320"), std::string::npos);
  EXPECT_NE(message({"data.height=240", "data.width=320"}).find("an image of 160 x 120"),
            std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

}  // namespace
}  // namespace cairn
