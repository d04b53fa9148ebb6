#include "layers/functions_norm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/caught.h"

namespace cairn {
namespace {

struct Norm {
  Tensor gamma = Tensor::full({1}, 2, DType::f64), beta = Tensor::full({1}, 5, DType::f64);
  Tensor mean = Tensor::full({1}, 10, DType::f64), var = Tensor::full({1}, 4, DType::f64);

  Var operator()(Tape& tape, const Var& x) {
    return batch_norm(x, tape.leaf(gamma), tape.leaf(beta), mean, var, {1e-12, 0.1});
  }
};

Tensor column(const std::vector<double>& v) {
  return Tensor::from<double>({int64_t(v.size()), 1}, v);
}

TEST(BatchNorm, TrainingUsesTheBatchAndMovesTheRunningStatistics) {
  Norm norm;
  Tape tape;
  tape.training = true;
  const Var y = norm(tape, tape.leaf(column({1, 3})));  // mean 2, variance 1 (unbiased 2)
  EXPECT_NEAR(y.value().values<double>()[0], 5 - 2, 1e-9);
  EXPECT_NEAR(y.value().values<double>()[1], 5 + 2, 1e-9);
  EXPECT_NEAR(norm.mean.item(), 0.9 * 10 + 0.1 * 2, 1e-12);
  EXPECT_NEAR(norm.var.item(), 0.9 * 4 + 0.1 * 2, 1e-12);
}

TEST(BatchNorm, BesideBf16ItsVectorsAreFloat32) {
  Norm norm;
  Tape tape;
  const Var x = tape.leaf(Tensor::zeros({2, 1}, DType::bf16));
  const std::string said = wrong([&] { norm(tape, x); });
  EXPECT_NE(said.find("gamma is f64, x is bf16; beta is f64, x is bf16"), std::string::npos)
      << said;
}

TEST(BatchNorm, EvaluationUsesTheRunningStatisticsAndLeavesThemAlone) {
  Norm norm;
  Tape tape;
  const Var x = tape.leaf(column({10, 12, 6}));
  const Var y = norm(tape, x);
  const std::vector<double> want{5, 7, 1};
  for (size_t i = 0; i < want.size(); ++i)
    EXPECT_NEAR(y.value().values<double>()[i], want[i], 1e-9);
  EXPECT_EQ(norm.mean.item(), 10);
  EXPECT_EQ(norm.var.item(), 4);
  tape.backward(y, column({1, 0, 3}));
  EXPECT_NEAR(x.grad().values<double>()[2], 3 * 2 / 2.0, 1e-9);
}

TEST(BatchNorm, AGradientThroughTheBatchSumsToZero) {
  Norm norm;
  Tape tape;
  tape.training = true;
  const Var x = tape.leaf(column({1, 3, 7, 2}));
  tape.backward(norm(tape, x), column({1, -2, 0.5, 4}));
  double sum = 0, along_x = 0;
  for (int i = 0; i < 4; ++i) {
    sum += x.grad().values<double>()[i];
    along_x += x.grad().values<double>()[i] * x.value().values<double>()[i];
  }
  EXPECT_NEAR(sum, 0, 1e-12);      // adding a constant to x changes nothing,
  EXPECT_NEAR(along_x, 0, 1e-11);  // nor does scaling it
}

TEST(BatchNorm, TrainingOnASingleValuePerChannelIsRefused) {
  Norm norm;
  Tape tape;
  tape.training = true;
  EXPECT_THROW(norm(tape, tape.leaf(column({1}))), Error);
  tape.training = false;
  EXPECT_NO_THROW(norm(tape, tape.leaf(column({1}))));
}

TEST(BatchNorm, EveryMismatchIsNamed) {
  Tape tape;
  Tensor mean = Tensor::zeros({3}), var = Tensor::zeros({2});
  try {
    batch_norm(tape.leaf(Tensor::zeros({4, 2})), tape.leaf(Tensor::zeros({2})),
               tape.leaf(Tensor::zeros({5})), mean, var, {0, 2, Activation::leaky_relu, -1});
    FAIL();
  } catch (const Error& e) {
    for (const char* part : {"beta has shape [5] for 2", "running_mean has shape [3] for 2",
                             "slope is -1", "eps is 0", "momentum is 2"})
      EXPECT_NE(e.wrong.find(part), std::string::npos) << part << " in: " << e.wrong;
  }
}

TEST(BatchNorm, WithAnActivationIsComputedAgainForABackwardInsteadOfKept) {
  Norm norm;
  Tape tape;
  tape.training = true;
  const Var y = batch_norm(tape.leaf(column({1, 3, 7, 2})), tape.leaf(norm.gamma),
                           tape.leaf(Tensor::zeros({1}, DType::f64)), norm.mean, norm.var,
                           {1e-5, 0.1, Activation::relu});
  const Tensor again = Kept(y).value();
  EXPECT_EQ(again.values<double>(), y.value().values<double>());
  EXPECT_NE(again.raw(), y.value().raw());
}

TEST(BatchNorm, RefusesAnActivationThatNeedsACallOfItsOwn) {
  Norm norm;
  Tape tape;
  try {
    batch_norm(tape.leaf(column({1, 3})), tape.leaf(norm.gamma), tape.leaf(norm.beta), norm.mean,
               norm.var, {1e-5, 0.1, Activation::sigmoid});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.wrong.find("none of those that a norm can end in"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace cairn
