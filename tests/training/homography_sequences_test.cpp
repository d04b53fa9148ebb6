#include "training/homography_sequences.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "runtime/error.h"
#include "runtime/image.h"
#include "tests/data_folder.h"
#include "tests/temporary_folder.h"

namespace cairn {
namespace {

class HomographySequences : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& content) {
    std::filesystem::create_directories(std::filesystem::path(folder_ / name).parent_path());
    std::ofstream(folder_ / name) << content;
  }
  void write_image(const std::string& name, int height = 4, int width = 6) {
    std::filesystem::create_directories(std::filesystem::path(folder_ / name).parent_path());
    write_png(folder_ / name, Tensor::zeros({height, width, 1}, DType::u8));
  }
  // What an Error says about the file, in all three parts.
  std::string refusal(const std::string& content) {
    write("H", content);
    try {
      read_homography(folder_ / "H");
    } catch (const Error& e) {
      EXPECT_NE(e.expected, "");
      EXPECT_NE(e.remedy, "");
      return e.where + ": " + e.wrong;
    }
    return "none";
  }
  std::string sequence_refusal() {
    try {
      homography_sequences({folder_.path()});
    } catch (const Error& e) {
      return e.where + ": " + e.wrong;
    }
    return "none";
  }
  TemporaryFolder folder_;
};

const char* const shift = "1 0 5\n0 1 -3\n0 0 1\n";

void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST_F(HomographySequences, TheOxfordLayoutIsReadInOrderOfNumbers) {
  for (int k : {1, 2, 10}) write_image("graf/img" + std::to_string(k) + ".png");
  write("graf/H1to2p", shift);
  write("graf/H1to10p", "  1e0   0 0\r\n\r\n0 1 +0.5 \r\n0 0 1");
  write("graf/README.md", "about");
  const auto found = homography_sequences({folder_.path()});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].name, "graf");
  ASSERT_EQ(found[0].others.size(), 2u);
  EXPECT_EQ(found[0].others[0].number, 2);
  EXPECT_EQ(found[0].others[0].from_first(0, 2), 5);
  EXPECT_EQ(found[0].others[1].number, 10);
  EXPECT_EQ(found[0].others[1].from_first(1, 2), 0.5);
}

TEST_F(HomographySequences, TheHPatchesLayoutIsReadWithPpmImages) {
  for (const char* scene : {"v_wall/", "i_door/"}) {
    for (int k = 1; k <= 3; ++k) write(scene + std::to_string(k) + ".ppm", "P6\n2 1\n255\nabcdef");
    write(scene + std::string("H_1_2"), shift);
    write(scene + std::string("H_1_3"), shift);
  }
  const auto found = homography_sequences({folder_.path()});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].name, "i_door");
  EXPECT_EQ(found[1].others.size(), 2u);
  EXPECT_EQ(homography_sequences({folder_ / "v_wall"}).at(0).name, "v_wall");
  EXPECT_EQ(homography_sequences({folder_ / "v_wall/"}).at(0).name, "v_wall");
}

TEST_F(HomographySequences, NumbersMayBeMissing) {
  for (int k : {1, 2, 4}) write_image("s/img" + std::to_string(k) + ".png");
  write("s/H1to2p", shift);
  write("s/H1to4p", shift);
  EXPECT_EQ(homography_sequences({folder_.path()}).at(0).others.at(1).number, 4);
}

TEST_F(HomographySequences, EverythingThatIsWrongWithASequenceIsNamedAtOnce) {
  write_image("s/img2.png");
  write_image("s/img3.png");
  write("s/img4.png", "no image");
  write("s/H1to2p", shift);
  write("s/H1to4p", shift);
  write("s/H1to5p", shift);
  const std::string wrong = sequence_refusal();
  expect_contains(wrong, "image 1 is missing");
  expect_contains(wrong, "img3.png: no homography");
  expect_contains(wrong, "img4.png: ");
  expect_contains(wrong, "H1to5p: image 5 is missing");
}

TEST_F(HomographySequences, AFolderWithoutSequencesIsRefused) {
  write("notes.txt", "nothing");
  expect_contains(sequence_refusal(), "no sequence is in it");
  EXPECT_THROW(homography_sequences({folder_ / "absent"}), Error);
  write_image("s/img1.png");
  write("s/H1to1p", shift);
  expect_contains(sequence_refusal(), "no image beside the first");
}

TEST_F(HomographySequences, AHostileHomographyFileIsNamedWithItsLine) {
  expect_contains(refusal("1 0 0\n0 1 0\n"), "H, line 2: 2 lines");
  expect_contains(refusal(""), "0 lines");
  expect_contains(refusal("1 0 0\n0 1 0\n0 0 1\n0 0 1\n"), "line 4: there are more than three");
  expect_contains(refusal("1 0 0\n0 1\n0 0 1\n"), "line 2: 2 numbers in a line");
  expect_contains(refusal("1 0 0\n0 1 0 0\n0 0 1\n"), "line 2: 4 numbers in a line");
  expect_contains(refusal("1 0 x\n0 1 0\n0 0 1\n"), "line 1: 'x' is no finite number");
  expect_contains(refusal("1 0 1.5px\n0 1 0\n0 0 1\n"), "'1.5px'");
  expect_contains(refusal("1 0 0\n0 nan 0\n0 0 1\n"), "line 2: 'nan'");
  expect_contains(refusal("1 0 0\n0 1 0\n0 0 inf\n"), "line 3: 'inf'");
  expect_contains(refusal("1 0 0\n0 1 0\n0 0 1e999\n"), "'1e999'");
  expect_contains(refusal("1 0 0\n2 0 0\n0 0 1\n"), "singular");
  expect_contains(refusal("0 0 0\n0 0 0\n0 0 0\n"), "singular");
  expect_contains(refusal("1 0 0\n0 0 1\n0 1 0\n"), "h33 is 0");
  EXPECT_THROW(read_homography(folder_ / "absent"), Error);
}

// One of the Oxford matrices is written with a negative h33: points keep a positive w all the same.
TEST_F(HomographySequences, TheScaleAndTheSignOfAMatrixAreFree) {
  for (const char* content : {"1e-9 0 5e-9\n0 1e-9 0\n0 0 1e-9\n", "-2 0 -10\n0 -2 0\n0 0 -2\n"}) {
    write("H", content);
    const Point p = apply(read_homography(folder_ / "H"), {1, 2});
    EXPECT_NEAR(p.x, 6, 1e-9);
    EXPECT_NEAR(p.y, 2, 1e-9);
  }
}

TEST(HomographySequencesData, TheSequencesOfOxfordAndIguazuAreReadAsTheyAre) {
  CAIRN_NEED_DATA(oxford, "homography-oxford");
  CAIRN_NEED_DATA(iguazu, "homography-iguazu");
  const auto found = homography_sequences({oxford, iguazu});
  ASSERT_EQ(found.size(), 5u);
  EXPECT_EQ(found[0].name, "bikes");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(found[i].others.size(), 5u);
  EXPECT_EQ(found[4].name, "homography-iguazu");
  ASSERT_EQ(found[4].others.size(), 3u);
  EXPECT_EQ(found[4].others[2].number, 6);
}

}  // namespace
}  // namespace cairn
