#include "layers/modules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "runtime/error.h"

namespace cairn {
namespace {

struct Net : Module {
  Conv2d conv{3, 8, 3, {.stride = 1, .padding = 1, .dilation = 1, .groups = 1}};
  BatchNorm2d bn{8};
  ConvTranspose2d up{8, 4, 2, {.stride = 2}, false};

  void visit(Visitor& v) override {
    v("conv", conv);
    v("bn", bn);
    v("up", up);
  }
  Var operator()(const Var& x) { return up(bn(conv(x))); }
};

TEST(Modules, NamesAndShapesArePyTorchs) {
  Net net;
  const Parameters parameters(net, Device::cpu);
  std::vector<std::string> names;
  for (const NamedTensor& t : named_tensors(net)) names.push_back(text(t.name, t.tensor->shape()));
  EXPECT_EQ(names, (std::vector<std::string>{"conv.weight[8,3,3,3]", "conv.bias[8]", "bn.weight[8]",
                                             "bn.bias[8]", "bn.running_mean[8]",
                                             "bn.running_var[8]", "up.weight[8,2,2,4]"}));
  EXPECT_EQ(parameters.count(), 8 * 27 + 8 + 16 + 8 * 4 * 4);
}

TEST(Modules, WeightsStartWithinTheInverseRootOfTheFanIn) {
  Net net;
  Parameters parameters(net, Device::cpu);
  parameters.initialize(1);
  const auto largest = [](const Parameter& p) {
    double most = 0;
    for (float v : p.value.values<float>()) most = std::max(most, std::abs(double(v)));
    return most;
  };
  EXPECT_LE(largest(net.conv.weight), 1 / std::sqrt(27.0));
  EXPECT_GT(largest(net.conv.weight), 0.9 / std::sqrt(27.0));
  EXPECT_LE(largest(net.conv.bias), 1 / std::sqrt(27.0));
  EXPECT_LE(largest(net.up.weight), 1 / std::sqrt(16.0));
  EXPECT_GT(largest(net.up.weight), 0.9 / std::sqrt(16.0));
  EXPECT_EQ(net.bn.weight.value.values<float>(), std::vector<float>(8, 1));
}

TEST(Modules, AGivenInitIsTheWeightsAndTheBiasStartsAtZero) {
  Conv2d conv(4, 4, 1, {}, true, Init{Init::Kind::constant, 0.5});
  Parameters parameters(conv, Device::cpu);
  parameters.initialize(1);
  EXPECT_EQ(conv.weight.value.values<float>(), std::vector<float>(16, 0.5f));
  EXPECT_EQ(conv.bias.value.values<float>(), std::vector<float>(4, 0));
}

TEST(Modules, XavierUniformFillsItsBound) {
  Conv2d conv(8, 16, 3, {}, true, xavier_uniform(8, 16, 3));
  Parameters parameters(conv, Device::cpu);
  parameters.initialize(1);
  const double bound = std::sqrt(6.0 / (9 * 8 + 9 * 16));
  const auto values = conv.weight.value.values<float>();
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  EXPECT_GE(*low, -bound);
  EXPECT_LE(*high, bound);
  EXPECT_LT(*low, -0.95 * bound);
  EXPECT_GT(*high, 0.95 * bound);
}

TEST(Modules, ABackwardReachesEveryParameterUnderItsModulesPath) {
  Net net;
  Parameters parameters(net, Device::cpu, DType::f64);
  parameters.initialize(1);
  parameters.begin_step();
  Tape tape;
  tape.training = true;
  const Var y = net(tape.constant(Tensor::full({1, 4, 4, 3}, 0.5, DType::f64)));
  EXPECT_EQ(y.shape(), (Shape{1, 8, 8, 4}));
  tape.backward(y, Tensor::full(y.shape(), 1, DType::f64));
  for (const Segment& s : parameters.segments()) EXPECT_TRUE(s.parameter->touched) << s.name;
  EXPECT_EQ(net.bn.path(), "bn");
}

TEST(Modules, BiasesAndShiftsAreExemptFromDecayOnRequest) {
  Net net;
  const Parameters parameters(net, Device::cpu);
  exempt_biases_from_decay(net);
  std::vector<std::string> decaying;
  for (const Segment& s : parameters.segments())
    if (s.parameter->decays) decaying.push_back(s.name);
  EXPECT_EQ(decaying, (std::vector<std::string>{"up.weight", "bn.weight", "conv.weight"}));
}

// What a captured step reads stays where it is.
TEST(Modules, ChunkScalesThatWereThereBeforeAreNotUploadedAgain) {
  Conv2d conv(2, 2, 1, {}, true);
  Parameters parameters(conv, Device::cpu);
  const auto scales_of = [&](bool weight, bool bias) {
    conv.weight.touched = weight;
    conv.bias.touched = bias;
    return parameters.chunk_scales();
  };
  const Tensor both = scales_of(true, true), one = scales_of(true, false);
  EXPECT_EQ(both.values<float>(), (std::vector<float>{1, 1, 1, 1}));
  EXPECT_EQ(one.values<float>(), (std::vector<float>{0, 0, 1, 1}));
  EXPECT_EQ(scales_of(true, true).raw(), both.raw());
}

TEST(Modules, RunningStatisticsMoveInTrainingOnly) {
  BatchNorm2d bn(2);
  Parameters parameters(bn, Device::cpu);
  parameters.initialize(1);
  const Tensor x = Tensor::from<float>({2, 2}, {1, 10, 3, 30});
  {
    Tape tape;
    bn(tape.constant(x));
    EXPECT_EQ(bn.running_mean.values<float>(), (std::vector<float>{0, 0}));
  }
  Tape tape;
  tape.training = true;
  bn(tape.constant(x));
  EXPECT_FLOAT_EQ(bn.running_mean.values<float>()[1], 2);
  EXPECT_FLOAT_EQ(bn.running_var.values<float>()[0], 0.9f + 0.1f * 2);
}

}  // namespace
}  // namespace cairn
