#include "training/replay.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/error.h"
#include "tests/data_folder.h"
#include "tests/source_path.h"

namespace cairn {
namespace {

// Losses within 1e-4 relative (2e-3 for the last Adam steps, whose first updates are sign-like),
// the first gradient norm within 1e-4.
void expect_reproduced(const ReplayResult& r, double tolerance, double last_tolerance) {
  ASSERT_EQ(r.losses.size(), r.recorded_losses.size());
  for (size_t i = 0; i < r.losses.size(); ++i) {
    const double want = r.recorded_losses[i];
    EXPECT_LE(std::abs(r.losses[i] - want) / want, i < 3 ? tolerance : last_tolerance)
        << "step " << i + 1;
  }
  const double norm = r.recorded_gradient_norms[0];
  EXPECT_LE(std::abs(r.gradient_norms[0] - norm) / norm, tolerance);
}

class Replay : public ::testing::TestWithParam<Device> {};
INSTANTIATE_TEST_SUITE_P(Devices, Replay, ::testing::ValuesIn(available_devices()),
                         [](const auto& info) { return name(info.param); });

TEST_P(Replay, MagicPointWithAdam) {
  CAIRN_NEED_DATA(folder, "replay/magicpoint-adam");
  expect_reproduced(replay(folder, GetParam(), DType::f32), 1e-4, 2e-3);
}

TEST_P(Replay, HourglassWithRmsprop) {
  expect_reproduced(replay(source_path("tests/replay/hourglass2-rmsprop"), GetParam(), DType::f32),
                    1e-4, 1e-4);
}

// In float64 nothing but the recording's own float32 storage is left: 1e-7.
TEST(ReplayFloat64, HourglassWithRmspropToSevenDigits) {
  const ReplayResult r =
      replay(source_path("tests/replay/hourglass2-rmsprop"), Device::cpu, DType::f64);
  expect_reproduced(r, 1e-7, 1e-7);
  EXPECT_LE(r.max_weight_error, 1e-6) << r.max_weight_name;
}

TEST(ReplayFloat64, MagicPointWithAdamToSevenDigits) {
  CAIRN_NEED_DATA(folder, "replay/magicpoint-adam");
  expect_reproduced(replay(folder, Device::cpu, DType::f64), 1e-7, 1e-7);
}

TEST(ReplayErrors, AFolderWithoutARecordingIsNamed) {
  try {
    replay("/nowhere", Device::cpu, DType::f32);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.where.find("/nowhere/replay.json"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace cairn
