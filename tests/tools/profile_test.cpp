// --profile: the trace, the table, and a file that cannot be written.
#include <filesystem>
#include <string>
#include <vector>

#include "models/model_file.h"
#include "runtime/image.h"
#include "tests/source_path.h"
#include "tests/tools/run_program.h"
#include "tests/trace_events.h"
#include "training/synthetic_shapes.h"

namespace cairn {
namespace {

// A folder with an untrained SuperPoint, m.safetensors, and a drawn image, a.png.
class ProfileOption : public ProgramTest {
 protected:
  ProfileOption() {
    const auto model = make_model("superpoint");
    Parameters parameters(*model, Device::cpu);
    parameters.initialize(1);
    save_model(folder_ / "m.safetensors", *model);
    write_png(folder_ / "a.png", synthetic_shape({}, Primitive::checkerboard, 1, 1).image);
  }
  TraceEvents trace() const { return TraceEvents(folder_ / "t.json"); }

  static void expect_table(const std::string& text) {
    for (const char* part : {"host work", "modules", "ops and copies", "total ms", "t.json"})
      EXPECT_NE(text.find(part), std::string::npos) << part << '\n' << text;
  }
};

TEST_F(ProfileOption, DetectShowsTheImageFromFileToPoints) {
  const Answer a = cairn("detect a.png --model m.safetensors --profile t.json");
  ASSERT_EQ(a.code, 0) << a;
  expect_table(a.out);
  trace().expect_nested();
  for (const char* name : {"load model", "read image", "detect", "conv1a + conv1b", "conv4b",
                           "conv2d_pair", "detector_peaks"})
    EXPECT_FALSE(trace().named(name).empty()) << name;
}

TEST_F(ProfileOption, BesideJsonTheTableGoesToStderr) {
  const Answer a =
      cairn("match a.png a.png --model m.safetensors --threshold 0.0155 --json --profile t.json");
  ASSERT_EQ(a.code, 0) << a;
  EXPECT_TRUE(a.json().contains("matches"));
  expect_table(a.err);
  for (const char* name : {"keypoints", "match", "homography", "nearest_descriptors"})
    EXPECT_FALSE(trace().named(name).empty()) << name;
}

TEST_F(ProfileOption, BenchRecordsTenMoreRuns) {
  const Answer a = cairn("bench train magicpoint --size 16x16 --json --profile t.json");
  ASSERT_EQ(a.code, 0) << a;
  EXPECT_TRUE(a.json().contains("median_ms"));
  expect_table(a.err);
  EXPECT_EQ(trace().named("run").size(), 10u);
  EXPECT_EQ(trace().named("conv1a backward").size(), 10u);
}

TEST_F(ProfileOption, AFileThatCannotBeWrittenIsAnErrorBeforeTheWork) {
  const std::string recipe = source_path("recipes/magicpoint.toml");
  const std::vector<std::string> verbs = {
      "detect a.png --model none", "match a.png a.png --model none",
      "train " + recipe + " --out run", "bench model none", "bench train none"};
  for (const std::string& verb : verbs)
    expect_error(cairn(verb + " --profile none/t.json"), 1, "none/t.json");
  expect_error(cairn("detect a.png --model none --profile ."), 1, "Is a directory");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

}  // namespace
}  // namespace cairn
