// Tiny parts of seventeen public data sets, each as its authors or users keep it.
#include <gtest/gtest.h>

#include <filesystem>

#include "runtime/image.h"
#include "tests/caught.h"
#include "tests/data_folder.h"
#include "tests/training/keypoint_files.h"
#include "training/keypoint_readers/coco_files.h"

namespace cairn {
namespace {

struct Sample {
  const char* file;
  size_t images, instances;
  int keypoints, pairs;
  size_t bones;
  int64_t labelled;
};
std::ostream& operator<<(std::ostream& s, const Sample& sample) { return s << sample.file; }

int64_t count_labelled(const KeypointDataset& d) {
  int64_t n = 0;
  for (const AnnotatedImage& image : d.images)
    for (const Instance& i : image.instances)
      for (const LabelledPoint& p : i.points) n += p.v != Visibility::missing;
  return n;
}

class AnnotationSamples : public testing::TestWithParam<Sample> {};

TEST_P(AnnotationSamples, IsReadWhole) {
  CAIRN_NEED_DATA(folder, "annotation-samples");
  const Sample& s = GetParam();
  const auto [d, problems] = scan_keypoint_dataset(folder + "/" + s.file);
  EXPECT_FALSE(problems.has_errors()) << problems.summary(true, 5);
  EXPECT_EQ(d.images.size(), s.images);
  EXPECT_EQ(d.skeleton.keypoints(), s.keypoints);
  EXPECT_EQ(d.skeleton.bones.size(), s.bones);
  int swapped = 0;
  for (int k = 0; k < d.skeleton.keypoints(); ++k) swapped += d.skeleton.swap[size_t(k)] != k;
  EXPECT_EQ(swapped, 2 * s.pairs);
  size_t instances = 0;
  for (const AnnotatedImage& image : d.images) {
    EXPECT_TRUE(std::filesystem::exists(image.path)) << image.path;
    instances += image.instances.size();
    const ImageInfo info = read_image_info(image.path);
    for (const Instance& i : image.instances) {
      EXPECT_GT(i.area, 0);
      for (const LabelledPoint& p : i.points)
        if (p.v != Visibility::missing)
          EXPECT_TRUE(p.x > -1 && p.y > -1 && p.x < double(info.width) && p.y < double(info.height))
              << image.path;
    }
  }
  EXPECT_EQ(instances, s.instances);
  EXPECT_EQ(count_labelled(d), s.labelled);
}

TEST_P(AnnotationSamples, IsTheSameAfterItWasWrittenAsCoco) {
  CAIRN_NEED_DATA(folder, "annotation-samples");
  const KeypointDataset first = read_keypoint_dataset(folder + "/" + GetParam().file);
  const TemporaryFolder out;
  write_coco_keypoints(out / "first.json", first);
  const KeypointDataset second = read_keypoint_dataset(out / "first.json");
  write_coco_keypoints(out / "second.json", second);
  EXPECT_EQ(read_file(out / "first.json"), read_file(out / "second.json"));
  EXPECT_EQ(count_labelled(second), GetParam().labelled);
}

INSTANTIATE_TEST_SUITE_P(All, AnnotationSamples,
                         testing::Values(  //
                             Sample{"300w/test_300w.json", 2, 2, 68, 0, 0, 136},
                             Sample{"aic/test_aic.json", 3, 9, 14, 6, 14, 101},
                             Sample{"animalpose/test_animalpose.json", 2, 2, 20, 8, 20, 32},
                             Sample{"atrw/test_atrw.json", 2, 2, 15, 6, 14, 30},
                             Sample{"coco/test_coco.json", 4, 14, 17, 8, 19, 181},
                             Sample{"cofw/test_cofw.json", 2, 2, 29, 0, 0, 58},
                             Sample{"crowdpose/test_crowdpose.json", 2, 5, 14, 6, 0, 47},
                             Sample{"fld/test_fld.json", 2, 2, 8, 4, 0, 15},
                             Sample{"fly/test_fly.json", 2, 2, 32, 14, 25, 64},
                             Sample{"freihand/test_freihand.json", 8, 8, 21, 0, 20, 168},
                             Sample{"horse10/test_horse10.json", 3, 3, 22, 0, 0, 52},
                             Sample{"locust/test_locust.json", 2, 2, 35, 15, 26, 70},
                             Sample{"mpii/test_mpii.json", 5, 5, 16, 6, 15, 76},
                             Sample{"mpii/test_mpii_trb.json", 5, 5, 40, 19, 0, 181},
                             Sample{"ochuman/test_ochuman.json", 3, 5, 17, 8, 19, 73},
                             Sample{"onehand10k/test_onehand10k.json", 4, 4, 21, 0, 20, 63},
                             Sample{"wflw/test_wflw.json", 2, 4, 98, 0, 0, 392},
                             Sample{"zebra/test_zebra.json", 2, 2, 9, 2, 8, 18}),
                         [](const auto& sample) {
                           return std::filesystem::path(sample.param.file).stem().string();
                         });

TEST(AnnotationSampleResults, ResultsOfDetectorsAreNoAnnotations) {
  CAIRN_NEED_DATA(folder, "annotation-samples");
  EXPECT_EQ(wrong([&] { scan_keypoint_dataset(folder + "/coco/test_coco_det_AP_H_56.json"); }),
            "it holds 118 results of a detector, no annotations");
}

// In the file a joint at (804, 711) is in the 804th column, the first being 1.
TEST(AnnotationSampleResults, MpiiCountsPixelsFromOne) {
  CAIRN_NEED_DATA(folder, "annotation-samples");
  const Instance first =
      read_keypoint_dataset(folder + "/mpii/test_mpii.json").images[0].instances[0];
  EXPECT_EQ(first.points[0].x, 803);
  EXPECT_EQ(first.points[0].y, 710);
  EXPECT_NEAR(first.box.x + first.box.width / 2, 965, 1e-9);
  EXPECT_NEAR(first.box.width, 200 * 4.718488, 1e-9);
}

struct CsvSet {
  const char* file;
  size_t images;
  int keypoints;
};

TEST(CsvSets, AreReadWhole) {
  CAIRN_NEED_DATA(root, "mouse-openfield");
  for (const CsvSet& s :
       {CsvSet{"person-lspet/train.csv", 1300, 14}, CsvSet{"face-ytf68/dev.csv", 175, 68},
        CsvSet{"mouse-openfield/train.csv", 84, 4}, CsvSet{"fly-32/train.csv", 68, 32},
        CsvSet{"bee-32/train.csv", 166, 32}, CsvSet{"mouse-mirror/dev.csv", 10, 17}}) {
    const auto [d, problems] = scan_keypoint_dataset(root + "/../" + s.file);
    EXPECT_TRUE(problems.places().empty())
        << s.file << problems.summary(true, 3) << problems.summary(false, 3);
    EXPECT_EQ(d.images.size(), s.images) << s.file;
    EXPECT_EQ(d.skeleton.keypoints(), s.keypoints) << s.file;
    for (const AnnotatedImage& image : d.images) {
      ASSERT_EQ(image.instances.size(), 1u) << image.path;
      ASSERT_TRUE(std::filesystem::exists(image.path)) << image.path;
    }
  }
}

}  // namespace
}  // namespace cairn
