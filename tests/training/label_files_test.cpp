#include "training/label_files.h"

#include <gtest/gtest.h>

#include "models/keypoint_files.h"
#include "runtime/error.h"
#include "runtime/npz.h"
#include "tests/temporary_folder.h"

namespace cairn {
namespace {

TEST(LabelFiles, ImagesOfOneStemKeepTheirEndings) {
  EXPECT_EQ(label_paths("l", {"in/a.jpg", "in/b.png", "in/b.ppm", "in/c.d.png"}),
            (std::vector<std::string>{"l/a.npz", "l/b.png.npz", "l/b.ppm.npz", "l/c.d.npz"}));
}

TEST(LabelFiles, LabelsOfAnotherSizeOrOutsideOfTheImageAreRefused) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.npz";
  write_keypoints_npz(path, {{{1, 2}}, {1}, {}, 0}, 64, 48);
  EXPECT_EQ(read_labels(path, 48, 64).points.size(), 1u);
  EXPECT_THROW(read_labels(path, 64, 48), Error);

  write_npz(path, {{"keypoints", Tensor::from<float>({1, 2}, {63, 47})}});  // says no size
  EXPECT_EQ(read_labels(path, 48, 64).points.size(), 1u);
  EXPECT_THROW(read_labels(path, 47, 64), Error);
  EXPECT_THROW(read_labels(path, 48, 63), Error);
}

TEST(LabelFiles, TwoImagesOfOneNameCannotShareALabel) {
  EXPECT_THROW(label_paths("labels", {"a/1.png", "b/1.png"}), Error);
  EXPECT_NO_THROW(label_paths("labels", {"a/1.png", "b/1.jpg"}));
}

}  // namespace
}  // namespace cairn
