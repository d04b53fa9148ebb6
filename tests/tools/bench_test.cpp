// cairn bench: what it says, not how fast anything is.
#include "runtime/device.h"
#include "tests/tools/run_program.h"

namespace cairn {
namespace {

using Bench = ProgramTest;

TEST_F(Bench, KernelsAreTimedBesideTheirBytesAndTheLimit) {
  const Answer a = cairn("bench kernels --only \"concat slice\" --json");
  ASSERT_EQ(a.code, 0) << a;
  const auto kernels = a.json()["kernels"];
  ASSERT_EQ(kernels.size(), 1u);
  EXPECT_EQ(kernels[0]["op"], "concat");
  EXPECT_EQ(kernels[0]["bytes"], 4.0 * 8 * 120 * 160 * 64);
  EXPECT_GT(kernels[0]["median_ms"], 0);
  EXPECT_NEAR(double(kernels[0]["floor_ms"]) / double(kernels[0]["median_ms"]),
              double(kernels[0]["share_of_limit"]), 1e-9);
}

TEST_F(Bench, AMachineThatIsNotHereIsPredicted) {
  const Answer a = cairn("bench kernels --model h200 --json");
  ASSERT_EQ(a.code, 0) << a;
  std::map<std::string, nlohmann::json> rows;
  const auto all = a.json();
  for (const auto& row : all["kernels"]) rows[row["kernel"]] = row;
  EXPECT_GT(rows.size(), 100u);
  // 12 B for each of 64 x 120 x 160 x 64 elements at 4.3 TB/s.
  EXPECT_EQ(rows.at("add")["bound"], "memory");
  EXPECT_NEAR(rows.at("add")["floor_ms"], 12 * 64 * 120 * 160 * 64 / 4.3e12 * 1e3, 1e-6);
  EXPECT_EQ(rows.at("gemm")["bound"], "f32");
  EXPECT_NEAR(rows.at("gemm")["floor_ms"], 2 * std::pow(4096, 3) / 67e12 * 1e3, 1e-6);
  EXPECT_EQ(rows.at("gemm bf16")["bound"], "bf16");
  EXPECT_EQ(rows.at("separation")["bound"], "launch");
  EXPECT_NE(cairn("bench kernels --model h200").out.find("spatial_softmax backward"),
            std::string::npos);
}

TEST_F(Bench, AModelSaysWhichAlgorithmEachConvolutionTook) {
  if (!build::has_simt) GTEST_SKIP() << "no simt in this build";
  const std::string command = "bench model superpoint --size 16x24 --device simt";
  const Answer a = cairn(command + " --json");
  ASSERT_EQ(a.code, 0) << a;
  const auto choices = a.json()["choices"];
  EXPECT_EQ(choices["kept_in"], "nowhere");
  EXPECT_GE(choices["algorithms"].size(), 9u);
  for (const auto& c : choices["algorithms"]) {
    const std::string problem = c["problem"], algorithm = c["algorithm"];
    if (problem.starts_with("conv2d_pair f32 x[1,16,24,1]"))
      EXPECT_TRUE(algorithm == "one kernel" || algorithm == "one by one") << c;
    else
      EXPECT_TRUE(problem.starts_with("conv2d f32 x[1,") && algorithm.starts_with("ffma ")) << c;
    EXPECT_GT(c["ms"], 0) << c;
    EXPECT_LE(c["ms"], c["first_ms"]) << c;
    EXPECT_EQ(c["wrong"], "none") << c;
  }
  EXPECT_FALSE(
      cairn("bench model superpoint --size 16x24 --device cpu --json").json().contains("choices"));
}

TEST_F(Bench, AnUnknownMachineIsRefusedWithTheList) {
  const Answer a = cairn("bench kernels --model h2000");
  EXPECT_EQ(a.code, 2) << a;
  EXPECT_TRUE(a.says("h2000") && a.says("h200")) << a;
}

}  // namespace
}  // namespace cairn
