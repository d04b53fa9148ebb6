// The program as its users meet it: answers, exit codes, and messages for bad input.
#include "geometry/homography.h"
#include "layers/weights.h"
#include "runtime/device.h"
#include "runtime/image.h"
#include "tests/source_path.h"
#include "tests/tools/run_program.h"

namespace cairn {
namespace {

using Program = ProgramTest;

TEST_F(Program, HelpOfEveryVerbEndsWithAnExample) {
  const Answer help = cairn("--help");
  EXPECT_EQ(help.code, 0);
  for (const auto& file : std::filesystem::directory_iterator(source_path("tools/verbs"))) {
    const std::string verb = file.path().stem().string();
    EXPECT_NE(help.out.find("\n  " + verb), std::string::npos) << verb;
    const Answer a = cairn(verb + " --help");
    EXPECT_EQ(a.code, 0) << a;
    const size_t example = a.out.find("\nExample:\n  cairn " + verb);
    EXPECT_NE(example, std::string::npos) << a;
  }
}

TEST_F(Program, AWrongCallExitsWithTwoAndSuggestsTheNearestWord) {
  expect_error(cairn("inof file"), 2, "Did you mean info?");
  expect_error(cairn("data shapes --cuont 3"), 2, "Did you mean --count?");
  expect_error(cairn("data shapes --cuont=3"), 2, "unknown option --cuont\n");
  expect_error(cairn("data --cuont"), 2, "Did you mean --count?");
  expect_error(cairn("--jsno"), 2, "unknown option --jsno");
  expect_error(cairn("doctor extra"), 2, "stray argument 'extra'");
  expect_error(cairn("info"), 2, "FILE");
  expect_error(cairn("data shapes --count many"), 2, "many");
  expect_error(cairn("data shapes --count 0"), 2, "--count");
  expect_error(cairn("data shapes --size 120"), 2, "'120' is not a size");
  EXPECT_EQ(cairn("").code, 2);
}

TEST_F(Program, DataExportsTexturesAsNumberedFiles) {
  const Answer a = cairn("data textures --images 5 --size 48x64 --seed 7 --out textures --json");
  ASSERT_EQ(a.code, 0) << a;
  EXPECT_EQ(a.json()["images"], 5);
  const Tensor image = read_image(folder_ / "textures/texture-000004.png", 1);
  EXPECT_EQ(image.dim(0), 48);
  EXPECT_EQ(image.dim(1), 64);
  EXPECT_EQ(cairn("data textures --count 4 --out sheet.png").code, 0);
  expect_error(cairn("data shapes --images 5"), 2, "--images: given with 'shapes'");
  expect_error(cairn("data textures --size 8x8"), 1, "size 8x8");
}

TEST_F(Program, DataCutsPhotographsIntoCropsOfSeveralScales) {
  std::filesystem::create_directory(folder_ / "photos");
  write_png(folder_ / "photos/a.png", Tensor::zeros({96, 128, 3}, DType::u8));
  write_file(folder_ / "photos/b.png", "no image");
  const Answer a = cairn("data crops photos --size 48x64 --out crops --json");
  ASSERT_EQ(a.code, 0) << a;
  EXPECT_EQ(a.json()["images"], 1 + 9);
  EXPECT_EQ(a.json()["skipped"].size(), 1u);
  EXPECT_EQ(read_image(folder_ / "crops/a-9.png", 3).dim(0), 48);
  expect_error(cairn("data crops missing"), 1, "missing");
  std::filesystem::create_directory(folder_ / "more");
  write_png(folder_ / "more/a.png", Tensor::zeros({96, 128, 3}, DType::u8));
  const Answer twice = cairn("data crops photos more --size 48x64 --out twice");
  expect_error(twice, 2, "photos/a.png");
  expect_error(twice, 2, "more/a.png");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "twice"));
}

// Tests themselves run with OMP_WAIT_POLICY; libgomp says how it was started.
TEST_F(Program, ThreadsSpinBrieflyUnlessTheEnvironmentSaysOtherwise) {
  if (!build::has_onednn) GTEST_SKIP() << "a build without OpenMP";
  const std::string line = "env -u OMP_WAIT_POLICY OMP_DISPLAY_ENV=verbose $more \"$cairn\" doctor";
  const Answer usual = shell("more=; " + line);
  EXPECT_EQ(usual.code, 0) << usual;
  EXPECT_TRUE(usual.says("GOMP_SPINCOUNT = \"1000\"") || usual.says("GOMP_SPINCOUNT = '1000'"))
      << usual;
  const Answer asked = shell("more=GOMP_SPINCOUNT=77; " + line);
  EXPECT_FALSE(asked.says("1000")) << asked;
  EXPECT_TRUE(asked.says("77")) << asked;
}

TEST_F(Program, DoctorNamesEveryDeviceAndWhyOneIsMissing) {
  const Answer a = cairn("doctor --json");
  ASSERT_EQ(a.code, 0) << a;
  const auto json = a.json();
  EXPECT_GT(json["machine"]["cores"].get<int>(), 0);
  ASSERT_EQ(json["devices"].size(), 3u);
  for (const auto& d : json["devices"]) {
    const std::string why = why_unavailable(parse_device(d["name"].get<std::string>()));
    EXPECT_EQ(d["available"].get<bool>(), why.empty());
    if (!why.empty()) {
      EXPECT_EQ(d["why"].get<std::string>(), why);
    }
  }
  EXPECT_EQ(cairn("doctor").code, 0);
}

TEST_F(Program, InfoListsWhatIsInAFile) {
  Tensor bad = Tensor::zeros({4});
  bad.data<float>()[2] = NAN;
  write_safetensors(folder_ / "a.safetensors",
                    {{"conv.weight", Tensor::zeros({2, 3, 1, 1})},
                     {"bn.running_mean", Tensor::zeros({2})},
                     {"bad", bad}},
                    {{architecture_key, "superpoint"}, {options_key, R"({"descriptor":256})"}});
  const Answer a = cairn("info a.safetensors --json");
  ASSERT_EQ(a.code, 0) << a;
  const auto json = a.json();
  EXPECT_EQ(json["architecture"], "superpoint");
  EXPECT_EQ(json["options"]["descriptor"], 256);
  EXPECT_EQ(json["parameters"], 10);
  EXPECT_EQ(json["not_finite"], 1);
  EXPECT_EQ(json["tensors"].size(), 3u);
  const Answer plain = cairn("info a.safetensors");
  EXPECT_NE(plain.out.find("1 values are NaN or infinite"), std::string::npos) << plain;
}

TEST_F(Program, InfoRefusesWhatIsNoSafetensorsFile) {
  expect_error(cairn("info none"), 1, "none: there is no such file");
  write_file(folder_ / "empty", "");
  expect_error(cairn("info empty"), 1, "the file is empty");
  write_file(folder_ / "hostile", std::string(16, '\xff'));
  expect_error(cairn("info hostile"), 1, "the header claims");
}

TEST_F(Program, DataDrawsAContactSheetOfShapes) {
  const Answer a = cairn("data shapes --count 9 --columns 3 --out s.png --json");
  ASSERT_EQ(a.code, 0) << a;
  EXPECT_EQ(a.json()["images"].size(), 9u);
  EXPECT_GT(read_image_info(folder_ / "s.png").width, 400);
  expect_error(cairn("data shapes --count 1 --out none/s.png"), 1, "create the folder none");
  expect_error(cairn("data shapes --count 1 --size 100x100"), 1, "100");
}

TEST_F(Program, DataWarpSaysWhereTheImagesPixelsWent) {
  Tensor image = Tensor::full({61, 81, 3}, 0, DType::u8);
  for (int64_t y = 28; y <= 32; ++y)
    for (int64_t x = 38; x <= 42; ++x)
      std::fill_n(image.data<uint8_t>() + (y * 81 + x) * 3, 3, 255);  // around (40, 30)
  write_png(folder_ / "dot.png", image);
  const Answer a = cairn("data warp dot.png --out warped.png --json");
  ASSERT_EQ(a.code, 0) << a;
  Matrix3 h;
  h.m = a.json()["homography"].get<std::array<double, 9>>();
  const Tensor warped = read_image(folder_ / "warped.png", 1);
  double x = 0, y = 0, sum = 0;
  for (int64_t i = 0; i < warped.count(); ++i) {
    const double v = warped.data<uint8_t>()[i];
    x += v * double(i % 81);
    y += v * double(i / 81);
    sum += v;
  }
  const Point expected = apply(h, {40, 30});
  EXPECT_NEAR(x / sum, expected.x, 0.3);
  EXPECT_NEAR(y / sum, expected.y, 0.3);
}

TEST_F(Program, DataSkipsDamagedImagesAndNamesThem) {
  std::filesystem::create_directory(folder_ / "in");
  const Tensor image = Tensor::full({40, 50, 3}, 9, DType::u8);
  write_png(folder_ / "in/a.png", image);
  write_file(folder_ / "in/b.png", encode_png(image).substr(0, 60));
  write_file(folder_ / "in/c.jpg", "text");
  const Answer a = cairn("data in --json");
  ASSERT_EQ(a.code, 0) << a;
  EXPECT_EQ(a.json()["images"].size(), 1u);
  EXPECT_EQ(a.json()["skipped"].size(), 2u);
  EXPECT_TRUE(a.says("2 of 3 images were skipped:")) << a;
  EXPECT_TRUE(a.says("in/b.png: ")) << a;

  expect_error(cairn("data in/b.png in/c.jpg"), 1, "none of 2 could be read");
  expect_error(cairn("data in/c.jpg"), 1, "in/c.jpg: it is");
  std::filesystem::create_directory(folder_ / "nothing");
  expect_error(cairn("data nothing"), 1, "the folder has no images");
}

}  // namespace
}  // namespace cairn
