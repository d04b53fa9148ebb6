// The weights that come along do what their cards say.
#include "runtime/safetensors.h"
#include "tests/source_path.h"
#include "tests/tools/run_program.h"

namespace cairn {
namespace {

using Weights = ProgramTest;

TEST_F(Weights, EachFileIsSmallAndHasACard) {
  const std::string cards = read_file(source_path("weights/README.md"));
  int files = 0;
  for (const auto& file : std::filesystem::directory_iterator(source_path("weights"))) {
    if (file.path().extension() != ".safetensors") continue;
    ++files;
    EXPECT_LT(file.file_size(), 6u << 20) << file.path();
    EXPECT_NE(cards.find("`" + file.path().filename().string() + "`"), std::string::npos)
        << file.path();
  }
  EXPECT_EQ(files, 2);
}

// Over 500 pairs of each level: docs/evaluation.md. Random descriptors give no homography at all.
TEST_F(Weights, SuperPointMatchesTexturesItHasNotSeen) {
  const Answer a = cairn("eval pairs --model '" + source_path("weights/superpoint.safetensors") +
                         "' --pairs 4 --level medium --level illumination --seed 77 --json");
  ASSERT_EQ(a.code, 0) << a;
  const auto found = a.json();
  EXPECT_GT(found["repeatability"], 0.6);
  EXPECT_GT(found["matching_accuracy"]["3"], 0.6);
  EXPECT_GE(found["homography_accuracy"]["5"], 0.75);
}

}  // namespace
}  // namespace cairn
