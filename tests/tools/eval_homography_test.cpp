// cairn eval homography and pairs as their users meet them.
#include <fstream>

#include "runtime/image.h"
#include "tests/tools/run_program.h"
#include "training/opencv_keypoints.h"
#include "training/synthetic_pairs.h"

namespace cairn {
namespace {

class EvalHomography : public ProgramTest {
 protected:
  // A sequence of textures: the second is the first, the third is half its size.
  void write_sequence(const std::string& name) {
    std::filesystem::create_directories(folder_ / name);
    const Tensor image = texture({240, 320, 3}, 0), small = texture({120, 160, 3}, 0);
    write_png(folder_ / name + "/img1.png", image);
    write_png(folder_ / name + "/img2.png", image);
    write_png(folder_ / name + "/img3.png", small);
    write(name + "/H1to2p", "1 0 0\n0 1 0\n0 0 1\n");
    write(name + "/H1to3p", "0.5 0 -0.25\n0 0.5 -0.25\n0 0 1\n");
  }
  void write(const std::string& name, const std::string& content) {
    std::ofstream(folder_ / name) << content;
  }
};

TEST_F(EvalHomography, AnswersWithTheDocumentedKeys) {
  write_sequence("set/a");
  write_sequence("set/b");
  const Answer a = cairn("eval homography set --method random --json");
  ASSERT_EQ(a.code, 0) << a;
  const auto j = a.json();
  EXPECT_EQ(j["preset"], "cairn");
  EXPECT_TRUE(j["repeatability"].is_number());
  EXPECT_TRUE(j["localization_error"].is_number());
  EXPECT_TRUE(j["nn_map"].is_null()) << "random points have no descriptors";
  EXPECT_TRUE(j["matching_score"].is_null());
  for (const char* radius : {"1", "3", "5"})
    for (const char* key : {"matching_accuracy", "homography_accuracy"})
      EXPECT_TRUE(j.at(key).at(radius).is_null());
  ASSERT_EQ(j["sequences"].size(), 2u);
  EXPECT_TRUE(j["sequences"]["a"]["repeatability"].is_number());
  EXPECT_TRUE(a.says("eval random")) << "progress: " << a;

  const Answer table = cairn("eval homography --preset kp2d --method random set/a");
  EXPECT_NE(table.out.find("preset kp2d"), std::string::npos) << table;
  EXPECT_NE(table.out.find("\n  mean"), std::string::npos) << table;
}

TEST_F(EvalHomography, ComparesSeveralMethodsOnImagesOfDifferentSizes) {
  if (!have_opencv_methods()) GTEST_SKIP() << "this build has no OpenCV";
  write_sequence("a");
  const Answer a = cairn("eval homography a --method orb --method sift --json");
  ASSERT_EQ(a.code, 0) << a;
  const auto j = a.json();
  ASSERT_EQ(j.size(), 2u);
  for (const auto& row : j) EXPECT_GE(row["homography_accuracy"]["3"].get<double>(), 0.5);
}

TEST_F(EvalHomography, BadInputIsNamed) {
  write_sequence("a");
  expect_error(cairn("eval homography a"), 2, "neither --model nor --method");
  expect_error(cairn("eval homography a --method brisk"), 2, "'brisk' is unknown");
  expect_error(cairn("eval homography a --method random --preset best"), 2, "'best' is unknown");
  expect_error(cairn("eval homography a --method random --estimator guess"), 2, "guess");
  expect_error(cairn("eval homography none --method random"), 1, "there is no such folder");
  write("a/H1to2p", "1 0 0\n0 1 0\n");
  expect_error(cairn("eval homography a --method random"), 1, "H1to2p, line 2: 2 lines");
  write("a/H1to2p", "1 0 0\n1 0 0\n0 0 1\n");
  expect_error(cairn("eval homography a --method random"), 1, "singular");
  write_sequence("a");
  write("a/img2.png", "not an image");
  write("a/img3.png", "");
  const Answer unreadable = cairn("eval homography a --method random");
  expect_error(unreadable, 1, "img2.png");
  EXPECT_TRUE(unreadable.says("img3.png")) << unreadable;
  // Cut in the middle of its data: found when it is read.
  write_sequence("a");
  std::filesystem::resize_file(folder_ / "a/img2.png",
                               std::filesystem::file_size(folder_ / "a/img2.png") / 2);
  expect_error(cairn("eval homography a --method random"), 1, "img2.png");
}

TEST_F(EvalHomography, PairsNeedNoData) {
  const Answer a = cairn(
      "eval pairs --method random --pairs 2 --level easy --level illumination --size 96x128 "
      "--json");
  ASSERT_EQ(a.code, 0) << a;
  const auto j = a.json();
  EXPECT_EQ(j["preset"], "pairs");
  EXPECT_EQ(j["sequences"].size(), 2u);
  EXPECT_EQ(j["sequences"]["illumination"]["pairs"], 2);
  expect_error(cairn("eval pairs --method random --level extreme"), 2, "extreme");
}

}  // namespace
}  // namespace cairn
