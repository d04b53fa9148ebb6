#include "layers/functions_conv.h"

#include <gtest/gtest.h>

#include "tests/caught.h"

namespace cairn {
namespace {

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

TEST(FunctionsConv, BesideBf16ParametersAreFloat32) {
  Tape tape(false);
  const Var x = tape.constant(Tensor::zeros({1, 4, 4, 2}, DType::bf16));
  const Var w = tape.constant(Tensor::zeros({2, 3, 3, 2}, DType::bf16));
  const Var b = tape.constant(Tensor::zeros({2}, DType::f64));
  const std::string message = error_of([&] { conv2d(x, w, b); });
  EXPECT_NE(message.find("w is bf16, x is bf16; bias is f64, x is bf16"), std::string::npos)
      << message;
  EXPECT_NE(message.find("f32 beside bf16"), std::string::npos) << message;
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

TEST(FunctionsConv, AFusedPairRefusesToBeTrainedAndToPoolInBetween) {
  Tape tape;
  const Var x = tape.constant(Tensor::zeros({1, 8, 8, 2}));
  const Var w = tape.constant(Tensor::zeros({2, 3, 3, 2})), trained = tape.leaf(w.value());
  const FusedConv plain{w, {}, {}, {}}, pooling{w, {}, {}, {.pool2 = true}};
  EXPECT_NE(error_of([&] {
              conv2d_pair_fused(x, plain, {trained, {}, {}, {}});
            }).find("a gradient is wanted"),
            std::string::npos);
  EXPECT_NE(error_of([&] { conv2d_pair_fused(x, pooling, plain); }).find("the first step pools"),
            std::string::npos);
  EXPECT_EQ(conv2d_pair_fused(x, plain, pooling).shape(), (Shape{1, 2, 2, 2}));
}

TEST(FunctionsConv, AFusedPairNamesTheMapBetweenInItsErrors) {
  Tape tape(false);
  const Var x = tape.constant(Tensor::zeros({1, 8, 8, 2}));
  const Var w1 = tape.constant(Tensor::zeros({5, 3, 3, 2}));
  const Var w2 = tape.constant(Tensor::zeros({2, 7, 7, 4}));
  const std::string message = error_of([&] {
    conv2d_pair_fused(x, {w1, {}, {}, {}}, {w2, {}, {}, {}});
  });
  EXPECT_NE(message.find("x has 5 channels, w takes 4"), std::string::npos) << message;
  EXPECT_NE(message.find("the 7x7 kernel does not fit"), std::string::npos) << message;
  EXPECT_NE(message.find("x [1,6,6,5]"), std::string::npos) << message;
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
