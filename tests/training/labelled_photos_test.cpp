#include "training/labelled_photos.h"

#include <gtest/gtest.h>

#include "models/keypoint_files.h"
#include "runtime/atomic_file.h"
#include "runtime/error.h"
#include "runtime/image.h"
#include "tests/temporary_folder.h"

namespace cairn {
namespace {

// A folder of images and one of labels, at 48x64.
class LabelledPhotosTest : public testing::Test {
 protected:
  LabelledPhotosTest() {
    std::filesystem::create_directory(images_);
    std::filesystem::create_directory(labels_);
  }
  void image(const std::string& name, int64_t height = 48, int64_t width = 64) const {
    write_png(images_ + "/" + name, Tensor::full({height, width, 1}, 90, DType::u8));
  }
  void label(const std::string& name, std::vector<std::array<float, 2>> points, int64_t width = 64,
             int64_t height = 48) const {
    Keypoints k;
    k.scores.assign(points.size(), 0.5f);
    k.points = std::move(points);
    write_keypoints_npz(labels_ + "/" + name, k, width, height);
  }
  LabelledPhotos read() const { return read_labelled_photos({images_}, labels_, 48, 64); }
  std::string message() const {
    try {
      read();
    } catch (const Error& e) {
      return e.what();
    }
    return "no error";
  }
  static bool says(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  TemporaryFolder folder_;
  const std::string images_ = folder_ / "images", labels_ = folder_ / "labels";
};

TEST_F(LabelledPhotosTest, ImagesComeWithTheirPointsAndOneWithoutPointsIsValid) {
  image("a.png");
  image("b.png");
  label("a.npz", {{3, 5}, {63.4f, 47.4f}});
  label("b.npz", {});
  const LabelledPhotos photos = read();
  ASSERT_EQ(photos.images.size(), 2u);
  EXPECT_EQ(photos.images[0].image.shape(), Shape({48, 64, 1}));
  ASSERT_EQ(photos.images[0].points.size(), 2u);
  EXPECT_EQ(photos.images[0].points[0].x, 3);
  EXPECT_EQ(photos.images[0].points[0].y, 5);
  EXPECT_TRUE(photos.images[1].points.empty());
  EXPECT_TRUE(photos.left_out.empty());
}

TEST_F(LabelledPhotosTest, ImagesOfOtherSizesAreBroughtToTheSizeOfTheLabels) {
  image("a.png", 100, 300);
  label("a.npz", {{3, 5}});
  EXPECT_EQ(read().images.at(0).image.shape(), Shape({48, 64, 1}));
}

TEST_F(LabelledPhotosTest, AnImageThatCannotBeReadAndALabelWithoutImageAreLeftOutAndNamed) {
  image("a.png");
  label("a.npz", {{3, 5}});
  write_file(images_ + "/broken.png", "not an image");
  label("gone.npz", {{1, 1}});
  const LabelledPhotos photos = read();
  EXPECT_EQ(photos.images.size(), 1u);
  ASSERT_EQ(photos.left_out.size(), 2u);
  EXPECT_TRUE(says(photos.left_out[0], "broken.png")) << photos.left_out[0];
  EXPECT_TRUE(says(photos.left_out[1], "gone.npz")) << photos.left_out[1];
}

TEST_F(LabelledPhotosTest, EverythingThatDoesNotFitIsListedAtOnce) {
  image("a.png");
  label("a.npz", {{3, 5}});
  image("unlabelled.png");
  image("outside.png");
  label("outside.npz", {{64.2f, 5}, {3, 3}});
  image("other.png");
  label("other.npz", {{3, 5}}, 320, 240);
  image("damaged.png");
  write_file(labels_ + "/damaged.npz", "PK");
  const std::string said = message();
  for (const char* part :
       {"4 of 5", "unlabelled.png", "outside.npz", "320 x 240", "damaged.npz", "cairn label"})
    EXPECT_TRUE(says(said, part)) << part << "\n" << said;
}

TEST_F(LabelledPhotosTest, LabelsWithoutAnyPointAreAnError) {
  image("a.png");
  label("a.npz", {});
  EXPECT_TRUE(says(message(), "not one of 1 labels holds a point")) << message();
}

TEST_F(LabelledPhotosTest, FoldersWithoutAReadableImageAreAnError) {
  EXPECT_TRUE(says(message(), "the folder has no images")) << message();
  write_file(images_ + "/broken.png", "not an image");
  EXPECT_TRUE(says(message(), "none of 1 images could be read")) << message();
}

}  // namespace
}  // namespace cairn
