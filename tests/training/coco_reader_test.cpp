// COCO keypoints: what is read, and every way in which a file can be wrong.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/caught.h"
#include "tests/training/keypoint_files.h"
#include "training/keypoint_readers/coco_files.h"

namespace cairn {
namespace {

using nlohmann::json;
using Places = std::vector<std::string>;

// The only problem of a file, in its only place.
void expect_only(const Problems& problems, Problem kind, const std::string& place) {
  EXPECT_EQ(places(problems, kind), Places{place});
  EXPECT_EQ(problems.places().size(), 1u)
      << problems.summary(true, 5) << problems.summary(false, 5);
}

TEST(CocoReader, PointsBoxesAndSkeletonBecomeThoseOfTheProject) {
  const SmallCoco files;
  const auto [d, problems] = files.scan(small_coco());
  EXPECT_TRUE(problems.places().empty()) << problems.summary(true, 9) << problems.summary(false, 9);
  EXPECT_EQ(d.skeleton.names, (Places{"nose", "left_eye", "right_eye"}));
  EXPECT_EQ(d.skeleton.swap, (std::vector<int>{0, 2, 1}));
  EXPECT_EQ(d.skeleton.bones, (std::vector<std::array<int, 2>>{{0, 1}, {0, 2}}));
  EXPECT_EQ(d.skeleton.sigmas, (std::vector<double>{.026, .025, .025}));
  ASSERT_EQ(d.images.size(), 2u);
  EXPECT_EQ(d.images[0].path, files.folder() / "a.png");
  EXPECT_EQ(d.images[0].width, 40);
  ASSERT_EQ(d.images[0].instances.size(), 2u);
  const Instance& face = d.images[0].instances[0];
  EXPECT_EQ(face.id, 7);
  EXPECT_EQ(face.points[1].x, 12.5);  // pixel centres are integers in the file as here
  EXPECT_EQ(face.points[2].v, Visibility::hidden);
  EXPECT_EQ(face.box.x, 1.5);  // but boxes count from the border of the first pixel
  EXPECT_EQ(face.box.width, 20);
  EXPECT_EQ(face.area, 90);
  EXPECT_FALSE(face.crowd);
  EXPECT_TRUE(d.images[0].instances[1].crowd);
  EXPECT_EQ(d.images[1].instances[0].points[1].v, Visibility::missing);
}

TEST(CocoReader, WhatIsWrittenIsReadAgain) {
  const SmallCoco files;
  json root = small_coco();
  root["annotations"][0]["head_bbox"] = {3, 4, 5.5, 6};
  const KeypointDataset first = files.scan(root).data;
  ASSERT_TRUE(first.images[0].instances[0].head);
  EXPECT_EQ(first.images[0].instances[0].head->x, 2.5);
  write_coco_keypoints(files.folder() / "again.json", first);
  const KeypointDataset again = read_keypoint_dataset(files.folder() / "again.json");
  EXPECT_EQ(again.skeleton.names, first.skeleton.names);
  EXPECT_EQ(again.skeleton.swap, first.skeleton.swap);
  EXPECT_EQ(again.skeleton.bones, first.skeleton.bones);
  EXPECT_EQ(again.skeleton.sigmas, first.skeleton.sigmas);
  ASSERT_EQ(again.images.size(), first.images.size());
  for (size_t i = 0; i < first.images.size(); ++i) {
    const AnnotatedImage &a = first.images[i], &b = again.images[i];
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.path, b.path);
    EXPECT_EQ(a.width, b.width);
    ASSERT_EQ(a.instances.size(), b.instances.size());
    for (size_t n = 0; n < a.instances.size(); ++n) {
      const Instance &p = a.instances[n], &q = b.instances[n];
      EXPECT_EQ(p.id, q.id);
      EXPECT_EQ(p.area, q.area);
      EXPECT_EQ(p.crowd, q.crowd);
      EXPECT_EQ(p.box.x, q.box.x);
      EXPECT_EQ(p.box.height, q.box.height);
      ASSERT_EQ(p.head.has_value(), q.head.has_value());
      if (p.head) EXPECT_EQ(p.head->width, q.head->width);
      for (size_t k = 0; k < p.points.size(); ++k) {
        EXPECT_EQ(p.points[k].x, q.points[k].x);
        EXPECT_EQ(p.points[k].y, q.points[k].y);
        EXPECT_EQ(p.points[k].v, q.points[k].v);
      }
    }
  }
}

TEST(CocoReader, TextThatIsNotJsonIsNamedByLineAndColumn) {
  const SmallCoco files;
  const auto wrong_with = [&](const std::string& text) {
    return wrong([&] { scan_keypoint_dataset(files.write(text)); });
  };
  EXPECT_EQ(wrong_with("{\n  \"images\": [}"), "it is not JSON: line 2, column 14");
  EXPECT_EQ(wrong_with(" \n"), "the file is empty");
  EXPECT_EQ(wrong_with(small_coco().dump().substr(0, 200)), "it is not JSON: line 1, column 201");
  EXPECT_EQ(wrong_with(std::string(100'000, '[')), "it is not JSON: line 1, column 100001");
}

TEST(CocoReader, AnotherSchemaIsNamed) {
  const SmallCoco files;
  const auto wrong_with = [&](const std::string& text) {
    return wrong([&] { scan_keypoint_dataset(files.write(text)); });
  };
  EXPECT_EQ(wrong_with(R"({"version": 5, "shapes": [], "images": {}})"),
            "another schema: 'images' is no list, 'annotations' is no list; it has images, shapes, "
            "version");
  EXPECT_EQ(wrong_with("[1, 2]"), "another schema: it is [1,2]");
  EXPECT_EQ(wrong_with(R"([{"image_id": 1, "bbox": [], "score": 0.5}])"),
            "it holds 1 results of a detector, no annotations");
}

TEST(CocoReader, EveryErrorIsFoundAtOnceWithItsId) {
  const SmallCoco files;
  json root = small_coco();
  root["images"].push_back({{"id", 2}, {"file_name", "c.png"}});
  root["images"].push_back({{"id", "x"}, {"file_name", "d.png"}});
  root["images"].push_back({{"id", 5}});
  root["annotations"][0]["keypoints"] = {1, 2, 2};
  root["annotations"][1]["id"] = 7;
  root["annotations"][2]["keypoints"] = {"14", 10, 2, 0, nullptr, 1, 12, 8, 4};
  root["annotations"].push_back(
      {{"id", 10}, {"image_id", 99}, {"category_id", 4}, {"bbox", {1, 2, -3, 4}}});
  root["annotations"][3]["head_bbox"] = {1, 2, 3};
  root["categories"][0]["flip_indices"] = {0, 2, 2};
  const Problems found = files.scan(root).problems;
  EXPECT_EQ(places(found, Problem::duplicate_id),
            (Places{"image 2 (c.png)", "annotation 7 (image 1)"}));
  EXPECT_EQ(places(found, Problem::bad_id), Places{"images[3]: id is \"x\""});
  EXPECT_EQ(places(found, Problem::bad_entry), Places{"image 5: file_name is absent, null or NaN"});
  EXPECT_EQ(places(found, Problem::keypoint_count),
            Places{"annotation 7 (image 1): 3 numbers for 3 keypoints"});
  EXPECT_EQ(places(found, Problem::bad_coordinate),
            (Places{"annotation 9 (image 2), keypoint 0 (nose): x is \"14\"",
                    "annotation 9 (image 2), keypoint 1 (left_eye): y is absent, null or NaN"}));
  EXPECT_EQ(places(found, Problem::bad_visibility),
            Places{"annotation 9 (image 2), keypoint 2 (right_eye): v is 4"});
  EXPECT_EQ(places(found, Problem::unknown_image),
            Places{"annotation 10 (image 99): image_id is 99"});
  EXPECT_EQ(places(found, Problem::unknown_category),
            Places{"annotation 10 (image 99): category_id is 4"});
  EXPECT_EQ(places(found, Problem::bad_box),
            (Places{"annotation 10 (image 99): bbox is [1,2,-3,4]",
                    "annotation 10 (image 99): head_bbox is [1,2,3]"}));
  EXPECT_EQ(places(found, Problem::bad_swap),
            Places{"keypoint 1 (left_eye) has 2 (right_eye), which has 2"});
  const std::string refused =
      error_of([&] { read_keypoint_dataset(files.folder() / "points.json"); });
  for (const auto& [kind, where] : found.places())
    if (facts(kind).error)
      for (const std::string& place : where) EXPECT_NE(refused.find(place), std::string::npos);
}

TEST(CocoReader, NaNAsPythonWritesItIsNamedNotASyntaxError) {
  const SmallCoco files;
  std::string text = small_coco().dump();
  text.replace(text.find("12.5"), 4, "NaN");
  const Problems found = scan_keypoint_dataset(files.write(text)).problems;
  expect_only(found, Problem::bad_coordinate,
              "annotation 7 (image 1), keypoint 1 (left_eye): x is absent, null or NaN");
}

TEST(CocoReader, WithoutBoxOrAreaThePointsStandIn) {
  const SmallCoco files;
  json root = small_coco();
  root["annotations"][0].erase("bbox");
  root["annotations"][0].erase("area");
  root["annotations"][2]["bbox"] = {5, 5, 0, 3};
  root["annotations"][1]["bbox"] = {0, 0, 0, 0};
  root["annotations"][1]["area"] = 0;
  const auto [d, problems] = files.scan(root);
  EXPECT_FALSE(problems.has_errors());
  EXPECT_EQ(places(problems, Problem::no_box), Places{"annotation 7 (image 1)"});
  EXPECT_EQ(places(problems, Problem::empty_box),
            (Places{"annotation 8 (image 1), and no labelled point: left out: bbox is [0,0,0,0]",
                    "annotation 9 (image 2): bbox is [5,5,0,3]"}));
  ASSERT_EQ(d.images[0].instances.size(), 1u);
  const Instance& face = d.images[0].instances[0];
  EXPECT_EQ(face.box.x, 7.5);
  EXPECT_EQ(face.box.y, 5.5);
  EXPECT_EQ(face.box.width, 5.5);
  EXPECT_EQ(face.box.height, 3);
  EXPECT_DOUBLE_EQ(face.area, 0.53 * 5.5 * 3);
  EXPECT_EQ(d.images[1].instances[0].box.width, 3);
  EXPECT_EQ(d.images[1].instances[0].area, 200);
}

TEST(CocoReader, ThingsThatCanBeUnderstoodAreWarnings) {
  const SmallCoco files;
  json root = small_coco();
  root["annotations"][0]["keypoints"] = {{10, 8, 2}, {12.5, 6, 2}, {8, 6.25, 1}};
  root["annotations"][2]["num_keypoints"] = 3;
  root["categories"].push_back({{"id", 4}, {"name", "ball"}});
  root["annotations"].push_back(
      {{"id", 11}, {"image_id", 1}, {"category_id", 4}, {"bbox", {1, 1, 5, 5}}});
  root["categories"][0]["skeleton"] = {{1, 2}, {3, 4}};
  const auto [d, problems] = files.scan(root);
  EXPECT_FALSE(problems.has_errors()) << problems.summary(true, 9);
  EXPECT_EQ(places(problems, Problem::nested_keypoints), Places{"annotation 7 (image 1)"});
  EXPECT_EQ(d.images[0].instances[0].points[1].x, 12.5);
  EXPECT_EQ(places(problems, Problem::label_count), Places{"annotation 9 (image 2): 3, counted 2"});
  EXPECT_EQ(places(problems, Problem::other_category),
            Places{"annotation 11 (image 1): category 4"});
  EXPECT_EQ(places(problems, Problem::bones), Places{"2 - 3 of 3 keypoints, counted from 0"});
  EXPECT_TRUE(d.skeleton.bones.empty());
}

TEST(CocoReader, PairsAreNotThrees) {
  const SmallCoco files;
  json root = small_coco();
  root["annotations"][0]["keypoints"] = {{10, 8}, {12.5, 6}, {8, 6.25}};
  expect_only(files.scan(root).problems, Problem::keypoint_count,
              "annotation 7 (image 1): 6 numbers, not in threes for 3 keypoints");
}

TEST(CocoReader, CategoriesWithOtherKeypointsCannotShareAFile) {
  const SmallCoco files;
  json root = small_coco();
  root["categories"].push_back({{"id", 4}, {"name", "hand"}, {"keypoints", {"wrist"}}});
  expect_only(files.scan(root).problems, Problem::two_skeletons, "categories[1]: [\"wrist\"]");
  root["categories"][1]["keypoints"] = root["categories"][0]["keypoints"];
  EXPECT_TRUE(files.scan(root).problems.places().empty());
}

TEST(CocoReader, NamesAndPartnersMayStandInKeypointsTxt) {
  const SmallCoco files;
  json root = small_coco();
  root["categories"][0]["keypoints"] = json::array();
  root["categories"][0].erase("skeleton");
  Problems found = files.scan(root).problems;
  EXPECT_EQ(places(found, Problem::no_names), Places{"3 keypoints"});
  EXPECT_EQ(places(found, Problem::no_swap), Places{"3 keypoints"});
  write_file(files.folder() / "keypoints.txt",
             "# index name partner parent\n0 tip 0 -1\n1 upper 2 0\n2 lower 1 0\n");
  const auto [d, problems] = files.scan(root);
  EXPECT_TRUE(problems.places().empty());
  EXPECT_EQ(d.skeleton.names, (Places{"tip", "upper", "lower"}));
  EXPECT_EQ(d.skeleton.swap, (std::vector<int>{0, 2, 1}));
  EXPECT_EQ(d.skeleton.bones, (std::vector<std::array<int, 2>>{{0, 1}, {0, 2}}));
  write_file(files.folder() / "keypoints.txt", "0 tip 0\n2 upper 2\n");
  EXPECT_EQ(places(files.scan(root).problems, Problem::keypoints_txt),
            Places{files.folder() / "keypoints.txt, line 2: its index is 2 and not 1"});
}

TEST(CocoReader, ImagesAreFoundInTheUsualFolders) {
  const SmallCoco files;
  for (const char* folder : {"images", "dev", "train_dev", "annotations"})
    std::filesystem::create_directory(files.folder() / folder);
  const std::string text = small_coco().dump();
  const auto found = [&](const std::string& annotations, const std::string& images) {
    for (const char* name : {"a.png", "b.png"})
      std::filesystem::rename(files.folder() / name, files.folder() / (images + "/" + name));
    write_file(files.folder() / annotations, text);
    const auto d = scan_keypoint_dataset(files.folder() / annotations).data;
    EXPECT_EQ(d.images[1].path, files.folder() / (images + "/b.png"));
    for (const char* name : {"a.png", "b.png"})
      std::filesystem::rename(files.folder() / (images + "/" + name), files.folder() / name);
  };
  found("points.json", "images");
  found("train_dev.json", "train_dev");
  found("train_dev.json", "dev");
  found("annotations/train_dev.json", "dev");
}

TEST(CocoReader, AFolderStandsForItsOnlyFile) {
  const SmallCoco files;
  EXPECT_EQ(wrong([&] { annotation_files(files.folder().path()); }),
            "the folder has no annotations");
  files.write(small_coco().dump());
  EXPECT_EQ(read_keypoint_dataset(files.folder().path()).source, files.folder() / "points.json");
  write_file(files.folder() / "more.csv", "file,a_x,a_y\n");
  EXPECT_EQ(wrong([&] { read_keypoint_dataset(files.folder().path()); }),
            "the folder has 2 annotation files: more.csv, points.json");
  EXPECT_EQ(annotation_files(files.folder().path()).size(), 2u);
  EXPECT_FALSE(error_of([] { read_keypoint_dataset("no/such.json"); }).empty());
}

TEST(CocoResults, AreWrittenReadAndRefused) {
  const TemporaryFolder folder;
  const std::string path = folder / "results.json";
  write_coco_results(path, {{3, {{1.5, 2, 0.25}, {NAN, NAN, 0}}, 0.875}});
  const auto found = read_coco_results(path, 2);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].image, 3);
  EXPECT_EQ(found[0].score, 0.875);
  EXPECT_EQ(found[0].points[0].x, 1.5);
  EXPECT_EQ(found[0].points[0].score, 0.25);
  EXPECT_TRUE(std::isnan(found[0].points[1].y));
  EXPECT_EQ(wrong([&] { read_coco_results(path, 3); }),
            "it is not a results file for these annotations:\n  result 0: 6 numbers for 3 "
            "keypoints");
  write_file(path, R"([{"image_id": 1, "keypoints": ["a", 2, 1]}, {}])");
  EXPECT_EQ(wrong([&] { read_coco_results(path, 1); }),
            "it is not a results file for these annotations:\n  result 0: score is absent, null or "
            "NaN\n  result 1: image_id is absent, null or NaN");
}

}  // namespace
}  // namespace cairn
