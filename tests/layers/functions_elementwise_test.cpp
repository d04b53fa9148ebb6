#include "layers/functions_elementwise.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/caught.h"

namespace cairn {
namespace {

Tensor matrix(int64_t rows, const std::vector<double>& values) {
  return Tensor::from<double>({rows, int64_t(values.size()) / rows}, values);
}

std::vector<double> grad(const Var& v) { return v.grad().values<double>(); }

TEST(Add, AValueAddedToItselfGetsItsGradientTwice) {
  Tape tape;
  const Var x = tape.leaf(matrix(1, {1, 2}));
  tape.backward(add(x, x), matrix(1, {3, 5}));
  EXPECT_EQ(grad(x), (std::vector<double>{6, 10}));
}

TEST(Add, RefusesToBroadcast) {
  Tape tape;
  const Var a = tape.leaf(matrix(2, {1, 2})), b = tape.leaf(matrix(1, {1, 2}));
  EXPECT_EQ(wrong([&] { add(a, b); }), "the shapes differ (a [2,1], b [1,2])");
}

TEST(Scale, MultipliesValueAndGradient) {
  Tape tape;
  const Var x = tape.leaf(matrix(1, {1, -2}));
  const Var y = scale(x, -3);
  EXPECT_EQ(y.value().values<double>(), (std::vector<double>{-3, 6}));
  tape.backward(y, matrix(1, {1, 2}));
  EXPECT_EQ(grad(x), (std::vector<double>{-3, -6}));
}

TEST(Cast, RoundsTheValueAndHandsTheGradientBackInTheInputsType) {
  Tape tape;
  const Var x = tape.leaf(Tensor::from<float>({2}, {1 + 1.f / 256, -3}));
  const Var y = cast(cast(x, DType::bf16), DType::f32);
  EXPECT_EQ(y.value().values<float>(), (std::vector<float>{1, -3}));
  tape.backward(y, Tensor::from<float>({2}, {5, 7}));
  EXPECT_EQ(x.grad().values<float>(), (std::vector<float>{5, 7}));
  EXPECT_EQ(wrong([&] { cast(x, DType::i32); }), "from f32 to i32 (x [2])");
}

TEST(Cast, ANumberTooLargeForBf16IsAnAnomalyByItsName) {
  Tape tape;
  tape.detect_anomaly(true);
  const Var x = tape.leaf(Tensor::full({1}, 3.4e38));
  EXPECT_EQ(wrong([&] { cast(x, DType::bf16); }), "its forward produced inf in bf16[1] on cpu");
}

TEST(BiasActivation, ReluHasNoSlopeAtItsKink) {
  Tape tape;
  const Var x = tape.leaf(matrix(2, {-1, 0, 2, 3})),
            b = tape.leaf(Tensor::from<double>({2}, {0, 1}));
  const Var y = bias_activation(x, b, Activation::relu);
  EXPECT_EQ(y.value().values<double>(), (std::vector<double>{0, 1, 2, 4}));
  tape.backward(y, matrix(2, {1, 1, 1, 1}));
  EXPECT_EQ(grad(x), (std::vector<double>{0, 1, 1, 1}));
  EXPECT_EQ(grad(b), (std::vector<double>{1, 2}));

  Tape second;
  const Var zero = second.leaf(matrix(1, {0, 6}));
  second.backward(activation(zero, Activation::relu6), matrix(1, {1, 1}));
  EXPECT_EQ(grad(zero), (std::vector<double>{0, 0}));
}

TEST(BiasActivation, EveryActivationPassesNaNOn) {
  for (Activation act : {Activation::relu, Activation::leaky_relu, Activation::relu6,
                         Activation::sigmoid, Activation::softplus}) {
    Tape tape(false);
    const Var y = activation(tape.constant(Tensor::full({5}, NAN)), act, 0.1f);
    for (float v : y.value().values<float>()) EXPECT_TRUE(std::isnan(v)) << int(act);
  }
}

TEST(BiasActivation, EveryMismatchIsNamed) {
  Tape tape;
  const Var x = tape.leaf(matrix(1, {1, 2}));
  const Var bias = tape.leaf(Tensor::zeros({3}));
  const std::string said = wrong([&] { bias_activation(x, bias, Activation::leaky_relu, -1); });
  for (const char* part : {"bias has shape [3] for 2 channels", "f32", "slope is -1", "x [1,2]"})
    EXPECT_NE(said.find(part), std::string::npos) << part << " in: " << said;
}

TEST(Concat, ItsGradientsAreTheSlicesOfTheUpstreamOne) {
  Tape tape;
  const Var a = tape.leaf(matrix(2, {1, 2})), b = tape.leaf(matrix(2, {3, 4, 5, 6}));
  const Var y = concat({a, b, a}, 8);
  EXPECT_EQ(y.value().values<double>(),
            (std::vector<double>{1, 3, 4, 1, 0, 0, 0, 0, 2, 5, 6, 2, 0, 0, 0, 0}));
  tape.backward(y, matrix(2, {1, 2, 3, 4, 9, 9, 9, 9, 5, 6, 7, 8, 9, 9, 9, 9}));
  EXPECT_EQ(grad(a), (std::vector<double>{5, 13}));
  EXPECT_EQ(grad(b), (std::vector<double>{2, 3, 6, 7}));
}

TEST(Concat, SaysWhichDimensionsDiffer) {
  Tape tape;
  const Var a = tape.leaf(matrix(2, {1, 2})), b = tape.leaf(matrix(1, {3, 4}));
  EXPECT_NE(wrong([&] { concat({a, b}); }).find("leading dimensions differ"), std::string::npos);
  EXPECT_NE(wrong([&] {
              concat({a, a, a}, 2);
            }).find("3 channels, 2 are wanted"),
            std::string::npos);
  EXPECT_NE(wrong([&] { concat({}); }).find("no inputs"), std::string::npos);
}

TEST(SliceChannels, TheGradientOfTheRestIsZero) {
  Tape tape;
  const Var x = tape.leaf(matrix(2, {1, 2, 3, 4, 5, 6}));
  const Var y = slice_channels(x, 1, 1);
  EXPECT_EQ(y.value().values<double>(), (std::vector<double>{2, 5}));
  tape.backward(y, matrix(2, {7, 8}));
  EXPECT_EQ(grad(x), (std::vector<double>{0, 7, 0, 0, 8, 0}));
  EXPECT_NE(wrong([&] { slice_channels(x, 2, 2); }).find("channels 2 to 4 of 3"),
            std::string::npos);
}

TEST(Halves, GradientsGoBackToTheirRowsAndAHalfWithoutOneGetsZeros) {
  Tape tape;
  const Var x = tape.leaf(matrix(4, {1, 2, 3, 4}));
  const auto [first, second] = halves(x);
  EXPECT_EQ(second.value().values<double>(), (std::vector<double>{3, 4}));
  tape.backward(second, matrix(2, {5, 6}));
  EXPECT_EQ(grad(x), (std::vector<double>{0, 0, 5, 6}));
}

TEST(Halves, AreWhatWasStacked) {
  const Tensor first = matrix(2, {1, 2}), second = matrix(2, {3, 4}), both = stacked(first, second);
  EXPECT_EQ(both.values<double>(), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(wrong([&] {
              stacked(first, Tensor::zeros({1, 2}));
            }),
            "the shapes differ; second is f32, first is f64 (first [2,1], second [1,2])");
  const Tensor number = Tensor::zeros(Shape{});
  EXPECT_NE(wrong([&] { stacked(number, number); }).find("no dimension"), std::string::npos);
}

TEST(Halves, RefusesAnOddNumberOfRows) {
  Tape tape;
  EXPECT_EQ(wrong([&] {
              halves(tape.leaf(matrix(3, {1, 2, 3})));
            }),
            "x does not divide into two (x [3,1])");
}

}  // namespace
}  // namespace cairn
