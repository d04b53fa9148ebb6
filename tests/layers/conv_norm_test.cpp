#include "layers/conv_norm.h"

#include <gtest/gtest.h>

#include "kernels/elementwise/cast.h"
#include "layers/functions_elementwise.h"
#include "runtime/random.h"

namespace cairn {
namespace {

struct Net : Module {
  Conv2d conv1{1, 32, 3, {.padding = 1}}, conv2{32, 32, 3, {.padding = 1}};
  BatchNorm2d norm1{32}, norm2{32};
  NormOrder order;

  explicit Net(NormOrder o) : order(o) {}
  void visit(Visitor& v) override {
    v("conv1", conv1);
    v("norm1", norm1);
    v("conv2", conv2);
    v("norm2", norm2);
  }
  Var one_by_one(const Var& x) {
    const Var y = conv_norm(x, conv1, &norm1, {order, Activation::relu});
    return conv_norm(y, conv2, &norm2, {order, Activation::relu, true});
  }
  Var pair(const Var& x) {
    return conv_norm_pair(x, {conv1, &norm1, {order, Activation::relu}},
                          {conv2, &norm2, {order, Activation::relu, true}});
  }
};

// Parameters and running statistics away from where they start.
void disturb(Net& net, Parameters& parameters) {
  parameters.initialize(1);
  Random random(2);
  for (BatchNorm2d* norm : {&net.norm1, &net.norm2})
    for (Tensor* t :
         {&norm->weight.value, &norm->bias.value, &norm->running_mean, &norm->running_var})
      for (int64_t i = 0; i < t->count(); ++i) t->data<float>()[i] = float(random.uniform(0.5, 2));
}

Tensor image() {
  Tensor t = Tensor::empty({1, 24, 30, 1});
  Random random(3);
  for (int64_t i = 0; i < t.count(); ++i) t.data<float>()[i] = float(random.uniform());
  return t;
}

TEST(ConvNormPair, InferenceHasTheBitsOfOneByOneInEveryOrderOfTheNorm) {
  for (NormOrder order : {NormOrder::none, NormOrder::pre, NormOrder::post}) {
    Net net(order);
    Parameters parameters(net, Device::cpu);
    disturb(net, parameters);
    Tape tape(false);
    const Var x = tape.constant(image());
    EXPECT_EQ(net.pair(x).value().values<float>(), net.one_by_one(x).value().values<float>())
        << int(order);
  }
}

TEST(ConvNormPair, TrainingReachesTheParametersOfBoth) {
  Net net(NormOrder::pre);
  Parameters parameters(net, Device::cpu);
  disturb(net, parameters);
  parameters.begin_step();
  Tape tape;
  tape.training = true;
  const Var y = net.pair(tape.constant(image()));
  tape.backward(y, Tensor::full(y.shape(), 1));
  for (const Segment& s : parameters.segments()) EXPECT_TRUE(s.parameter->touched) << s.name;
}

TEST(ConvNorm, Bf16StaysBf16AndNearFloat32InEveryOrderOfTheNorm) {
  for (NormOrder order : {NormOrder::none, NormOrder::pre, NormOrder::post}) {
    Net net(order);
    Parameters parameters(net, Device::cpu);
    disturb(net, parameters);
    Tape tape(false);
    const Var x = tape.constant(image());
    const Var got = net.one_by_one(cast(x, DType::bf16)), want = net.one_by_one(x);
    EXPECT_EQ(got.value().dtype(), DType::bf16);
    const auto g = cast(got, DType::f32).value().values<float>(), w = want.value().values<float>();
    const float largest = *std::max_element(w.begin(), w.end());
    for (size_t i = 0; i < w.size(); ++i) ASSERT_NEAR(g[i], w[i], 0.02 * largest) << i;
  }
}

TEST(ConvNorm, OnePassIsTheSequenceOfItsPartsInEveryOrderOfTheNorm) {
  for (NormOrder order : {NormOrder::none, NormOrder::pre, NormOrder::post}) {
    const ConvNormStep step{.order = order, .act = Activation::leaky_relu, .slope = 0.25f};
    Net net(order);
    Parameters parameters(net, Device::cpu);
    disturb(net, parameters);
    const auto through = [&](bool recording) {
      Tape tape(recording);
      return conv_norm(tape.constant(image()), net.conv1, &net.norm1, step).value();
    };
    const auto one_pass = through(false).values<float>(), parts = through(true).values<float>();
    for (size_t i = 0; i < parts.size(); ++i) ASSERT_NEAR(one_pass[i], parts[i], 1e-5) << i;
    if (order != NormOrder::post) EXPECT_LT(*std::min_element(parts.begin(), parts.end()), -0.05f);
  }
}

TEST(InferenceWeights, AreMadeOnceWhileTheyAreInUse) {
  Net net(NormOrder::pre);
  Parameters parameters(net, Device::cpu);
  disturb(net, parameters);
  const auto first_weight = [&] {
    return fold_norm(net.conv1, net.norm1).weight.values<float>().at(0);
  };
  const float before = first_weight();
  InferenceWeights weights;
  {
    const InferenceWeights::Use use(weights);
    EXPECT_EQ(first_weight(), before);
    net.norm1.weight.value.data<float>()[0] *= 2;
    EXPECT_EQ(first_weight(), before);
    EXPECT_NE(fold_norm(net.conv2, net.norm2).bias.raw(),
              fold_norm(net.conv1, net.norm1).bias.raw());
  }
  EXPECT_EQ(first_weight(), 2 * before);
  const Tensor w = net.conv1.weight.value;
  EXPECT_NE(inference_weight(w, DType::bf16).raw(), inference_weight(w, DType::bf16).raw());
  const InferenceWeights::Use use(weights);
  EXPECT_EQ(first_weight(), before);
  EXPECT_EQ(inference_weight(w, DType::bf16).raw(), inference_weight(w, DType::bf16).raw());
  EXPECT_EQ(inference_weight(w, DType::bf16).to(DType::f32).values<float>(),
            as_type(w, DType::bf16).to(DType::f32).values<float>());
  EXPECT_EQ(inference_weight(w, DType::f32).raw(), w.raw());
}

}  // namespace
}  // namespace cairn
