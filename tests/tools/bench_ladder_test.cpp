// cairn bench kernels --ladder: a kernel step by step.
#include "runtime/device.h"
#include "tests/tools/run_program.h"

namespace cairn {
namespace {

using BenchLadder = ProgramTest;

TEST_F(BenchLadder, GivesClaimsAndPredictionsOfEveryStep) {
  if (!build::has_simt) GTEST_SKIP() << "no simt in this build";
  const Answer a = cairn("bench kernels --ladder gaussian --device simt --json");
  ASSERT_EQ(a.code, 0) << a;
  const auto j = a.json();
  EXPECT_EQ(j["ladder"], "gaussian");
  EXPECT_EQ(j["machine"], "h200");
  ASSERT_GE(j["steps"].size(), 3u);
  for (const auto& step : j["steps"]) {
    EXPECT_GT(step["bytes"]["distinct_stored"], 256'000'000) << step;
    EXPECT_GT(step["predicted_ms"], 0.01) << step;
    const auto& counted = step["counted_bytes"];
    EXPECT_TRUE(counted.is_null() || counted == step["run_bytes"]) << step;
  }
}

TEST_F(BenchLadder, NamesTheLaddersThatThereAre) {
  expect_error(cairn("bench kernels --ladder stairs"), 2, "spatial_softmax, soft_argmax, gaussian");
}

TEST_F(BenchLadder, IsRefusedOnTheCpu) {
  expect_error(cairn("bench kernels --ladder gaussian --device cpu"), 2,
               "ladders are kernels for a GPU, asked for on cpu");
}

}  // namespace
}  // namespace cairn
