// `cairn check`: what it prints, what it calls an error, and its contact sheets.
#include "runtime/image.h"
#include "tests/tools/run_program.h"
#include "tests/training/keypoint_files.h"

namespace cairn {
namespace {

// A folder set/ with points.json of small_coco() and its images.
class Check : public ProgramTest {
 protected:
  Check() {
    std::filesystem::create_directory(folder_ / "set");
    Tensor image = Tensor::empty({30, 40, 1}, DType::u8);
    std::fill_n(image.data<uint8_t>(), image.count(), uint8_t{90});
    for (const char* name : {"a.png", "b.png"})
      write_png(folder_ / ("set/" + std::string(name)), image);
    write(small_coco());
  }
  void write(const nlohmann::json& root) const {
    write_file(folder_ / "set/points.json", root.dump());
  }
};

TEST_F(Check, AGoodSetIsDescribedAndDrawn) {
  const Answer a = cairn("check set --out sheet.png");
  ASSERT_EQ(a.code, 0) << a;
  EXPECT_NE(a.out.find("set/points.json: 2 images, 2 instances of 3 keypoints, 1 crowd; 5 "
                       "labelled points; median size 20 pixels"),
            std::string::npos)
      << a;
  EXPECT_NE(a.out.find("left_eye          1        0        1        0  right_eye"),
            std::string::npos)
      << a;
  EXPECT_NE(a.out.find("nothing is wrong"), std::string::npos) << a;
  EXPECT_GT(read_image_info(folder_ / "sheet.png").width, 100);
  const nlohmann::json j = cairn("check set/points.json --json").json();
  EXPECT_EQ(j["fine"], true);
  EXPECT_EQ(j["files"][0]["keypoints"][2]["hidden"], 1);
  EXPECT_EQ(j["files"][0]["keypoints"][1]["mirrored"], 2);
}

TEST_F(Check, ErrorsAreAllListedAndEndWithOne) {
  nlohmann::json root = small_coco();
  root["annotations"][0]["image_id"] = 5;
  root["annotations"][2]["keypoints"][0] = "x";
  root["images"][1]["file_name"] = "gone.png";
  write(root);
  const Answer a = cairn("check set");
  EXPECT_EQ(a.code, 1) << a;
  for (const char* part :
       {"unknown_image", "annotation 7 (image 5): image_id is 5", "bad_coordinate",
        "annotation 9 (image 2), keypoint 0 (nose): x is \"x\"", "image_missing", "set/gone.png"})
    EXPECT_NE(a.out.find(part), std::string::npos) << part << '\n' << a;
  EXPECT_TRUE(a.says("errors, as listed, in set/points.json")) << a;
  const Answer j = cairn("check set --json");
  EXPECT_EQ(j.code, 1);
  EXPECT_EQ(j.json()["fine"], false);
  EXPECT_EQ(j.json()["files"][0]["errors"][0]["kind"], "unknown_image");
  EXPECT_EQ(j.json()["files"][0]["warnings"][0]["kind"], "image_missing");
}

TEST_F(Check, EveryFileOfAFolderIsCheckedWhateverTheOthersAre) {
  write_file(folder_ / "set/bad.json", "{");
  write_file(folder_ / "set/more.csv", "file,a_x,a_y\na.png,3,4\n");
  const Answer a = cairn("check set --out sheet.png");
  EXPECT_EQ(a.code, 1) << a;
  EXPECT_NE(a.out.find("refused set/bad.json: it is not JSON: line 1, column 2"), std::string::npos)
      << a;
  EXPECT_NE(a.out.find("set/more.csv: 1 image,"), std::string::npos) << a;
  EXPECT_TRUE(std::filesystem::exists(folder_ / "sheet-more.png"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "sheet-points.png"));
}

TEST_F(Check, ARecipeFitsIntoMemoryOrNot) {
  write_file(folder_ / "r.toml",
             "task = \"magicpoint\"\n[model]\narchitecture = \"magicpoint\"\n"
             "[data]\nheight = 120\nwidth = 160\n[eval]\nimages = 1\n[train]\nbatch = 9\n");
  const Answer a = cairn("check set --recipe r.toml --json");
  ASSERT_EQ(a.code, 0) << a;
  const nlohmann::json r = a.json()["recipe"];
  EXPECT_EQ(r["batch"], 9);
  EXPECT_EQ(r["fits"], true);
  EXPECT_GT(r["bytes"], 9 * r["bytes_per_image"].get<int64_t>());
  const Answer b = cairn(
      "check set --recipe r.toml --set data.height=240 --set data.width=320 "
      "--set train.batch=4096");
  EXPECT_EQ(b.code, 1) << b;
  EXPECT_TRUE(b.says("a step of 4096 images needs about")) << b;
  EXPECT_TRUE(b.says("would fit")) << b;
  EXPECT_TRUE(cairn("check set --recipe gone.toml").says("gone.toml"));
}

TEST_F(Check, PathsThatLeadNowhereAreErrors) {
  std::filesystem::create_directory(folder_ / "none");
  expect_error(cairn("check none"), 1, "none: the folder has no annotations");
  const Answer a = cairn("check gone.json");
  EXPECT_EQ(a.code, 1) << a;
  EXPECT_NE(a.out.find("refused gone.json"), std::string::npos) << a;
  expect_error(cairn("check"), 2, "PATH");
}

}  // namespace
}  // namespace cairn
