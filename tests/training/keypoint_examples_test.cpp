// Annotated images as training and evaluation see them, and the batches made of them.
#include "training/keypoint_examples.h"

#include <gtest/gtest.h>

#include <set>

#include "models/model.h"
#include "runtime/error.h"
#include "tests/caught.h"
#include "tests/training/keypoint_files.h"
#include "training/keypoint_batches.h"

namespace cairn {
namespace {

// Dots that are drawn one colour per image, so that a crop tells which image it is of.
class KeypointExamplesTest : public testing::Test {
 protected:
  KeypointExamplesTest() {
    std::string rows = "file,left_x,left_y,left_v,right_x,right_y,right_v\n";
    for (int i = 0; i < 5; ++i) {
      const std::string name = std::to_string(i) + ".png";
      write_png(folder_ / name, Tensor::full({64, 64, 3}, 40 * (i + 1), DType::u8));
      rows += name + ",10,20,1,40,30,1\n";
    }
    write_file(csv_, rows);
  }
  std::unique_ptr<KeypointExamples> examples() const { return dataset_examples(csv_, {}); }

  TemporaryFolder folder_;
  const std::string csv_ = folder_ / "points.csv";
};

TEST_F(KeypointExamplesTest, AnImageThatCannotBeReadIsLeftOutAndNamed) {
  write_file(folder_ / "2.png", "no image");
  const auto left = examples();
  EXPECT_EQ(left->count(), 4);
  ASSERT_EQ(left->left_out().size(), 1u);
  EXPECT_NE(left->left_out()[0].find("2.png"), std::string::npos);
}

TEST_F(KeypointExamplesTest, WithoutAnyImageThatCanBeReadItIsAnError) {
  for (int i = 0; i < 5; ++i) write_file(folder_ / (std::to_string(i) + ".png"), "no image");
  EXPECT_NE(error_of([&] { examples(); }).find("not one of the images can be read"),
            std::string::npos);
}

// Images of folders: the largest central part, and no points.
TEST_F(KeypointExamplesTest, PhotographsOfAFolderFillTheCropAndHaveNoPoints) {
  const std::string dir = folder_ / "photos";
  std::filesystem::create_directory(dir);
  Tensor wide = Tensor::zeros({20, 60, 3}, DType::u8);  // white between columns 20 and 39
  for (int64_t i = 0; i < wide.count(); ++i)
    wide.data<uint8_t>()[i] = i / 3 % 60 / 20 == 1 ? 255 : 0;
  write_png(dir + "/wide.png", wide);
  write_file(dir + "/broken.png", "no image");
  const auto photos = photo_examples({dir}, 16, 16, {});
  EXPECT_EQ(photos->count(), 1);
  EXPECT_EQ(photos->skeleton().keypoints(), 0);
  EXPECT_EQ(photos->left_out().size(), 1u);
  for (float v : plain_crops(*photos, 16, 16, 0, 1).image.values<float>()) EXPECT_NEAR(v, 1, 1e-6);
}

TEST_F(KeypointExamplesTest, AFolderWithoutImagesAndOneOfDamagedOnesAreErrors) {
  const std::string dir = folder_ / "photos";
  std::filesystem::create_directory(dir);
  EXPECT_NE(error_of([&] { photo_examples({dir}, 16, 16, {}); }).find("no images in it"),
            std::string::npos);
  write_file(dir + "/broken.png", "no image");
  EXPECT_NE(error_of([&] { photo_examples({dir}, 16, 16, {}); }).find("not one of its 1 images"),
            std::string::npos);
}

TEST_F(KeypointExamplesTest, ImagesThatDoNotFitIntoMemoryAreReadAgain) {
  DatasetExampleOptions small;
  small.keep_bytes = 1;
  const auto kept = examples(), read = dataset_examples(csv_, small);
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(kept->example(i).image.values<uint8_t>(), read->example(i).image.values<uint8_t>());
}

TEST_F(KeypointExamplesTest, AnEpochHasEveryExampleOnceAndTheNextOneInAnotherOrder) {
  const auto data = examples();
  KeypointBatches options;
  options.height = options.width = 64;
  options.augmentation = KeypointAugmentation::none();
  std::vector<std::vector<int>> epochs(4);
  for (int epoch = 0; epoch < 4; ++epoch)
    for (int i = 0; i < 5; ++i) {
      const Tensor image =
          images_of(training_crops(*data, options, 1, 5 * epoch + i).pixels, {64, 64}, nullptr);
      epochs[size_t(epoch)].push_back(
          int(std::lround(255 * image.data<float>()[64 * 32 * 3] / 40)));
    }
  for (const std::vector<int>& e : epochs) EXPECT_EQ(std::set<int>(e.begin(), e.end()).size(), 5u);
  EXPECT_FALSE(epochs[0] == epochs[1] && epochs[1] == epochs[2] && epochs[2] == epochs[3]);
}

TEST_F(KeypointExamplesTest, ABatchIsTheSameInAnyOrderOfCalls) {
  const auto data = examples();
  KeypointBatches options;
  const DrawnCrops first = training_crops(*data, options, 3, 7);
  training_crops(*data, options, 3, 2);
  const DrawnCrops again = training_crops(*data, options, 3, 7);
  const InputSize size{options.height, options.width};
  EXPECT_EQ(images_of(first.pixels, size, nullptr).values<float>(),
            images_of(again.pixels, size, nullptr).values<float>());
  EXPECT_EQ(first.points.values<float>(), again.points.values<float>());
}

TEST_F(KeypointExamplesTest, ABatchWithoutAPointInItsCropsIsRefused) {
  write_file(csv_,
             "file,left_x,left_y,left_v,right_x,right_y,right_v\n0.png,70,20,1,0,0,0\n"
             "1.png,10,20,1,40,30,1\n");
  const auto data = examples();
  KeypointBatches options;
  options.augmentation = KeypointAugmentation::none();
  int refused = 0;  // one of the two batches has the image whose point lies outside
  for (int n : {0, 1}) try {
      training_crops(*data, options, 1, n);
    } catch (const Error& e) {
      refused += e.wrong.find("not one point") != std::string::npos;
    }
  EXPECT_EQ(refused, 1);
}

TEST_F(KeypointExamplesTest, WhatCheckCallsAnErrorIsRefused) {
  write_file(csv_, "file,left_x,left_y,left_v,right_x,right_y,right_v\n0.png,700,20,1,0,0,0\n");
  EXPECT_NE(error_of([&] { examples(); }).find("mostly_outside"), std::string::npos);
}

TEST_F(KeypointExamplesTest, ACropAroundTheBoxShowsItsMiddleInItsMiddle) {
  DatasetExampleOptions boxes;
  boxes.box_margin = 1.5;
  const auto data = dataset_examples(csv_, boxes);
  const KeypointCrops crop = plain_crops(*data, 32, 32, 0, 1);
  const float* p = crop.points.data<float>();
  EXPECT_NEAR((p[0] + p[2]) / 2, 15.5, 1e-4);
  EXPECT_NEAR((p[1] + p[3]) / 2, 15.5, 1e-4);
}

// Whether a host cut the crops or the device does from images that it keeps.
TEST_F(KeypointExamplesTest, ACacheGivesTheSameBatchOnEveryDevice) {
  for (int n = 0; n < 5; ++n) {
    Tensor image = Tensor::empty({50 + 9 * n, 90 - 7 * n, 3}, DType::u8);
    for (int64_t i = 0; i < image.count(); ++i) {
      const double x = double(i / 3 % image.dim(1)), y = double(i / 3 / image.dim(1));
      image.data<uint8_t>()[i] =
          uint8_t(128 + 100 * std::sin(0.2 * x + 0.1 * y + double(i % 3 + n)));
    }
    write_png(folder_ / (std::to_string(n) + ".png"), image);
  }
  const auto data = examples();
  KeypointBatches options;
  options.height = 24;  // shrinks to less than a half: blocks
  options.width = 32;
  options.augmentation.rotation = 40;
  options.augmentation.colour = {.gain = 0.2, .contrast = 0.3};
  const auto model =
      make_model("stacked_hourglass", {{"joints", "2"}, {"features", "8"}, {"depth", "1"}});
  const Codec& codec = *model->codec();
  const InputSize size{options.height, options.width};
  const Batch want =
      with_targets(annotated(training_crops(*data, options, 4, 3), codec, size), codec, size);
  for (Device device : available_devices()) {
    const ImageCache cache(data->kept_images(), data->channels(), device);
    Batch batch = annotated(training_crops(*data, options, 4, 3, &cache), codec, size);
    EXPECT_FALSE(batch.contains("crop"));
    for (auto& [name, t] : batch) t = t.to(device);
    batch = with_targets(batch, codec, size, &cache);
    for (const char* name : {"image", "heatmaps", "weights"}) {
      const std::vector<float> a = batch.at(name).values<float>(),
                               b = want.at(name).values<float>();
      ASSERT_EQ(a.size(), b.size());
      // Positions are in float32: a byte may be rounded otherwise.
      const double allowed = name == std::string("image") ? 1.7 / 255 : 1e-6;
      for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], allowed) << device << name;
    }
  }
}

// The whole way: two of three points can be trained on, and the third has no gradient.
TEST_F(KeypointExamplesTest, PointsThatAreMissingOrOutsideGiveTheLossNoGradient) {
  write_file(csv_, "file,a_x,a_y,a_v,b_x,b_y,b_v,c_x,c_y,c_v\n0.png,30,20,1,200,20,1,0,0,0\n");
  const auto data = examples();
  const auto model =
      make_model("stacked_hourglass", {{"joints", "3"}, {"features", "8"}, {"depth", "1"}});
  const Batch batch = encoded(plain_crops(*data, 64, 64, 0, 1), *model->codec());
  Tape tape;
  const Var output = tape.leaf(Tensor::full({1, 16, 16, 3}, 0.3));
  const Var loss = model->codec()->loss(output, batch);
  tape.backward(loss);
  const std::vector<float> dx = output.grad().values<float>();
  double size[3] = {};
  for (size_t i = 0; i < dx.size(); ++i) size[i % 3] += std::abs(double(dx[i]));
  EXPECT_GT(size[0], 0);
  EXPECT_EQ(size[1], 0);
  EXPECT_EQ(size[2], 0);
}

}  // namespace
}  // namespace cairn
