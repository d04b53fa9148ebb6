// Points as CSV, and left and right in names.
#include <gtest/gtest.h>

#include "tests/caught.h"
#include "tests/training/keypoint_files.h"
#include "training/keypoint_names.h"

namespace cairn {
namespace {

using Places = std::vector<std::string>;

class Csv : public testing::Test {
 protected:
  ScannedDataset scan(const std::string& text) const {
    write_file(folder_ / "points.csv", text);
    return scan_keypoint_dataset(folder_ / "points.csv");
  }
  TemporaryFolder folder_;
};

TEST_F(Csv, RowsBecomeInstances) {
  const auto [d, problems] = scan(
      "file,leftear_x,leftear_y,leftear_v,rightear_x,rightear_y,rightear_v\r\n"
      "\"a, b.png\",1.5,2,1, 4,6,1\r\n"
      "c.png,0,0,0,7,8,1\r\n"
      "\r\n"
      "c.png,1,1,1,0,nan,0\r\n");
  EXPECT_TRUE(problems.places().empty());
  EXPECT_EQ(d.skeleton.swap, (std::vector<int>{1, 0}));
  ASSERT_EQ(d.images.size(), 2u);
  EXPECT_EQ(d.images[0].path, folder_ / "a, b.png");
  EXPECT_EQ(d.images[0].width, 0);
  ASSERT_EQ(d.images[1].instances.size(), 2u);
  const Instance& first = d.images[0].instances[0];
  EXPECT_EQ(first.id, 2);  // its line
  EXPECT_EQ(first.points[0].x, 1.5);
  EXPECT_EQ(first.points[0].v, Visibility::visible);
  EXPECT_EQ(first.box.x, 1);
  EXPECT_EQ(first.box.width, 3.5);
  EXPECT_DOUBLE_EQ(first.area, 0.53 * 3.5 * 5);
  EXPECT_EQ(d.images[1].instances[1].points[1].v, Visibility::missing);
}

TEST_F(Csv, ATwoMakesOnesHidden) {
  const auto d = scan("file,a_x,a_y,a_v,b_x,b_y,b_v\nc.png,1,2,2,3,4,1\n").data;
  EXPECT_EQ(d.images[0].instances[0].points[0].v, Visibility::visible);
  EXPECT_EQ(d.images[0].instances[0].points[1].v, Visibility::hidden);
}

TEST_F(Csv, WithoutFlagsEmptyFieldsAreMissing) {
  const auto [d, problems] = scan("file,a_x,a_y,b_x,b_y\nc.png,1,2,,\nd.png,nan,nan,3,4\n");
  EXPECT_FALSE(problems.has_errors());
  EXPECT_EQ(d.images[0].instances[0].points[1].v, Visibility::missing);
  EXPECT_EQ(d.images[1].instances[0].points[0].v, Visibility::missing);
  EXPECT_EQ(d.images[1].instances[0].points[1].v, Visibility::visible);
}

TEST_F(Csv, KeypointsTxtMustNameTheSamePoints) {
  write_file(folder_ / "keypoints.txt", "0 a 1\n1 b 0\n");
  const std::string csv = "file,a_x,a_y,b_x,b_y\nc.png,1,2,3,4\n";
  EXPECT_EQ(scan(csv).data.skeleton.swap, (std::vector<int>{1, 0}));
  write_file(folder_ / "keypoints.txt", "0 a 1\n1 b 1\n");
  EXPECT_EQ(places(scan(csv).problems, Problem::bad_swap),
            Places{"keypoint 0 (a) has 1 (b), which has 1"});
  write_file(folder_ / "keypoints.txt", "0 b 1\n1 a 0\n");
  EXPECT_EQ(places(scan(csv).problems, Problem::keypoints_txt),
            Places{"it names 2 keypoints, the header 2 or others"});
}

TEST_F(Csv, EveryBadFieldIsNamedByLine) {
  const Problems found = scan(
                             "file,a_x,a_y,a_v\n"
                             "c.png,one,inf,1\n"
                             "c.png,1,2\n"
                             "c.png,1,2,0.5\n"
                             ",1,2,1\n")
                             .problems;
  EXPECT_EQ(places(found, Problem::bad_coordinate),
            (Places{"line 2 (c.png), keypoint 0 (a): x is 'one'",
                    "line 2 (c.png), keypoint 0 (a): y is 'inf'"}));
  EXPECT_EQ(places(found, Problem::keypoint_count), Places{"line 3: 3 fields under a header of 4"});
  EXPECT_EQ(places(found, Problem::bad_visibility),
            Places{"line 4 (c.png), keypoint 0 (a): v is '0.5'"});
  EXPECT_EQ(places(found, Problem::bad_entry), Places{"line 5: no file"});
}

TEST_F(Csv, OtherHeadersAreRefused) {
  EXPECT_EQ(wrong([&] { scan(""); }), "another schema: the first column is ''");
  EXPECT_EQ(wrong([&] { scan("file;a_x;a_y\n"); }),
            "another schema: the first column is 'file;a_x;a_y'");
  EXPECT_EQ(wrong([&] { scan("file,a_x,b_y\n"); }), "another schema: column 2 is 'a_x'");
  EXPECT_EQ(wrong([&] { scan("file\n"); }), "another schema: there is no keypoint");
}

TEST(KeypointNames, LeftAndRightFindEachOther) {
  const auto swap = [](const std::vector<std::string>& names) { return swap_by_names(names); };
  const std::vector<int> pair{1, 0, 2};
  EXPECT_EQ(swap({"left_eye", "right_eye", "nose"}), pair);
  EXPECT_EQ(swap({"Right Shoulder", "Left Shoulder", "Neck"}), pair);
  EXPECT_EQ(swap({"leftear", "rightear", "tail"}), pair);
  EXPECT_EQ(swap({"L_F_Elbow", "R_F_Elbow", "Throat"}), pair);
  EXPECT_EQ(swap({"forelegR1", "forelegL1", "head"}), pair);
  EXPECT_EQ(swap({"eye_l", "eye_r", "el"}), pair);
  EXPECT_EQ(swap({"left_eye", "left_ear", "all"}), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(swap({"heel", "heer", "peel"}), (std::vector<int>{0, 1, 2}));
}

}  // namespace
}  // namespace cairn
