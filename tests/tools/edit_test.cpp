// `cairn edit` and `cairn eval landmarks`: their answers and their errors.
#include "models/model_file.h"
#include "runtime/error.h"
#include "runtime/image.h"
#include "tests/tools/run_program.h"
#include "training/synth_faces.h"

namespace cairn {
namespace {

// A folder with an untrained network of three landmarks, and two drawn faces.
class Landmarks : public ProgramTest {
 protected:
  Landmarks() {
    const auto model = make_model(
        "landmark_autoencoder",
        {{"size", "mini"}, {"landmarks", "3"}, {"input_height", "16"}, {"input_width", "16"}});
    Parameters parameters(*model, Device::cpu);
    parameters.initialize(1);
    save_model(folder_ / "m.safetensors", *model);
    write_png(folder_ / "a.png", synth_face({64, 1}, 0).image);
    write_png(folder_ / "b.png", synth_face({48, 1}, 1).image);
  }
};

TEST_F(Landmarks, MovesOneInPixelsOfTheImage) {
  const Answer plain = cairn("edit a.png --model m.safetensors --move 2,0,0 --json --out p.png");
  const Answer moved =
      cairn("edit a.png --model m.safetensors --move 2,8,-4 --steps 2 --json --out strip.png");
  ASSERT_EQ(moved.code, 0) << moved;
  const auto before = plain.json()["asked"], after = moved.json()["asked"];
  EXPECT_NEAR(after[1][0].get<double>() - before[1][0].get<double>(), 8, 1e-3);
  EXPECT_NEAR(after[1][1].get<double>() - before[1][1].get<double>(), -4, 1e-3);
  EXPECT_EQ(after[0], before[0]);
  EXPECT_EQ(moved.json()["found"].size(), 3u);
  EXPECT_GT(read_image_info(folder_ / "strip.png").width,
            3 * read_image_info(folder_ / "strip.png").height);
}

TEST_F(Landmarks, ALandmarkMayLeaveTheImage) {
  const Answer a = cairn("edit a.png --model m.safetensors --move 1,500,0 --json");
  ASSERT_EQ(a.code, 0) << a;
  EXPECT_GT(a.json()["asked"][0][0].get<double>(), 400);
}

TEST_F(Landmarks, TakesTheAppearanceOfAnother) {
  const Answer a = cairn("edit a.png --model m.safetensors --appearance b.png --out s.png");
  ASSERT_EQ(a.code, 0) << a;
  EXPECT_NE(a.out.find("s.png"), std::string::npos) << a;
  EXPECT_TRUE(std::filesystem::exists(folder_ / "s.png"));
}

TEST_F(Landmarks, WhatCannotBeEditedIsNamed) {
  const Answer neither = cairn("edit a.png --model m.safetensors");
  EXPECT_EQ(neither.code, 2) << neither;
  EXPECT_NE(neither.err.find("neither --move nor --appearance"), std::string::npos) << neither;
  for (const char* move : {"4,1,1", "0,1,1", "1,x,1", "1,1", "1,nan,0"}) {
    const Answer a = cairn(text("edit a.png --model m.safetensors --move ", move));
    EXPECT_EQ(a.code, 2) << a;
    EXPECT_NE(a.err.find("from 1 to 3"), std::string::npos) << a;
  }
  const auto magicpoint = make_model("magicpoint");
  Parameters parameters(*magicpoint, Device::cpu);
  parameters.initialize(1);
  save_model(folder_ / "other.safetensors", *magicpoint);
  const Answer other = cairn("edit a.png --model other.safetensors --move 1,1,1");
  EXPECT_EQ(other.code, 2) << other;
  EXPECT_NE(other.err.find("is superpoint"), std::string::npos) << other;
}

TEST_F(Landmarks, DetectFindsThemInTheirOrder) {
  const Answer a = cairn("detect a.png --model m.safetensors --json --out found");
  ASSERT_EQ(a.code, 0) << a;
  EXPECT_EQ(a.json()["names"], (nlohmann::json{"1", "2", "3"}));
  EXPECT_EQ(a.json()["instances"][0]["keypoints"].size(), 3u);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "found/a.png"));
}

TEST_F(Landmarks, EvaluationSaysWhatTheyKnowOfAnnotatedPoints) {
  const Answer a = cairn("eval landmarks --model m.safetensors --fit-images 40 --images 20 --json");
  ASSERT_EQ(a.code, 0) << a;
  EXPECT_EQ(a.json()["images"], 20);
  EXPECT_EQ(a.json()["fit_images"], 40);
  EXPECT_EQ(a.json()["points"].size(), 5u);
  EXPECT_GT(a.json()["error"].get<double>(), 0);
  EXPECT_EQ(a.json()["by_fit_images"].back()["images"], 40);

  ASSERT_EQ(cairn("data synthface --images 12 --size 64x64 --out faces").code, 0);
  const Answer files = cairn(
      "eval landmarks --model m.safetensors --fit faces --test faces "
      "--reference right_eye:left_eye");
  ASSERT_EQ(files.code, 0) << files;
  EXPECT_NE(files.out.find("fitted on 12 images"), std::string::npos) << files;
  EXPECT_NE(files.out.find("left_contour"), std::string::npos) << files;
  const Answer half = cairn("eval landmarks --model m.safetensors --fit faces");
  EXPECT_EQ(half.code, 2);
  EXPECT_NE(half.err.find("--test"), std::string::npos) << half;
}

}  // namespace
}  // namespace cairn
