// cairn eval keypoints as its users meet it.
#include <fstream>

#include "models/crop_rule.h"
#include "models/model_file.h"
#include "runtime/image.h"
#include "tests/tools/run_program.h"
#include "training/keypoint_readers/keypoint_readers.h"
#include "training/stickman.h"
#include "training/synth_faces.h"

namespace cairn {
namespace {

class EvalKeypoints : public ProgramTest {
 protected:
  void write(const std::string& name, const std::string& content) {
    std::ofstream(folder_ / name) << content;
  }
  // Two images of one object with three points; the last point of the second is missing. Results
  // that are 3 pixels off at the first point of each.
  void write_points() {
    write("truth.csv",
          "file,nose_x,nose_y,nose_v,left_ear_x,left_ear_y,left_ear_v,right_ear_x,right_ear_y,"
          "right_ear_v\na.png,10,10,1,40,10,1,10,40,1\nb.png,20,10,1,40,30,1,0,0,0\n");
    write("results.json",
          "[{\"image_id\": 1, \"category_id\": 1, \"keypoints\": [13,10,1,40,10,1,10,40,1], "
          "\"score\": 1}, {\"image_id\": 2, \"category_id\": 1, \"keypoints\": "
          "[20,13,1,40,30,1,9,9,1], \"score\": 0.5}]");
    for (const char* name : {"a.png", "b.png"})
      write_png(folder_ / name, Tensor::full({48, 64, 3}, 90, DType::u8));
  }
  void write_model(int joints) {
    Options options = crop_rule_options({32, 32, 1.25});
    options.insert({{"stacks", "1"}, {"features", "8"}, {"depth", "1"}});
    options["joints"] = std::to_string(joints);
    const auto model = make_model("stacked_hourglass", options);
    Parameters parameters(*model, Device::cpu);
    parameters.initialize(1);
    save_model(folder_ / "model.safetensors", *model);
  }
};

TEST_F(EvalKeypoints, AnswersWithTheDocumentedKeys) {
  write_points();
  const Answer a = cairn(
      "eval keypoints --truth truth.csv --predictions results.json --reference nose:left_ear "
      "--threshold 0.1 --threshold 0.05 --alpha 0.1 --json");
  ASSERT_EQ(a.code, 0) << a;
  const auto j = a.json();
  EXPECT_EQ(j["reference"], "nose:left_ear");
  EXPECT_EQ(j["images"], 2);
  EXPECT_EQ(j["labelled"], 5);
  EXPECT_NEAR(j["pck"]["0.05"].get<double>(), 3 / 5.0, 1e-12);
  EXPECT_NEAR(j["pck"]["0.1"].get<double>(), 4 / 5.0, 1e-12);  // 3 px of 30 but not of 28.3
  EXPECT_NEAR(j["mean_pixels"].get<double>(), 6 / 5.0, 1e-12);
  EXPECT_EQ(j["median_pixels"], 0);
  for (const char* key : {"pck_area", "pck_visible", "nme", "auc", "failure_rate"})
    EXPECT_TRUE(j[key].is_number()) << key;
  EXPECT_TRUE(j["pck_hidden"].is_null()) << "no point is hidden";
  EXPECT_EQ(j["ced"].size(), 51u);
  EXPECT_EQ(j["sigmas"].size(), 3u);
  EXPECT_TRUE(j["oks"]["ap_medium"].is_number());
  EXPECT_EQ(j["groups"]["ear"]["labelled"], 3);
  EXPECT_EQ(j["keypoints"]["nose"]["pck"], 0.5);

  const Answer table = cairn("eval keypoints --truth truth.csv --predictions results.json");
  ASSERT_EQ(table.code, 0) << table;
  EXPECT_NE(table.out.find("distances over side"), std::string::npos) << table;
  EXPECT_NE(table.out.find("NME side"), std::string::npos) << table;
  EXPECT_NE(table.out.find("\n  ear "), std::string::npos) << table;
}

TEST_F(EvalKeypoints, MeasuresANetworkAndItsWrittenResultsAlike) {
  write_points();
  write_model(3);
  const Answer a =
      cairn("eval keypoints --truth truth.csv --model model.safetensors --out found.json --json");
  ASSERT_EQ(a.code, 0) << a;
  EXPECT_TRUE(a.says("eval model.safetensors")) << "progress: " << a;
  const Answer b = cairn("eval keypoints --truth truth.csv --predictions found.json --json");
  ASSERT_EQ(b.code, 0) << b;
  EXPECT_EQ(a.json(), b.json());
  EXPECT_EQ(a.json()["unpredicted"], 0);
}

TEST_F(EvalKeypoints, OptionsOfTheModelCanBeOtherThanInItsFile) {
  write_points();
  write_model(3);
  const std::string command = "eval keypoints --truth truth.csv --model model.safetensors";
  const auto pixels = [&](const std::string& more) {
    const Answer a = cairn(command + more + " --json");
    EXPECT_EQ(a.code, 0) << a;
    return a.json()["mean_pixels"].get<double>();
  };
  EXPECT_EQ(pixels(""), pixels(" --set decoder=dark"));  // what the file says
  EXPECT_NE(pixels(""), pixels(" --set decoder=argmax"));
  EXPECT_EQ(pixels(""), pixels(" --stacks 1"));
  expect_error(cairn(command + " --set decode=argmax"), 2, "decoder");
  expect_error(cairn(command + " --set decoder"), 2, "option=value");
  expect_error(cairn(command + " --stacks 2"), 2, "network with 1");
  expect_error(cairn(command + " --flip"), 2, "which points a mirror image exchanges");
}

// Figures as files are the ones that training draws.
TEST_F(EvalKeypoints, DrawnFiguresMakeADataSet) {
  ASSERT_EQ(cairn("data stickman --images 3 --size 64x64 --seed 5 --out figures").code, 0);
  const Answer check = cairn("check figures --json");
  ASSERT_EQ(check.code, 0) << check;
  EXPECT_EQ(check.json()["files"][0]["instances"], 3);
  EXPECT_EQ(check.json()["files"][0]["warnings"].size(), 0u);
  StickmanOptions options;
  options.size = 64;
  options.seed = 5;
  const KeypointDataset data = read_keypoint_dataset(folder_ / "figures");
  const Stickman drawn = stickman(options, 2);
  EXPECT_EQ(data.skeleton.names, mpii_skeleton().names);
  ASSERT_TRUE(data.images.at(2).instances.at(0).head);
  EXPECT_NEAR(data.images[2].instances[0].head->width, drawn.figures[0].head->width, 1e-9);
  EXPECT_EQ(data.images[2].instances[0].points[9].x, drawn.figures[0].points[9].x);
  EXPECT_EQ(read_image(data.images[2].path, 3).values<uint8_t>(), drawn.image.values<uint8_t>());
}

TEST_F(EvalKeypoints, DrawnFacesMakeADataSet) {
  ASSERT_EQ(cairn("data synthface --images 3 --size 64x64 --seed 5 --out faces").code, 0);
  const KeypointDataset data = read_keypoint_dataset(folder_ / "faces");
  const SynthFace drawn = synth_face({64, 5}, 2);
  EXPECT_EQ(data.skeleton.names, synth_face_skeleton().names);
  EXPECT_EQ(data.skeleton.swap, synth_face_skeleton().swap);
  EXPECT_EQ(data.images.at(2).instances.at(0).points[9].x, drawn.points[9].x);
  EXPECT_EQ(read_image(data.images[2].path, 3).values<uint8_t>(), drawn.image.values<uint8_t>());

  const Answer sheet = cairn("data synthface --count 2 --out sheet.png --json");
  ASSERT_EQ(sheet.code, 0) << sheet;
  EXPECT_EQ(sheet.json()["images"].size(), 2u);
  expect_error(cairn("data synthface --size 64x96"), 2, "a square, as 96x96");
  expect_error(cairn("data synthface --size 8x8"), 2, "an image of 8 pixels");
}

TEST_F(EvalKeypoints, SaysWhatDoesNotFit) {
  write_points();
  write_model(4);
  expect_error(cairn("eval keypoints --truth truth.csv"), 2, "neither --model nor --predictions");
  expect_error(cairn("eval keypoints --truth truth.csv --predictions results.json --model m"), 2,
               "both");
  expect_error(cairn("eval keypoints --truth truth.csv --predictions results.json --reference "
                     "torso"),
               2, "right_shoulder");
  expect_error(cairn("eval keypoints --truth truth.csv --model model.safetensors"), 2, "finds 4");
  write("results.json", "[{\"image_id\": 9, \"keypoints\": [1,1,1,1,1,1,1,1,1], \"score\": 1}]");
  expect_error(cairn("eval keypoints --truth truth.csv --predictions results.json"), 1,
               "image 9, which is not annotated");
}

}  // namespace
}  // namespace cairn
