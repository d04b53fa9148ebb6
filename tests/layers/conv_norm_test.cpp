#include "layers/conv_norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

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

struct Trained {
  Tensor y, dx;
  std::map<std::string, Tensor> found;  // gradients and running statistics, by name
};

// A forward and a backward of two layers with activations of `type`. Where rounding moves a number
// past the kink of their activation, little changes.
Trained trained(NormOrder order, Device device, DType type) {
  const ConvNormStep step{.order = order, .act = Activation::leaky_relu, .slope = 0.75f};
  Net net(order);
  Parameters on_cpu(net, Device::cpu);
  disturb(net, on_cpu);
  Parameters parameters(net, device);
  parameters.begin_step();
  Tape tape;
  tape.training = true;
  const Var x = tape.leaf(as_type(image().to(device), type)),
            y = conv_norm(conv_norm(x, net.conv1, &net.norm1, step), net.conv2, &net.norm2, step);
  Tensor dy = Tensor::empty(y.shape());
  Random random(4);
  for (int64_t i = 0; i < dy.count(); ++i) dy.data<float>()[i] = float(random.normal());
  tape.backward(y, as_type(dy.to(device), type));
  Trained t{y.value(), x.grad(), {}};
  for (const Segment& s : parameters.segments())
    if (s.parameter->touched) t.found[s.name] = s.parameter->grad;
  for (const NamedTensor& n : named_tensors(net))
    if (!n.trainable) t.found[n.name] = *n.tensor;
  return t;
}

double length(const std::vector<float>& v) {
  return std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0));
}

// How far `got` is off, as a share of the length of `want`.
double relative_error(const Tensor& got, const Tensor& want) {
  auto difference = as_type(got, DType::f32).values<float>();
  const auto w = want.values<float>();
  for (size_t i = 0; i < w.size(); ++i) difference[i] -= w[i];
  return length(difference) / length(w);
}

TEST(ConvNorm, TrainsWithBf16BetweenTheLayersAndFloat32ElsewhereInEveryOrderOfTheNorm) {
  for (const Device device : available_devices())
    for (const NormOrder order : {NormOrder::none, NormOrder::pre, NormOrder::post}) {
      if (device == Device::cpu) continue;
      const Trained exact = trained(order, device, DType::f32),
                    rounded = trained(order, device, DType::bf16);
      EXPECT_EQ(rounded.y.dtype(), DType::bf16);
      EXPECT_EQ(rounded.dx.dtype(), DType::bf16);
      EXPECT_LT(relative_error(rounded.y, exact.y), 0.01);
      EXPECT_LT(relative_error(rounded.dx, exact.dx), 0.03);
      for (const auto& [name, want] : exact.found) {
        const Tensor& got = rounded.found.at(name);
        EXPECT_EQ(got.dtype(), DType::f32) << name;
        // Of shifts a norm takes most away again; what is left sums to little more than rounding.
        if (order == NormOrder::none || !name.ends_with("bias"))
          EXPECT_LT(relative_error(got, want), 0.03) << name << ", order " << int(order);
      }
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

}  // namespace
}  // namespace cairn
