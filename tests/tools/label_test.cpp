// `cairn label`: labels of a folder, going on after a stop, and bad images and settings.
#include "models/keypoint_files.h"
#include "models/model_file.h"
#include "runtime/error.h"
#include "runtime/image.h"
#include "tests/source_path.h"
#include "tests/tools/run_program.h"
#include "training/synthetic_shapes.h"

namespace cairn {
namespace {

// A folder with an untrained MagicPoint, m.safetensors, and three images of 120x160 in photos/.
class Label : public ProgramTest {
 protected:
  Label() {
    const auto model = make_model("magicpoint");
    Parameters parameters(*model, Device::cpu);
    parameters.initialize(1);
    save_model(folder_ / "m.safetensors", *model);
    std::filesystem::create_directory(folder_ / "photos");
    for (int i = 0; i < 3; ++i)
      write_png(folder_ / text("photos/", i, ".png"),
                synthetic_shape({}, Primitive::checkerboard, 1, i).image);
  }
  Answer label(const std::string& more, const std::string& images = "photos") const {
    return cairn("label " + images + " --model m.safetensors --out labels --size 64x80 --json " +
                 more);
  }
  const std::string few_ = "--homographies 3 --threshold 0.005 ";
};

TEST_F(Label, EveryImageGetsAFileThatFitsIt) {
  const Answer a = label(few_ + "--overlay drawn --top-k 20 --subpixel soft_argmax");
  ASSERT_EQ(a.code, 0) << a;
  EXPECT_EQ(a.json()["labelled"], 3);
  EXPECT_EQ(a.json()["already_there"], 0);
  for (const char* name : {"0", "1", "2"}) {
    const ImageKeypoints k = read_keypoints_npz(folder_ / text("labels/", name, ".npz"));
    EXPECT_EQ(k.width, 80);
    EXPECT_EQ(k.height, 64);
    EXPECT_GT(k.keypoints.points.size(), 0u);
    EXPECT_LE(k.keypoints.points.size(), 20u);
    EXPECT_TRUE(std::is_sorted(k.keypoints.scores.rbegin(), k.keypoints.scores.rend()));
    EXPECT_TRUE(std::filesystem::exists(folder_ / text("drawn/", name, ".png")));
  }
}

TEST_F(Label, ARunThatWasStoppedGoesOnWithTheSameLabels) {
  ASSERT_EQ(label(few_).code, 0);
  const std::string first = read_file(folder_ / "labels/1.npz");
  std::filesystem::remove(folder_ / "labels/1.npz");
  write_png(folder_ / "photos/3.png", synthetic_shape({}, Primitive::checkerboard, 1, 3).image);
  const Answer a = label(few_);
  ASSERT_EQ(a.code, 0) << a;
  EXPECT_EQ(a.json()["labelled"], 2);
  EXPECT_EQ(a.json()["already_there"], 2);
  EXPECT_EQ(read_file(folder_ / "labels/1.npz"), first);
  EXPECT_EQ(label(few_).json()["labelled"], 0);
}

TEST_F(Label, InBfloat16MostPointsAreTheSame) {
  const auto points = [&](const std::string& precision) {
    const std::string out = "in_" + precision;
    const Answer a =
        cairn("label photos/0.png --size 120x160 --homographies 10 --out " + out + " --precision " +
              precision + " --model '" + source_path("weights/magicpoint.safetensors") + "'");
    EXPECT_EQ(a.code, 0) << a;
    return read_keypoints_npz(folder_ / (out + "/0.npz")).keypoints.points;
  };
  const auto exact = points("fp32"), rough = points("bf16");
  size_t same = 0;
  for (const auto& p : exact) same += std::count(rough.begin(), rough.end(), p) > 0;
  EXPECT_GT(exact.size(), 10u);
  EXPECT_GE(double(same), 0.8 * double(exact.size()));
}

TEST_F(Label, OtherSettingsInTheSameFolderAreRefused) {
  ASSERT_EQ(label(few_).code, 0);
  expect_error(label("--homographies 4 --threshold 0.005"), 2,
               "labels: its labels were made otherwise: homographies 3 there and 4 now");
  write_file(folder_ / "labels/settings.json", "[]");
  expect_error(label(few_), 1, "labels/settings.json: it is not a JSON object");
  std::filesystem::remove(folder_ / "labels/settings.json");
  expect_error(label(few_), 2, "no settings.json");
}

TEST_F(Label, UnreadableImagesAreSkippedAndNamed) {
  write_file(folder_ / "photos/bad.png", "no image");
  const Answer a = label(few_);
  ASSERT_EQ(a.code, 0) << a;
  EXPECT_EQ(a.json()["labelled"], 3);
  EXPECT_EQ(a.json()["skipped"].size(), 1u);
  EXPECT_TRUE(a.says("1 of 4 images were skipped:\n  photos/bad.png: it is")) << a;
  expect_error(label(few_, "photos/bad.png"), 1, "none of 1 could be read");
  std::filesystem::create_directory(folder_ / "none");
  expect_error(label(few_, "none"), 1, "none: the folder has no images");
}

TEST_F(Label, ModelsAndSizesThatCannotWorkAreRefused) {
  expect_error(cairn("label photos --model m.safetensors --out l --size 60x80"), 2,
               "--size: 60x80");
  const auto model = make_model("stacked_hourglass");
  Parameters parameters(*model, Device::cpu);
  parameters.initialize(1);
  save_model(folder_ / "h.safetensors", *model);
  expect_error(cairn("label photos --model h.safetensors --out l"), 2, "is a stacked_hourglass");
  expect_error(cairn("label photos --model m.safetensors"), 2, "--out");
  write_file(folder_ / "file", "x");
  expect_error(cairn("label photos --model m.safetensors --out file"), 1, "file: ");
}

}  // namespace
}  // namespace cairn
