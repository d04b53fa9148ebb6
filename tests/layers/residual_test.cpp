#include "layers/residual.h"

#include "layers/hierarchical.h"

#include "tests/caught.h"
#include "tests/layers/gradient_check.h"

namespace cairn {
namespace {

TEST(Residual, GradientsEqualCentralDifferences) {
  for (const auto [in, out] : {std::pair{6, 6}, {4, 6}}) {
    Residual block(in, out);
    Parameters parameters(block, Device::cpu, DType::f64);
    parameters.initialize(3);
    for (bool training : {true, false}) {
      SCOPED_TRACE(testing::Message() << in << " -> " << out << (training ? ", training" : ""));
      expect_gradients(
          parameters, normal64({2, 5, 4, in}, 5), [&](const Var& x) { return block(x); }, training);
    }
  }
}

TEST(Residual, BesideBf16ItsParametersAreFloat32) {
  Residual block(4, 6);
  Parameters parameters(block, Device::cpu, DType::f64);
  Tape tape;
  const Var x = tape.leaf(Tensor::zeros({1, 2, 2, 4}, DType::bf16));
  const std::string message = error_of([&] { block(x); });
  for (const char* part :
       {"w1 is f64, x is bf16", "gamma3 is f64, x is bf16", "running_var2 is f64, x is bf16",
        "skip_bias is f64, x is bf16", "f32 beside bf16"})
    EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(Hourglass, GradientsEqualCentralDifferences) {
  Hourglass hourglass(2, 4);
  Parameters parameters(hourglass, Device::cpu, DType::f64);
  parameters.initialize(4);
  expect_gradients(
      parameters, normal64({2, 8, 4, 4}, 6), [&](const Var& x) { return hourglass(x); }, true);
}

TEST(HierarchicalBlock, GradientsEqualCentralDifferences) {
  for (const auto [in, out] : {std::pair{8, 8}, {4, 8}}) {
    HierarchicalBlock block(in, out);
    Parameters parameters(block, Device::cpu, DType::f64);
    parameters.initialize(3);
    expect_gradients(
        parameters, normal64({2, 5, 4, in}, 5), [&](const Var& x) { return block(x); }, true);
  }
}

TEST(HierarchicalHourglass, GradientsEqualCentralDifferences) {
  HierarchicalHourglass hourglass(2, 4);
  Parameters parameters(hourglass, Device::cpu, DType::f64);
  parameters.initialize(4);
  expect_gradients(
      parameters, normal64({2, 8, 4, 4}, 6), [&](const Var& x) { return hourglass(x); }, true);
}

TEST(HierarchicalBlock, HasTheParametersOfFan) {
  HierarchicalBlock stem(64, 128), equal(128, 128), wider(128, 256), trunk(256, 256);
  EXPECT_EQ(Parameters(stem, Device::cpu).count(), 73'152);
  EXPECT_EQ(Parameters(equal, Device::cpu).count(), 101'824);
  EXPECT_EQ(Parameters(wider, Device::cpu).count(), 291'712);
  EXPECT_EQ(Parameters(trunk, Device::cpu).count(), 406'400);
}

TEST(Residual, HasTheParametersOfThePaper) {
  Residual narrow(128, 128), wide(128, 256);
  EXPECT_EQ(Parameters(narrow, Device::cpu).count(), 54'016);
  EXPECT_EQ(Parameters(wide, Device::cpu).count(), 230'912);
  Hourglass hourglass(4, 256);
  EXPECT_EQ(Parameters(hourglass, Device::cpu).count(), 2'788'864);
}

}  // namespace
}  // namespace cairn
