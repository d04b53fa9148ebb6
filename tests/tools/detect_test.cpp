// `cairn detect`: its answers and how it treats bad images, models and folders.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "models/keypoint_files.h"
#include "models/model_file.h"
#include "runtime/error.h"
#include "runtime/image.h"
#include "runtime/safetensors.h"
#include "tests/tools/run_program.h"
#include "training/synthetic_shapes.h"

namespace cairn {
namespace {

// A folder with an untrained MagicPoint, m.safetensors, and a drawn image, a.png, 120x160.
class Detect : public ProgramTest {
 protected:
  Detect() {
    const auto model = make_model("magicpoint");
    Parameters parameters(*model, Device::cpu);
    parameters.initialize(1);
    save_model(folder_ / "m.safetensors", *model);
    write_png(folder_ / "a.png", synthetic_shape({}, Primitive::checkerboard, 1, 1).image);
  }

  // Changes the model file's tensors and metadata.
  template <class F>
  void change(F&& f) const {
    SafetensorsFile file = read_safetensors(folder_ / "m.safetensors");
    f(file);
    write_safetensors(folder_ / "m.safetensors", {file.tensors.begin(), file.tensors.end()},
                      file.metadata);
  }
};

TEST_F(Detect, AnswersWithPointsInsideTheImageAndDrawsThem) {
  const Answer a = cairn("detect a.png --model m.safetensors --json --out found --threshold 0.01");
  ASSERT_EQ(a.code, 0) << a;
  const auto json = a.json();
  EXPECT_EQ(json["image"], "a.png");
  EXPECT_EQ(json["width"], 160);
  EXPECT_EQ(json["height"], 120);
  ASSERT_GT(json["keypoints"].size(), 0u);
  for (const auto& p : json["keypoints"]) {
    EXPECT_GE(p[0].get<double>(), 4);
    EXPECT_LT(p[0].get<double>(), 156);
    EXPECT_LT(p[1].get<double>(), 116);
    EXPECT_GE(p[2].get<double>(), 0.01);
  }
  EXPECT_GE(read_image_info(folder_ / "found/a.png").width, 160);
}

// An untrained network of two points that sees crops of 32 x 64.
TEST_F(Detect, NamedPointsHaveOnePlaceForEachNameInTheImageOrInEachBox) {
  const auto model = make_model("stacked_hourglass", {{"stacks", "1"},
                                                      {"features", "8"},
                                                      {"depth", "1"},
                                                      {"joints", "2"},
                                                      {"names", "nose,tail"},
                                                      {"bones", "0-1"},
                                                      {"input_height", "32"},
                                                      {"input_width", "64"}});
  Parameters parameters(*model, Device::cpu);
  parameters.initialize(1);
  save_model(folder_ / "h.safetensors", *model);
  const Answer whole = cairn("detect a.png --model h.safetensors --json --out found");
  ASSERT_EQ(whole.code, 0) << whole;
  EXPECT_EQ(whole.json()["names"], (std::vector<std::string>{"nose", "tail"}));
  ASSERT_EQ(whole.json()["instances"].size(), 1u);
  EXPECT_EQ(whole.json()["instances"][0]["keypoints"].size(), 2u);
  EXPECT_GE(read_image_info(folder_ / "found/a.png").width, 160);

  const Answer boxes =
      cairn("detect a.png --model h.safetensors --json --box 0,0,40,20 --box 100,90,40,20");
  ASSERT_EQ(boxes.code, 0) << boxes;
  ASSERT_EQ(boxes.json()["instances"].size(), 2u);
  for (const auto& p : boxes.json()["instances"][1]["keypoints"]) {
    EXPECT_NEAR(p[0].get<double>(), 120, 40);  // near its own box
    EXPECT_NEAR(p[1].get<double>(), 100, 20);
  }
  expect_error(cairn("detect a.png --model h.safetensors --box 3,4,0,5"), 2, "--box");
  for (const std::string option : {"--box 3,4,5,5", "--flip", "--stacks 1"})
    expect_error(cairn("detect a.png --model m.safetensors " + option), 2,
                 option.substr(0, option.find(' ')));
  expect_error(cairn("detect a.png --model m.safetensors --set decoder=argmax"), 2, "decoder");
}

TEST_F(Detect, NpzAndColmapFilesHoldThePointsOfTheJson) {
  const auto model = make_model("superpoint");
  Parameters parameters(*model, Device::cpu);
  parameters.initialize(1);
  save_model(folder_ / "s.safetensors", *model);
  const Answer a =
      cairn("detect a.png --model s.safetensors --json --npz n --colmap c --threshold 0.01");
  ASSERT_EQ(a.code, 0) << a;
  const auto points = a.json()["keypoints"];
  ASSERT_GT(points.size(), 0u);
  const ImageKeypoints npz = read_keypoints_npz(folder_ / "n/a.npz");
  EXPECT_EQ(npz.width, 160);
  EXPECT_EQ(npz.height, 120);
  EXPECT_EQ(npz.keypoints.descriptor_size, 256);
  ASSERT_EQ(npz.keypoints.points.size(), points.size());
  ASSERT_EQ(npz.keypoints.descriptors.size(), 256 * points.size());
  std::istringstream colmap(read_file(folder_ / "c/a.png.txt"));
  size_t count, length;
  colmap >> count >> length;
  EXPECT_EQ(count, points.size());
  for (size_t i = 0; i < points.size(); ++i) {
    double place[4], sum = 0;
    for (double& v : place) colmap >> v;
    for (int k = 0, d; k < int(length); ++k) colmap >> d;
    for (int axis : {0, 1}) {
      EXPECT_NEAR(npz.keypoints.points[i][axis], points[i][axis].get<double>(), 1e-4);
      EXPECT_NEAR(place[axis] - 0.5, points[i][axis].get<double>(), 1e-4);
    }
    for (int k = 0; k < 256; ++k)
      sum += std::pow(double(npz.keypoints.descriptors[256 * i + size_t(k)]), 2);
    EXPECT_NEAR(sum, 1, 1e-4);
  }
  EXPECT_TRUE(bool(colmap));
}

TEST_F(Detect, PrecisionIsFp32Bf16OrOnAGpuTf32) {
  const std::string words = "detect a.png --model m.safetensors --json --threshold 0.015";
  const Answer exact = cairn(words + " --precision fp32"),
               half = cairn(words + " --precision bf16");
  ASSERT_EQ(half.code, 0) << half;
  EXPECT_EQ(exact.out, cairn(words).out);
  EXPECT_NE(exact.out, half.out);
  EXPECT_GT(half.json()["keypoints"].size(), 0u);
  expect_error(cairn(words + " --device cpu --precision tf32"), 2, "no kernel of a cpu");
  expect_error(cairn(words + " --precision tf32 --device cpu"), 2, "no kernel of a cpu");
  if (build::has_simt) {
    const Answer tf32 = cairn(words + " --device simt --precision tf32");
    ASSERT_EQ(tf32.code, 0) << tf32;
    EXPECT_NE(tf32.out, exact.out);
    EXPECT_NEAR(double(tf32.json()["keypoints"].size()), double(exact.json()["keypoints"].size()),
                0.1 * double(exact.json()["keypoints"].size()) + 1);
  }
  expect_error(cairn(words + " --precision fp16"), 2, "--precision: 'fp16'");
}

TEST_F(Detect, SubpixelMovesPointsByFractionsOfAPixel) {
  const std::string with = "detect a.png --model m.safetensors --json --threshold 0.01 --subpixel ";
  const auto whole = cairn(with + "none").json()["keypoints"];
  ASSERT_GT(whole.size(), 0u);
  for (const char* how : {"quadratic", "soft_argmax"}) {
    const auto points = cairn(with + how).json()["keypoints"];
    ASSERT_EQ(points.size(), whole.size());
    double farthest = 0;
    for (size_t i = 0; i < points.size(); ++i)
      for (int axis : {0, 1})
        farthest = std::max(farthest,
                            std::abs(points[i][axis].get<double>() - whole[i][axis].get<double>()));
    EXPECT_GT(farthest, 0.01) << how;
    EXPECT_LE(farthest, 2) << how;
  }
  expect_error(cairn(with + "cubic"), 2, "--subpixel");
}

TEST_F(Detect, SidesThatAreNotMultiplesOfEightArePadded) {
  write_png(folder_ / "odd.png", Tensor::full({61, 83, 1}, 100, DType::u8));
  const Answer a =
      cairn("detect odd.png --model m.safetensors --json --threshold 0 --raw r.safetensors");
  ASSERT_EQ(a.code, 0) << a;
  EXPECT_EQ(a.json()["width"], 83);
  for (const auto& p : a.json()["keypoints"]) {
    EXPECT_LT(p[0].get<double>(), 79);
    EXPECT_LT(p[1].get<double>(), 57);
  }
  EXPECT_EQ(read_safetensors(folder_ / "r.safetensors").tensors.at("semi").shape(),
            (Shape{1, 65, 8, 11}));
}

TEST_F(Detect, AFolderGivesALinePerImageAndSkipsTheDamagedOnes) {
  std::filesystem::create_directory(folder_ / "in");
  std::filesystem::copy_file(folder_ / "a.png", folder_ / "in/a.png");
  std::filesystem::copy_file(folder_ / "a.png", folder_ / "in/b.png");
  write_file(folder_ / "in/c.png", "no image");
  const Answer a = cairn("detect in --model m.safetensors --json");
  EXPECT_EQ(a.code, 0) << a;
  EXPECT_EQ(std::count(a.out.begin(), a.out.end(), '\n'), 2) << a;
  EXPECT_TRUE(a.says("1 of 3 images were skipped:")) << a;
  EXPECT_TRUE(a.says("in/c.png: it is")) << a;
}

TEST_F(Detect, BadImagesAreErrors) {
  const std::string with = " --model m.safetensors --json";
  expect_error(cairn("detect none.png" + with), 1, "none.png: there is no such file");
  write_file(folder_ / "empty.png", "");
  expect_error(cairn("detect empty.png" + with), 1, "empty.png: the file is empty");
  write_file(folder_ / "cut.png", read_file(folder_ / "a.png").substr(0, 2000));
  expect_error(cairn("detect cut.png" + with), 1, "cut.png: ");
  write_file(folder_ / "text.png", std::string(500, 'x'));
  expect_error(cairn("detect text.png" + with), 1, "text.png: it is not an image");
  write_file(folder_ / "huge.pgm", "P5\n100000 100000\n255\n");
  expect_error(cairn("detect huge.pgm" + with), 1, "it has 100000 x 100000 pixels");
  expect_error(cairn("detect empty.png text.png" + with), 1, "none of 2 could be read");
}

TEST_F(Detect, WeightsThatDoNotFitAreRefusedWithEveryMismatch) {
  const Answer other = cairn("detect a.png --model m.safetensors --arch superpoint-mnv2");
  expect_error(other, 1, "unexpected  conv1a.weight");
  EXPECT_TRUE(other.says("missing     encoder_truncated.0.weight")) << other;
  EXPECT_TRUE(other.says("missing     convDb.bias")) << other;
  EXPECT_TRUE(other.says("the file says that it holds 'superpoint'")) << other;
  expect_error(cairn("detect a.png --model m.safetensors --arch hourglas"), 2, "hourglas");

  change([](SafetensorsFile& f) { f.tensors["conv1a.bias"].data<float>()[3] = NAN; });
  expect_error(cairn("detect a.png --model m.safetensors"), 1, "not finite  conv1a.bias: 1 of 64");
  change([](SafetensorsFile& f) { f.metadata.clear(); });
  expect_error(cairn("detect a.png --model m.safetensors"), 2, "does not say which architecture");
}

TEST_F(Detect, DamagedModelFilesAreRefused) {
  const std::string whole = read_file(folder_ / "m.safetensors");
  write_file(folder_ / "m.safetensors", whole.substr(0, whole.size() / 2));
  expect_error(cairn("detect a.png --model m.safetensors"), 1, "the file is truncated");
  write_file(folder_ / "m.safetensors", std::string(64, '\xff'));
  expect_error(cairn("detect a.png --model m.safetensors"), 1, "the header claims");
  expect_error(cairn("detect a.png --model none"), 1, "none: there is no such file");
}

TEST_F(Detect, DevicesAndFoldersThatAreNotThereAreNamed) {
  expect_error(cairn("detect a.png --model m.safetensors --device gpu"), 2,
               "'gpu' is not a device");
  if (!why_unavailable(Device::cuda).empty())
    expect_error(cairn("detect a.png --model m.safetensors --device cuda"), 1,
                 "device cuda: " + why_unavailable(Device::cuda));
  write_file(folder_ / "file", "x");
  expect_error(cairn("detect a.png --model m.safetensors --out file/found"), 1, "file/found: ");
  expect_error(cairn("detect a.png --model m.safetensors --out file"), 1, "file: ");
  expect_error(cairn("detect a.png --model m.safetensors --raw none/r"), 1,
               "create the folder none");
  expect_error(cairn("detect a.png a.png --model m.safetensors --raw r"), 2, "--raw: 2 images");
  expect_error(cairn("detect a.png ./a.png --model m.safetensors --colmap c"), 2,
               "--colmap: a.png and ./a.png have one name");
  expect_error(cairn("detect a.png"), 2, "--model");
}

}  // namespace
}  // namespace cairn
