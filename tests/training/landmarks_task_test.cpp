// The task of recipes/landmark_autoencoder_mini.toml through the training loop.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "models/landmark_autoencoder.h"
#include "models/model_file.h"
#include "runtime/atomic_file.h"
#include "runtime/error.h"
#include "runtime/image.h"
#include "tests/caught.h"
#include "tests/temporary_folder.h"
#include "training/landmark_evaluation.h"
#include "training/landmark_pictures.h"
#include "training/synth_faces.h"
#include "training/trainer.h"

namespace cairn {
namespace {

class LandmarksTaskTest : public testing::Test {
 protected:
  Recipe recipe(const std::vector<std::string>& more = {}) const {
    Recipe r = Recipe::from_text(
        "task = \"landmarks\"\n[model]\narchitecture = \"landmark_autoencoder\"\nsize = \"mini\"\n"
        "landmarks = 3\n[data]\nheight = 16\nwidth = 16\nsource = \"synthface\"\n"
        "[train]\nsteps = 3\nbatch = 2\nlog_every = 1\n"
        "[eval]\npoints = 5\nfit_images = 30\nimages = 20\nreference = \"right_eye:left_eye\"\n",
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
  std::vector<LogRow> steps() const {
    std::vector<LogRow> rows;
    for (const LogRow& row : read_log(folder_ / "run/log.jsonl"))
      if (row.kind == "step") rows.push_back(row);
    return rows;
  }

  TemporaryFolder folder_;
};

TEST_F(LandmarksTaskTest, ARunLogsTheTermsOfTheLossAndMeasuresItsLandmarks) {
  const TrainResult result = run(recipe());
  for (const LogRow& row : steps())
    EXPECT_NEAR(row.values.at("loss"),
                row.values.at("concentration") + row.values.at("separation") +
                    row.values.at("equivariance") + row.values.at("reconstruction"),
                1e-4 * row.values.at("loss"));
  for (const char* metric : {"error", "backward_error", "error_of_mean_shape", "warp_error", "psnr",
                             "psnr_of_mean_colour", "sigma", "least_distance"})
    EXPECT_TRUE(std::isfinite(result.metrics.at(metric))) << metric;
  EXPECT_TRUE(std::filesystem::exists(folder_ / "run/samples/landmarks-3.png"));
  const LoadedModel loaded = load_model(folder_ / "run/model.safetensors", "", Device::cpu);
  EXPECT_EQ(loaded.model->crop_rule()->height, 16);
}

TEST_F(LandmarksTaskTest, ARunGoesOnWithTheBatchesThatItWouldHaveHad) {
  run(recipe());
  const double whole = steps().back().values.at("loss");
  std::filesystem::rename(folder_ / "run", folder_ / "whole");
  run(recipe({"train.steps=1"}));
  run(recipe(), true);
  EXPECT_EQ(steps().back().step, 3);
  EXPECT_EQ(steps().back().values.at("loss"), whole);
}

TEST_F(LandmarksTaskTest, ReconstructionCountsByStepsAndTheLearningRateDrops) {
  run(recipe({"reconstruction.weights=[0, 1, 10]", "reconstruction.from=[1, 2]", "train.lr=0.01",
              "train.lr_drops=[1, 2]"}));
  const auto rows = steps();
  const auto weight = [&](size_t i) {
    return rows[i].values.at("reconstruction") / (0.5 * 768 * rows[i].values.at("squared_error"));
  };
  EXPECT_EQ(weight(0), 0);
  EXPECT_NEAR(weight(1), 1, 1e-4);
  EXPECT_NEAR(weight(2), 10, 1e-3);
  EXPECT_NEAR(rows[0].values.at("lr"), 0.01, 1e-9);
  EXPECT_NEAR(rows[1].values.at("lr"), 0.001, 1e-9);
  EXPECT_NEAR(rows[2].values.at("lr"), 0.0001, 1e-9);
}

TEST_F(LandmarksTaskTest, WarpsMayHaveLandmarksAsTheirControlPoints) {
  run(recipe());
  const double grid = steps().back().values.at("equivariance");
  std::filesystem::rename(folder_ / "run", folder_ / "grid");
  run(recipe({"warp.by_landmarks=1", "warp.landmark_ramp=[0, 1]"}));
  EXPECT_NE(steps().back().values.at("equivariance"), grid);
  EXPECT_EQ(steps().front().values.at("loss"),
            read_log(folder_ / "grid/log.jsonl").front().values.at("loss"));  // before the ramp
  EXPECT_NE(message({"warp.landmark_ramp=[3]"}).find("1 numbers"), std::string::npos);
}

TEST_F(LandmarksTaskTest, WarpsMayBeAffineAndImagesThemselvesWarped) {
  const auto first_loss = [&](const std::vector<std::string>& more) {
    std::filesystem::remove_all(folder_ / "run");
    run(recipe(more));
    return steps().front().values.at("loss");
  };
  const double usual = first_loss({}), affine = first_loss({"warp.form=affine"}),
               both = first_loss({"warp.form=affine", "warp.first=true"});
  EXPECT_NE(affine, usual);
  EXPECT_NE(both, affine);
  EXPECT_NE(message({"warp.form=affine", "warp.scale_low=2"}).find("above warp.scale_high"),
            std::string::npos);
}

// Folders of images: other sizes, smaller than the network, grey, and one that is broken.
TEST_F(LandmarksTaskTest, AFolderOfImagesNeedsNoLabels) {
  const std::string images = folder_ / "images";
  std::filesystem::create_directory(images);
  write_png(images + "/wide.png", Tensor::full({20, 60, 3}, 100, DType::u8));
  write_png(images + "/small.png", synth_face({16, 1}, 0).image);
  write_png(images + "/grey.png", Tensor::full({40, 40, 1}, 90, DType::u8));
  write_file(images + "/broken.png", "no image");
  const TrainResult result = run(
      recipe({"data.source=files", "data.images=" + images, "data.height=24", "data.width=24"}));
  ASSERT_EQ(result.left_out.size(), 1u);
  EXPECT_NE(result.left_out[0].find("broken.png"), std::string::npos);
  EXPECT_TRUE(std::isfinite(result.metrics.at("warp_error")));
  EXPECT_FALSE(result.metrics.contains("error"));
}

TEST_F(LandmarksTaskTest, AnnotatedImagesThatCannotBeReadAreNamedAlsoOfTheValidationSet) {
  const std::string header = "file,a_x,a_y,a_v,b_x,b_y,b_v\n";
  for (const char* set : {"train", "dev"}) {
    const std::string dir = folder_ / set;
    std::filesystem::create_directory(dir);
    std::string rows = header;
    for (int i = 0; i < 4; ++i) {
      write_png(text(dir, "/", i, ".png"), synth_face({16, 1}, i).image);
      rows += text(i, ".png,", 3 + i, ",4,1,12,", 5 + i, ",1\n");
    }
    write_file(dir + "/points.csv", rows + "broken.png,3,4,1,12,5,1\n");
    write_file(dir + "/broken.png", "no image");
  }
  const TrainResult result =
      run(recipe({"data.source=files", "data.train=" + (folder_ / "train/points.csv"),
                  "data.validation=" + (folder_ / "dev/points.csv"), "eval.points=0",
                  "eval.reference=a:b", "train.steps=1"}));
  for (const char* set : {"train", "dev"})
    EXPECT_EQ(std::count_if(result.left_out.begin(), result.left_out.end(),
                            [&](const std::string& line) {
                              return line.find(text("/", set, "/")) != std::string::npos &&
                                     line.find("broken.png") != std::string::npos;
                            }),
              1)
        << set;
  EXPECT_TRUE(result.metrics.contains("error"));
}

TEST_F(LandmarksTaskTest, WhatIsWrongIsNamed) {
  EXPECT_NE(message({"data.source=files"}).find("neither it nor data.train"), std::string::npos);
  EXPECT_NE(message({"data.width=24"}).find("a square"), std::string::npos);
  EXPECT_NE(message({"data.height=20", "data.width=20"}).find("multiples of 8"), std::string::npos);
  EXPECT_NE(message({"eval.reference=box"}).find("distance of two points"), std::string::npos);
  EXPECT_NE(message({"eval.reference=a:b"}).find("'a'"), std::string::npos);
  EXPECT_NE(message({"reconstruction.weights=[1, 2]"}).find("0 steps, 2 weights"),
            std::string::npos);
  EXPECT_NE(message({"data.source=files", "data.images=" + (folder_ / "none")}).find("none"),
            std::string::npos);
  Recipe r = Recipe::from_text(
      "task = \"landmarks\"\n[model]\narchitecture = \"stacked_hourglass\"\n[data]\nheight = 16\n"
      "width = 16\nsource = \"synthface\"\n[eval]\nreference = \"right_eye:left_eye\"\n",
      "test.toml");
  EXPECT_NE(error_of([&] { run(r); }).find("does not learn from warps"), std::string::npos);
}

TEST(LandmarkEvaluation, ALandmarkWithoutPixelsIsDead) {
  const auto model = make_model(
      "landmark_autoencoder",
      {{"size", "mini"}, {"landmarks", "3"}, {"input_height", "16"}, {"input_width", "16"}});
  Parameters parameters(*model, Device::cpu);
  parameters.initialize(1);
  auto& network = dynamic_cast<LandmarkAutoencoder&>(*model);
  const Tensor images = Tensor::full({2, 16, 16, 3}, 0.5);
  EXPECT_TRUE(dead_landmarks(network, images, Device::cpu).empty());
  for (const Segment& s : parameters.segments())
    if (s.name == "detector.up.0.1.bn.bias") s.parameter->value.data<float>()[1] = -50;
  EXPECT_EQ(dead_landmarks(network, images, Device::cpu), std::vector<int>{1});
}

TEST(LandmarkEvaluation, TheLeastDistanceIsThatOfTheNearestTwoInTheMean) {
  const Tensor landmarks =
      Tensor::from<double>({2, 3, 2}, {0, 0, 0.3, 0.4, 1, 1, 0, 0, 0, 0.1, 1, 1});
  EXPECT_NEAR(least_distance(landmarks), (0.5 + 0.1) / 2, 1e-12);
  EXPECT_TRUE(std::isnan(least_distance(landmarks.reshape({6, 1, 2}))));
}

// Of images that are all alike, nothing is exchanged: what is left is how far decoding moves them.
TEST(LandmarkEvaluation, TheExchangeErrorIsInImageSides) {
  const auto model = make_model(
      "landmark_autoencoder",
      {{"size", "mini"}, {"landmarks", "2"}, {"input_height", "16"}, {"input_width", "16"}});
  Parameters parameters(*model, Device::cpu);
  parameters.initialize(1);
  // The detector's last norm has a scale: a larger one moves landmarks farther.
  for (const NamedTensor& named : named_tensors(*model))
    if (named.name.find("detector") == 0 && named.name.ends_with("weight") &&
        named.tensor->shape().rank() == 1)
      named.tensor->fill(8);
  auto& network = dynamic_cast<LandmarkAutoencoder&>(*model);
  const Tensor one = synth_face({16, 1}, 0).image;  // three of it: exchanging changes nothing
  Tensor images = Tensor::empty({3, 16, 16, 3});
  for (int64_t i = 0; i < images.count(); ++i)
    images.data<float>()[i] = float(one.data<uint8_t>()[i % one.count()]) / 255;
  const auto before = network.detect(images, {}).at(0).points;
  const auto after =
      network.detect(network.decode(network.encode(images), 16, 16), {}).at(0).points;
  double sum = 0;
  for (size_t k = 0; k < 2; ++k)
    sum += std::hypot(before[k][0] - after[k][0], before[k][1] - after[k][1]) / 16;
  EXPECT_NEAR(exchange_error(network, images, Device::cpu), sum / 2, 1e-4);
  EXPECT_GT(sum, 1e-2);
}

TEST(LandmarkPictures, MapsAreMixedFromTheColoursOfTheirLandmarks) {
  const Tensor maps = Tensor::from<float>({1, 3, 3}, {1, 0, 0, 0, 0, 1, 0, 1, 0});
  const Tensor picture = coloured_maps(maps);
  ASSERT_EQ(picture.shape(), (Shape{1, 3, 3}));
  const auto at = [&](int x, int c) { return int(picture.data<uint8_t>()[x * 3 + c]); };
  EXPECT_EQ(at(1, 0) + at(1, 1) + at(1, 2), 0);  // background
  EXPECT_NE(at(0, 0), at(2, 0));
}

TEST(LandmarkPictures, AStripEndsWithWhatWasAskedForAndFound) {
  const auto model = make_model(
      "landmark_autoencoder",
      {{"size", "mini"}, {"landmarks", "2"}, {"input_height", "16"}, {"input_width", "16"}});
  Parameters parameters(*model, Device::cpu);
  parameters.initialize(1);
  auto& network = dynamic_cast<LandmarkAutoencoder&>(*model);
  const Tensor image = Tensor::full({1, 16, 16, 3}, 0.5);
  const Tensor by = Tensor::from<float>({1, 2, 2}, {0.25f, 0, 0, 0});
  const LandmarkStrip moved = moved_strip(network, image, by, 2);
  const auto start = network.detect(image, {}).at(0).points;
  EXPECT_NEAR(moved.asked.points[0][0], start[0][0] + 4, 1e-3);
  EXPECT_NEAR(moved.asked.points[1][0], start[1][0], 1e-3);
  EXPECT_EQ(moved.found.points.size(), 2u);
  EXPECT_GT(moved.picture.dim(1), 3 * moved.picture.dim(0));  // image, decoded, half, moved

  // Exchanged with itself it is the image as it is decoded; with another, its points are asked for.
  const auto decoded = [&](const LandmarkAutoencoder::Code& code) {
    return network.detect(network.decode(code, 16, 16), {}).at(0).points;
  };
  LandmarkAutoencoder::Code code = network.encode(image);
  EXPECT_EQ(exchanged_strip(network, image, image).found.points, decoded(code));
  const Tensor other = Tensor::full({1, 16, 16, 3}, 0.1);
  const LandmarkStrip exchanged = exchanged_strip(network, image, other);
  for (size_t k = 0; k < 2; ++k) EXPECT_NEAR(exchanged.asked.points[k][0], start[k][0], 1e-3);
  code.descriptors = network.encode(other).descriptors;
  EXPECT_EQ(exchanged.found.points, decoded(code));
}

}  // namespace
}  // namespace cairn
