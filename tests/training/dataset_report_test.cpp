// What inspect() counts and finds, what training refuses, and the check of mirrored partners.
#include "training/dataset_report.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "runtime/random.h"
#include "tests/caught.h"
#include "tests/data_folder.h"
#include "tests/training/keypoint_files.h"
#include "training/dataset_sheet.h"
#include "training/flip_check.h"

namespace cairn {
namespace {

using nlohmann::json;
using Places = std::vector<std::string>;

TEST(DatasetReport, CountsEveryPointOnce) {
  const SmallCoco files;
  ScannedDataset scanned = files.scan(small_coco());
  const DatasetReport r = inspect(scanned, ImageCheck::whole);
  EXPECT_TRUE(scanned.problems.places().empty()) << scanned.problems.summary(false, 5);
  EXPECT_EQ(r.images, 2);
  EXPECT_EQ(r.readable, 2);
  EXPECT_EQ(r.instances, 2);
  EXPECT_EQ(r.crowds, 1);
  EXPECT_EQ(r.labelled, 5);
  EXPECT_EQ(r.median_size, 20);
  EXPECT_EQ(r.keypoints[0].visible, 2);
  EXPECT_EQ(r.keypoints[1].missing, 1);
  EXPECT_EQ(r.keypoints[2].hidden, 1);
}

TEST(DatasetReport, NamesWhatOnlyTheImagesShow) {
  const SmallCoco files;
  json root = small_coco();
  root["images"].push_back({{"id", 3}, {"file_name", "gone.png"}});
  root["images"].push_back({{"id", 4}, {"file_name", "half.png"}});
  const std::string whole = read_file(files.folder() / "a.png");
  write_file(files.folder() / "half.png", whole.substr(0, whole.size() / 2));
  root["images"][1]["width"] = 80;
  root["annotations"][0]["keypoints"] = {39.5, 8, 2, 39.75, 6, 2, 8, -0.75, 1};
  ScannedDataset scanned = files.scan(root);
  const DatasetReport r = inspect(scanned, ImageCheck::whole);
  EXPECT_EQ(r.readable, 2);
  EXPECT_EQ(r.can_be_read, (std::vector<bool>{true, true, false, false}));
  EXPECT_EQ(r.outside, 2);  // 39.5 is the border itself
  EXPECT_EQ(r.unlabelled_images, 2);
  const auto path = [&](const char* name) { return files.folder() / name; };
  const Problems& found = scanned.problems;
  EXPECT_EQ(places(found, Problem::image_missing), Places{"image 3 (" + path("gone.png") + ")"});
  ASSERT_EQ(places(found, Problem::image_unreadable).size(), 1u);
  EXPECT_TRUE(places(found, Problem::image_unreadable)[0].starts_with("image 4 ("));
  EXPECT_EQ(places(found, Problem::image_size),
            Places{"image 2 (" + path("b.png") + "): annotated as 80 x 30, the file is 40 x 30"});
  EXPECT_EQ(
      places(found, Problem::label_outside),
      (Places{"image 1 (" + path("a.png") + "), annotation 7, left_eye: (39.75, 6) in 40 x 30",
              "image 1 (" + path("a.png") + "), annotation 7, right_eye: (8, -0.75) in 40 x 30"}));
}

TEST(DatasetReport, NamesKeypointsThatAreNeverSeen) {
  const SmallCoco files;
  json root = small_coco();
  root["annotations"][0]["keypoints"] = {10, 8, 2, 0, 0, 0, 8, 6.25, 1};
  root["annotations"][2]["keypoints"] = {14, 10, 2, 0, 0, 0, 12, 8, 1};
  ScannedDataset scanned = files.scan(root);
  inspect(scanned, ImageCheck::header);
  EXPECT_EQ(places(scanned.problems, Problem::never_labelled), Places{"keypoint 1 (left_eye)"});
  EXPECT_EQ(places(scanned.problems, Problem::never_visible),
            Places{"keypoint 2 (right_eye): hidden 2 times"});
  root["annotations"][0]["keypoints"] = {10, 8, 1, 9, 9, 1, 8, 6.25, 1};
  root["annotations"][2]["keypoints"] = {14, 10, 1, 9, 9, 1, 12, 8, 1};
  scanned = files.scan(root);
  inspect(scanned, ImageCheck::header);
  EXPECT_EQ(places(scanned.problems, Problem::never_visible), Places{"all 3 keypoints"});
}

TEST(DatasetReport, NothingLabelledNoImagesAndForeignCoordinatesAreErrors) {
  const SmallCoco files;
  json root = small_coco();
  for (json& a : root["annotations"]) a["keypoints"] = {0, 0, 0, 0, 0, 0, 0, 0, 0};
  for (json& image : root["images"]) image["file_name"] = "gone.png";
  ScannedDataset scanned = files.scan(root);
  inspect(scanned, ImageCheck::header);
  EXPECT_EQ(places(scanned.problems, Problem::no_labels), Places{"2 images, 2 annotations"});
  EXPECT_EQ(places(scanned.problems, Problem::no_images).size(), 1u);
  root = small_coco();
  root["annotations"][0]["keypoints"] = {100, 80, 2, 120.5, 60, 2, 80, 60.25, 2};
  scanned = files.scan(root);
  inspect(scanned, ImageCheck::header);
  EXPECT_EQ(places(scanned.problems, Problem::mostly_outside), Places{"3 of 5 labels"});
}

TEST(DatasetReport, TrainingRefusesErrorsAndSaysWhatItLeftOut) {
  const SmallCoco files;
  json root = small_coco();
  root["images"].push_back({{"id", 3}, {"file_name", "gone.png"}});
  const std::string path = files.write(root.dump());
  std::vector<std::string> remarks;
  const KeypointDataset d = read_training_dataset(path, remarks);
  EXPECT_EQ(d.images.size(), 2u);
  ASSERT_EQ(remarks.size(), 2u);
  EXPECT_TRUE(remarks[0].starts_with(path + ": images that are not there: image 3")) << remarks[0];
  root["annotations"][0]["id"] = 9;
  root["annotations"][0]["keypoints"] = {100, 80, 2, 120.5, 60, 2, 80, 60.25, "2"};
  files.write(root.dump());
  const std::string refused = error_of([&] { read_training_dataset(path, remarks); });
  for (const char* part : {"annotation 9 (image 2)", "bad_visibility", "v is \"2\"", "cairn check"})
    EXPECT_NE(refused.find(part), std::string::npos) << refused;
}

TEST(DatasetReport, EveryKindOfProblemHasItsSentences) {
  std::set<std::string> names;
  for (int i = 0; i < problem_kinds; ++i) {
    const ProblemFacts& f = facts(Problem(i));
    EXPECT_TRUE(names.insert(f.name).second) << f.name;
    EXPECT_EQ(f.error, i <= int(Problem::no_images)) << f.name;
    EXPECT_GT(std::string(f.what).size() * std::string(f.remedy).size(), 0u) << f.name;
  }
}

// Faces of eye, eye, ear, ear, nose and chin, turned, scaled and with noise.
KeypointDataset faces(const std::vector<int>& swap) {
  const std::vector<Point> shape{{-2, -2}, {2, -2}, {-5, 0}, {5, 0}, {0, 1}, {0, 7}};
  KeypointDataset d;
  d.skeleton = {{"eye1", "eye2", "ear1", "ear2", "nose", "chin"}, swap, {}, {}};
  Random random(3);
  for (int i = 0; i < 20; ++i) {
    const double angle = random.uniform() * 6, size = 3 + 9 * random.uniform();
    Instance face;
    for (Point p : shape)
      face.points.push_back({size * (std::cos(angle) * p.x - std::sin(angle) * p.y) + i +
                                 0.2 * size * (random.uniform() - 0.5),
                             size * (std::sin(angle) * p.x + std::cos(angle) * p.y) +
                                 0.2 * size * (random.uniform() - 0.5),
                             Visibility::visible});
    face.points[size_t(i) % 6] = {};
    d.images.push_back({i, "", 0, 0, {face}});
  }
  return d;
}

TEST(FlipCheck, TheMeanShapeIsThatOfTheLabelsHoweverTheyLie) {
  const std::vector<Point> mean = mean_shape(faces({1, 0, 3, 2, 4, 5}));
  ASSERT_EQ(mean.size(), 6u);
  const auto distance = [&](size_t a, size_t b) {
    return std::hypot(mean[a].x - mean[b].x, mean[a].y - mean[b].y);
  };
  EXPECT_NEAR(distance(2, 3) / distance(0, 1), 2.5, 0.1);
  EXPECT_NEAR(distance(4, 5) / distance(0, 1), 1.5, 0.1);
}

TEST(FlipCheck, AWrongPairIsFoundWhicheverWayFacesAreTurned) {
  Problems fine, none, crossed;
  check_flip_pairs(faces({1, 0, 3, 2, 4, 5}), fine);
  EXPECT_TRUE(fine.places().empty()) << fine.summary(false, 9);
  check_flip_pairs(faces({0, 1, 2, 3, 4, 5}), none);
  EXPECT_EQ(places(none, Problem::mirrored_elsewhere),
            (Places{"keypoint 0 (eye1) has 0 (eye1); mirrored it lies on 1 (eye2)",
                    "keypoint 1 (eye2) has 1 (eye2); mirrored it lies on 0 (eye1)",
                    "keypoint 2 (ear1) has 2 (ear1); mirrored it lies on 3 (ear2)",
                    "keypoint 3 (ear2) has 3 (ear2); mirrored it lies on 2 (ear1)"}));
  check_flip_pairs(faces({1, 0, 3, 2, 5, 4}), crossed);
  EXPECT_EQ(places(crossed, Problem::mirrored_elsewhere).size(), 2u);
}

TEST(FlipCheck, NamesThatAreNotSwappedAreNamed) {
  KeypointDataset d = faces({1, 0, 3, 2, 4, 5});
  d.skeleton.names = {"left_eye", "right_eye", "left_ear", "right_ear", "nose", "chin"};
  d.skeleton.swap = {3, 2, 1, 0, 4, 5};
  d.images.clear();
  Problems found;
  check_flip_pairs(d, found);
  EXPECT_EQ(places(found, Problem::names_not_swapped)[0],
            "keypoint 0 (left_eye) has 3 (right_ear), not 1 (right_eye)");
  EXPECT_EQ(places(found, Problem::names_not_swapped).size(), 4u);
}

TEST(FlipCheck, PublicTablesAreRightAndTablesWithoutPairsAreNot) {
  CAIRN_NEED_DATA(root, "mouse-openfield");
  for (const char* set : {"person-lspet", "face-ytf68", "mouse-openfield", "fly-32", "bee-32"}) {
    KeypointDataset d = read_keypoint_dataset(root + "/../" + set + "/train.csv");
    Problems fine, wrong;
    check_flip_pairs(d, fine);
    EXPECT_TRUE(fine.places().empty()) << set << fine.summary(false, 9);
    int pairs = 0;
    for (int k = 0; k < d.skeleton.keypoints(); ++k) {
      pairs += d.skeleton.swap[size_t(k)] != k;
      d.skeleton.swap[size_t(k)] = k;
      d.skeleton.names[size_t(k)] = std::to_string(k);
    }
    check_flip_pairs(d, wrong);
    EXPECT_GE(int(places(wrong, Problem::mirrored_elsewhere).size()), pairs * 3 / 4) << set;
  }
}

TEST(DatasetSheet, APointIsDrawnWhereTheImageHasIt) {
  const TemporaryFolder folder;
  Tensor image = Tensor::empty({60, 80, 3}, DType::u8);
  std::fill_n(image.data<uint8_t>(), image.count(), uint8_t{0});
  write_png(folder / "a.png", image);
  write_file(folder / "p.csv", "file,a_x,a_y,b_x,b_y\na.png,20,30,60,40\n");
  const KeypointDataset d = read_keypoint_dataset(folder / "p.csv");
  const Tensor sheet = dataset_sheet(d, {4, 2, 60});
  // The window is columns 11..68 and rows 21..48 (box and a margin of 8.1), drawn as it is.
  EXPECT_EQ(sheet.dim(1), 8 + 58 + 8);
  const auto bright = [&](int64_t x, int64_t y) {
    const uint8_t* p = sheet.data<uint8_t>() + ((y + 8) * sheet.dim(1) + x + 8) * 3;
    return p[0] + p[1] + p[2] > 250;
  };
  EXPECT_TRUE(bright(20 - 11, 30 - 21));
  EXPECT_TRUE(bright(60 - 11, 40 - 21));
  EXPECT_FALSE(bright(40 - 11, 35 - 21));
  std::filesystem::remove(folder / "a.png");
  EXPECT_EQ(wrong([&] { dataset_sheet(d); }), "none of 1 annotations could be drawn");
}

}  // namespace
}  // namespace cairn
