#include "layers/functions_softmax.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/error.h"

namespace cairn {
namespace {

class CrossEntropy : public ::testing::TestWithParam<DType> {};

TEST_P(CrossEntropy, AllZeroLogitsCostTheLogarithmOf65) {
  Tape tape;
  const Var logits = tape.leaf(Tensor::zeros({2, 3, 4, 65}, GetParam()));
  const Tensor labels = Tensor::full({2, 3, 4}, 64, DType::i32);
  EXPECT_NEAR(softmax_cross_entropy(logits, labels).value().item(), 4.174387, 5e-7);
}

TEST_P(CrossEntropy, ALogitOf10ForTheTrueClassCosts0_00290138) {
  Tape tape;
  Tensor logits = Tensor::zeros({1, 65}, DType::f64);
  logits.data<double>()[7] = 10;
  const Var x = tape.leaf(logits.to(GetParam()));
  const Var loss = softmax_cross_entropy(x, Tensor::full({1}, 7, DType::i32));
  EXPECT_NEAR(loss.value().item(), 0.00290138, 5e-9);
  tape.backward(loss);
  const double p = std::exp(-0.0029013822);
  EXPECT_NEAR(x.grad().to(DType::f64).values<double>()[7], p - 1, 1e-9);
}

TEST_P(CrossEntropy, WithoutAValidCellLossAndGradientAreZero) {
  Tape tape;
  const Var logits = tape.leaf(Tensor::full({2, 5}, 3, GetParam()));
  const Var loss =
      softmax_cross_entropy(logits, Tensor::zeros({2}, DType::i32), Tensor::zeros({2}, DType::u8));
  EXPECT_EQ(loss.value().item(), 0);
  tape.backward(loss);
  for (double g : logits.grad().to(DType::f64).values<double>()) EXPECT_EQ(g, 0);
}

INSTANTIATE_TEST_SUITE_P(Types, CrossEntropy, ::testing::Values(DType::f32, DType::f64),
                         [](const auto& type) { return name(type.param); });

TEST(SoftmaxCrossEntropy, TheMeanIsOverValidCellsAlone) {
  Tape tape;
  const Tensor logits = Tensor::from<double>({3, 2}, {0, 0, 99, -99, 2, 0});
  const Tensor labels = Tensor::from<int32_t>({3}, {0, 1, 1});
  const Tensor valid = Tensor::from<uint8_t>({3}, {1, 0, 1});
  const Var loss = softmax_cross_entropy(tape.leaf(logits), labels, valid);
  EXPECT_NEAR(loss.value().item(), (std::log(2) + std::log1p(std::exp(2))) / 2, 1e-12);
}

TEST(SoftmaxCrossEntropy, EveryMismatchIsNamed) {
  Tape tape;
  try {
    softmax_cross_entropy(tape.leaf(Tensor::zeros({2, 3, 5})), Tensor::zeros({2, 4}),
                          Tensor::zeros({6}, DType::i32));
    FAIL();
  } catch (const Error& e) {
    for (const char* part : {"labels differ", "valid differs", "labels are f32", "valid is i32",
                             "logits [2,3,5], labels [2,4], valid [6]"})
      EXPECT_NE(e.wrong.find(part), std::string::npos) << part << " in: " << e.wrong;
  }
}

TEST(Softmax, EqualLogitsShareEquallyAndNoGradientFlowsFromAConstant) {
  Tape tape;
  const Var x = tape.leaf(Tensor::full({1, 4}, 1e4, DType::f64));
  const Var y = softmax(x);
  EXPECT_EQ(y.value().values<double>(), std::vector<double>(4, 0.25));
  tape.backward(y, Tensor::full({1, 4}, 3, DType::f64));
  EXPECT_EQ(x.grad().values<double>(), std::vector<double>(4, 0));
}

}  // namespace
}  // namespace cairn
