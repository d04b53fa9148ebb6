#include "layers/functions_descriptor.h"

#include <gtest/gtest.h>

#include "runtime/error.h"

namespace cairn {
namespace {

TEST(L2Normalize, GivesUnitVectorsAndKeepsZeroVectorsZero) {
  Tape tape;
  const Var y = l2_normalize(tape.constant(Tensor::from<float>({2, 2}, {3, 4, 0, 0})));
  EXPECT_EQ(y.value().values<float>(), (std::vector<float>{.6f, .8f, 0, 0}));
}

TEST(L2Normalize, ItsGradientIsAcrossTheVector) {
  Tape tape;
  const Var x = tape.leaf(Tensor::from<double>({1, 2}, {3, 4}));
  tape.backward(l2_normalize(x), Tensor::from<double>({1, 2}, {1, 0}));
  const auto g = x.grad().values<double>();
  EXPECT_NEAR(g[0], (1 - .6 * .6) / 5, 1e-15);
  EXPECT_NEAR(g[1], -.6 * .8 / 5, 1e-15);
}

TEST(L2Normalize, RefusesAnEpsThatIsNotPositive) {
  Tape tape;
  const Var x = tape.constant(Tensor::zeros({2, 2}));
  EXPECT_THROW(l2_normalize(x, 0), Error);
}

}  // namespace
}  // namespace cairn
