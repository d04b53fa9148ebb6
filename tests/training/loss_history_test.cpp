#include "training/loss_history.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/error.h"
#include "tests/caught.h"

namespace cairn {
namespace {

class LossesOn : public testing::TestWithParam<Device> {
 protected:
  void add(double loss, double norm) {
    history_.add(Tensor::full({}, loss, DType::f32, GetParam()),
                 Tensor::full({1}, norm, DType::f32, GetParam()));
  }
  LossHistory history_{GetParam()};
};

TEST_P(LossesOn, TheLastStepIsReadAgainWhereNoneCameSince) {
  add(4, 1);
  add(3, 2);
  for (int i = 0; i < 2; ++i) {
    const LossHistory::Step last = history_.read(2);
    EXPECT_EQ(last.loss, 3);
    EXPECT_EQ(last.gradient_norm, 2);
  }
}

TEST_P(LossesOn, TheFirstStepThatIsNotFiniteIsNamedWithItsGradientNorm) {
  add(4, 1);
  history_.read(1);
  add(3, 1);
  add(INFINITY, 2);
  add(NAN, 3);
  EXPECT_EQ(wrong([&] { history_.read(4); }),
            "the loss became inf at step 3; the gradient norm is 2");
}

TEST_P(LossesOn, AFullHistoryIsReadBeforeTheNextStep) {
  int64_t steps = 0;
  for (; !history_.full(); ++steps) add(double(steps), 0);
  EXPECT_EQ(history_.read(steps).loss, double(steps - 1));
  EXPECT_FALSE(history_.full());
}

INSTANTIATE_TEST_SUITE_P(Devices, LossesOn, testing::ValuesIn(available_devices()),
                         [](const auto& info) { return name(info.param); });

}  // namespace
}  // namespace cairn
