#include "layers/functions_conv.h"

#include <gtest/gtest.h>

#include "runtime/error.h"

namespace cairn {
namespace {

std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(FunctionsConv, ErrorsNameEveryMismatchAtOnce) {
  Tape tape(false);
  const Var x = tape.constant(Tensor::zeros({1, 8, 8, 4}));
  const Var w = tape.constant(Tensor::zeros({5, 11, 11, 3}));
  const Var bias = tape.constant(Tensor::zeros({6}));
  const std::string message = error_of([&] { conv2d(x, w, bias, {.groups = 2}); });
  EXPECT_NE(message.find("x has 4 channels, w takes 6"), std::string::npos) << message;
  EXPECT_NE(message.find("5 outputs do not divide into 2 groups"), std::string::npos) << message;
  EXPECT_NE(message.find("bias has shape [6] for 5 output channels"), std::string::npos) << message;
  EXPECT_NE(message.find("the 11x11 kernel does not fit"), std::string::npos) << message;
  EXPECT_NE(message.find("x [1,8,8,4], w [5,11,11,3], bias [6]"), std::string::npos) << message;
}

TEST(FunctionsConv, TransposedErrorsNameOutputPaddingThatReachesTheStride) {
  Tape tape(false);
  const Var x = tape.constant(Tensor::zeros({1, 4, 4, 2}));
  const Var w = tape.constant(Tensor::zeros({2, 3, 3, 2}));
  const std::string message =
      error_of([&] { conv_transpose2d(x, w, {}, {.stride = 2, .output_padding = 2}); });
  EXPECT_NE(message.find("output_padding 2 is not in 0..stride-1"), std::string::npos) << message;
}

TEST(FunctionsConv, AFusedConvolutionRefusesToBeTrained) {
  Tape tape;
  const Var x = tape.leaf(Tensor::zeros({1, 4, 4, 2}));
  const Var w = tape.constant(Tensor::zeros({2, 3, 3, 2}));
  EXPECT_NE(error_of([&] { conv2d_fused(x, w, {}, {}, {}); }).find("a gradient is wanted"),
            std::string::npos);
}

TEST(FunctionsConv, GradientsReachEachInputThatWantsOne) {
  Tape tape;
  const Var x = tape.constant(Tensor::full({1, 3, 3, 1}, 2));
  const Var w = tape.leaf(Tensor::full({1, 3, 3, 1}, 1));
  const Var bias = tape.leaf(Tensor::zeros({1}));
  const Var y = conv2d(x, w, bias);
  EXPECT_EQ(y.value().item(), 18);
  tape.backward(y);
  EXPECT_EQ(w.grad().values<float>(), std::vector<float>(9, 2));
  EXPECT_EQ(bias.grad().item(), 1);
  EXPECT_FALSE(x.grad().defined());
}

}  // namespace
}  // namespace cairn
