// `cairn match`: its answers, its picture, and bad input.
#include <algorithm>
#include <cmath>

#include "models/model_file.h"
#include "runtime/error.h"
#include "runtime/image.h"
#include "runtime/random.h"
#include "tests/source_path.h"
#include "tests/tools/run_program.h"

namespace cairn {
namespace {

void write_model(const std::string& path, const std::string& architecture) {
  const auto model = make_model(architecture);
  Parameters parameters(*model, Device::cpu);
  parameters.initialize(1);
  save_model(path, *model);
}

// A window of a noisy plane, its upper left corner at (left, top).
void write_noise(const std::string& path, int left, int top, int64_t height, int64_t width) {
  Tensor image = Tensor::empty({height, width, 1}, DType::u8);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      image.data<uint8_t>()[y * width + x] =
          uint8_t(Random(1, uint64_t((y + top) / 3), uint64_t((x + left) / 3)).integer(0, 255));
  write_png(path, image);
}

// A folder with an untrained SuperPoint, sp, and two views of one plane: a.png, and b.png, which
// shows it moved by (-16, -8).
class MatchVerb : public ProgramTest {
 protected:
  MatchVerb() {
    write_model(folder_ / "sp", "superpoint");
    write_noise(folder_ / "a.png", 0, 0, 120, 160);
    write_noise(folder_ / "b.png", 16, 8, 120, 160);
  }
  static constexpr const char* with = " --model sp --threshold 0.0155 ";
};

TEST_F(MatchVerb, FindsHowTheViewMovedAndDrawsIt) {
  for (const std::string estimator : {"ransac", "magsac"}) {
    const Answer a = cairn("match a.png b.png --json --out m.png --estimator " + estimator + with);
    ASSERT_EQ(a.code, 0) << a;
    const auto json = a.json();
    ASSERT_EQ(json["keypoints"].size(), 2u);
    EXPECT_EQ(json["estimator"], estimator);
    ASSERT_GT(json["matches"].size(), 20u);
    for (const auto& m : json["matches"]) {
      ASSERT_EQ(m.size(), 5u);
      EXPECT_LE(m[4].get<double>(), 1.00001);
    }
    const auto h = json["homography"];
    ASSERT_EQ(h.size(), 3u) << a;
    SCOPED_TRACE(
        text(estimator, ": ", json["inliers"], " of ", json["matches"].size(), " matches agree"));
    for (int row = 0; row < 3; ++row)
      for (int column = 0; column < 3; ++column) {
        const double moved = column == 2 && row < 2 ? (row == 0 ? -16 : -8) : row == column;
        EXPECT_NEAR(h[row][column].get<double>(), moved, column == 2 && row < 2 ? 1.5 : 0.03);
      }
    const int inliers = json["inliers"].get<int>();
    EXPECT_GT(inliers, 15);
    EXPECT_EQ(json["inlier_flags"].size(), json["matches"].size());
    EXPECT_EQ(std::count(json["inlier_flags"].begin(), json["inlier_flags"].end(), 1), inliers);
    EXPECT_EQ(read_image_info(folder_ / "m.png").width, 2 * 160 * 4 + 8);
  }
}

TEST_F(MatchVerb, SpeaksToPeopleInTwoLines) {
  const Answer a = cairn(std::string("match a.png b.png --out m.png --verbose") + with);
  ASSERT_EQ(a.code, 0) << a;
  EXPECT_EQ(std::count(a.out.begin(), a.out.end(), '\n'), 2) << a;
  EXPECT_NE(a.out.find(" matches\nhomography: "), std::string::npos) << a;
  EXPECT_NE(a.out.find("agree to 3 px (ransac), drawn in m.png"), std::string::npos) << a;
  EXPECT_TRUE(a.says("homography ")) << a;
  EXPECT_EQ(cairn(std::string("match a.png b.png --json") + with).out,
            cairn(std::string("match a.png b.png --json") + with).out);
}

TEST_F(MatchVerb, ImagesOfOtherSizesMatch) {
  write_noise(folder_ / "odd.png", 16, 8, 101, 203);
  const Answer a = cairn(std::string("match a.png odd.png --json") + with);
  ASSERT_EQ(a.code, 0) << a;
  ASSERT_EQ(a.json()["homography"].size(), 3u) << a;
  EXPECT_NEAR(a.json()["homography"][0][2].get<double>(), -16, 1.5);
}

TEST_F(MatchVerb, TestsLeaveFewerMatches) {
  const auto count = [&](const std::string& options) {
    const Answer a = cairn("match a.png b.png --json " + options + with);
    EXPECT_EQ(a.code, 0) << a;
    return a.json()["matches"].size();
  };
  const size_t all = count("");
  EXPECT_LT(count("--ratio 0.7"), all);
  EXPECT_LT(count("--max-distance 0.01"), all);
  EXPECT_GT(count("--no-mutual"), all);
}

TEST_F(MatchVerb, ImagesWithFewPointsGetTheirBestOnes) {
  const auto keypoints = [&](const std::string& options) {
    const Answer a = cairn("match a.png b.png --json --model sp --threshold 0.9" + options);
    EXPECT_EQ(a.code, 0) << a;
    return a.json()["keypoints"];
  };
  EXPECT_EQ(keypoints(""), (nlohmann::json{128, 128}));
  EXPECT_EQ(keypoints(" --least 20"), (nlohmann::json{20, 20}));
  EXPECT_EQ(keypoints(" --top-k 7"), (nlohmann::json{7, 7}));
  EXPECT_EQ(keypoints(" --least 0"), (nlohmann::json{0, 0}));
}

TEST_F(MatchVerb, WithoutFourMatchesThereIsNoHomographyAndThatIsAnAnswer) {
  write_png(folder_ / "flat.png", Tensor::full({120, 160, 1}, 90, DType::u8));
  const std::string sure = " --model sp --threshold 0.9 --least 0";
  Answer a = cairn("match flat.png flat.png --out m.png" + sure);
  EXPECT_EQ(a.code, 0) << a;
  EXPECT_EQ(a.out,
            "0 and 0 keypoints, 0 matches\nno homography: 0 matches, 4 needed, drawn in m.png\n");
  EXPECT_TRUE(std::filesystem::exists(folder_ / "m.png"));
  a = cairn("match flat.png flat.png --json" + sure);
  EXPECT_EQ(a.code, 0) << a;
  EXPECT_TRUE(a.json()["homography"].is_null());
  EXPECT_EQ(a.json()["matches"].size(), 0u);
  EXPECT_EQ(a.json()["inliers"], 0);
  a = cairn(std::string("match a.png a.png --top-k 3") + with);
  EXPECT_EQ(a.code, 0) << a;
  EXPECT_NE(a.out.find("no homography: 3 matches, 4 needed\n"), std::string::npos) << a;
}

TEST_F(MatchVerb, WhatChanceBringsTogetherIsNoHomography) {
  write_noise(folder_ / "other.png", 5000, 3000, 120, 160);
  const std::string model = " --model '" + source_path("weights/superpoint.safetensors") + "'";
  const Answer a = cairn("match a.png other.png --out m.png" + model);
  EXPECT_EQ(a.code, 0) << a;
  EXPECT_NE(a.out.find(", as many as chance brings together, drawn in m.png\n"), std::string::npos)
      << a;
  const auto json = cairn("match a.png other.png --json" + model).json();
  EXPECT_TRUE(json["homography"].is_null());
  EXPECT_GT(json["matches"].size(), 4u);
  EXPECT_EQ(json["inliers"], 0);
  EXPECT_EQ(json["inlier_flags"], std::vector<int>(json["matches"].size(), 0));
}

TEST_F(MatchVerb, BadInputIsNamed) {
  write_file(folder_ / "text.png", std::string(500, 'x'));
  expect_error(cairn(std::string("match a.png none.png") + with), 1,
               "none.png: there is no such file");
  expect_error(cairn(std::string("match text.png a.png") + with), 1,
               "text.png: it is not an image");
  write_model(folder_ / "magic", "magicpoint");
  expect_error(cairn("match a.png b.png --model magic"), 2, "does not describe them");
  expect_error(cairn(std::string("match a.png") + with), 2, "B is required");
  expect_error(cairn(std::string("match a.png b.png --estimator lmeds") + with), 2,
               "--estimator: 'lmeds' is no estimator");
  expect_error(cairn(std::string("match a.png b.png --ratio 2") + with), 2, "--ratio");
  expect_error(cairn(std::string("match a.png b.png --out none/m.png") + with), 1,
               "create the folder none");
}

}  // namespace
}  // namespace cairn
