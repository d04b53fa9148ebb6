#include "models/keypoint_files.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "runtime/atomic_file.h"
#include "runtime/error.h"
#include "runtime/npz.h"
#include "tests/temporary_folder.h"

namespace cairn {
namespace {

using Arrays = std::vector<std::pair<std::string, Tensor>>;

class KeypointFiles : public testing::Test {
 protected:
  void refuses(const Arrays& arrays, const std::string& part) const {
    write_npz(path_, arrays);
    try {
      read_keypoints_npz(path_);
      ADD_FAILURE() << "accepted where it should say: " << part;
    } catch (const Error& e) {
      EXPECT_EQ(e.where, path_);
      EXPECT_NE(e.wrong.find(part), std::string::npos) << e.what();
    }
  }
  static Tensor points(const std::vector<float>& xy) {
    return Tensor::from<float>({int64_t(xy.size()) / 2, 2}, xy);
  }
  static Tensor size(int width, int height) { return Tensor::from<int32_t>({2}, {width, height}); }

  TemporaryFolder folder_;
  const std::string path_ = folder_ / "a.npz";
};

TEST_F(KeypointFiles, PointsScoresDescriptorsAndSizeComeBack) {
  const Keypoints k{{{1, 2}, {-0.5f, 47.25f}}, {0.75f, 0.5f}, {1, 2, 3, 4, 5, 6}, 3};
  write_keypoints_npz(path_, k, 64, 48);
  const ImageKeypoints read = read_keypoints_npz(path_);
  EXPECT_EQ(read.keypoints.points, k.points);
  EXPECT_EQ(read.keypoints.scores, k.scores);
  EXPECT_EQ(read.keypoints.descriptors, k.descriptors);
  EXPECT_EQ(read.keypoints.descriptor_size, 3);
  EXPECT_EQ(read.width, 64);
  EXPECT_EQ(read.height, 48);
  const auto arrays = read_npz(path_);
  EXPECT_EQ(arrays.at("keypoints").shape(), (Shape{2, 2}));
  EXPECT_EQ(arrays.at("image_size").values<int32_t>(), (std::vector<int32_t>{64, 48}));
}

TEST_F(KeypointFiles, AnImageWithoutPointsIsAFileToo) {
  write_keypoints_npz(path_, {}, 64, 48);
  const ImageKeypoints read = read_keypoints_npz(path_);
  EXPECT_TRUE(read.keypoints.points.empty());
  EXPECT_EQ(read.width, 64);
  EXPECT_EQ(read_npz(path_).count("descriptors"), 0u);
}

TEST_F(KeypointFiles, OthersMayWriteTheBareMinimumInDouble) {
  write_npz(path_, {{"keypoints", Tensor::from<double>({1, 2}, {1000.5, -7})}});
  const ImageKeypoints read = read_keypoints_npz(path_);
  EXPECT_EQ(read.keypoints.points, (std::vector<std::array<float, 2>>{{1000.5f, -7}}));
  EXPECT_EQ(read.keypoints.scores, std::vector<float>{1});
  EXPECT_EQ(read.width, 0);
}

TEST_F(KeypointFiles, WhatDoesNotFitIsRefused) {
  const Tensor two = points({1, 1, 2, 2});
  refuses({{"points", two}}, "no array 'keypoints'");
  refuses({{"keypoints", Tensor::zeros({4})}}, "keypoints has shape [4]");
  refuses({{"keypoints", Tensor::zeros({2, 3})}}, "keypoints has shape [2,3]");
  refuses({{"keypoints", points({NAN, 1, 2, INFINITY})}}, "2 of 4 numbers in keypoints");
  refuses({{"keypoints", two}, {"scores", Tensor::zeros({3})}}, "3 scores for 2 points");
  refuses({{"keypoints", two}, {"scores", Tensor::full({2}, NAN)}}, "numbers in scores");
  refuses({{"keypoints", two}, {"descriptors", Tensor::zeros({3, 256})}},
          "3 descriptors for 2 points");
  refuses({{"keypoints", two}, {"descriptors", Tensor::zeros({2})}}, "descriptors has shape [2]");
  refuses({{"keypoints", two}, {"image_size", size(0, 5)}}, "image_size is not");
  refuses({{"keypoints", two}, {"image_size", Tensor::zeros({3})}}, "image_size is not");
  refuses({{"keypoints", points({63.5f, 1, 1, 48, -1, 2, 3, 3})}, {"image_size", size(64, 48)}},
          "3 of 4 points are outside of the image, 64 x 48");
  // Everything at once.
  refuses({{"keypoints", Tensor::zeros({2, 3})}, {"scores", Tensor::zeros({1, 1})}},
          "keypoints has shape [2,3]; scores has shape [1,1]");
}

TEST_F(KeypointFiles, ColmapGetsPixelCornersAndALineForEachPoint) {
  write_keypoints_colmap(path_, {{{0, 0}, {10.25f, 479}}, {1, 1}, {}, 0});
  std::istringstream in(read_file(path_));
  size_t count, length;
  in >> count >> length;
  EXPECT_EQ(count, 2u);
  EXPECT_EQ(length, 128u);
  for (const auto& want : {std::pair{0.5, 0.5}, std::pair{10.75, 479.5}}) {
    double x, y, scale, orientation;
    in >> x >> y >> scale >> orientation;
    EXPECT_EQ(x, want.first);
    EXPECT_EQ(y, want.second);
    EXPECT_EQ(scale, 1);
    EXPECT_EQ(orientation, 0);
    for (int i = 0, d; i < 128; ++i) EXPECT_TRUE(in >> d && d == 0);
  }
  std::string rest;
  EXPECT_FALSE(in >> rest);
}

}  // namespace
}  // namespace cairn
