#include "kernels/conv/winograd.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/isa.h"
#include "tests/kernels/normal_tensors.h"

namespace cairn {
namespace {

struct Errors {
  double forward, data, weights;
};

Errors measure(int64_t in, int64_t out) {
  const Conv2dOptions o{.padding = 1};
  const Tensor x = normal({2, 30, 41, in}, 1), dy = normal({2, 30, 41, out}, 2);
  const Tensor w = normal({out, 3, 3, in}, 3, 1 / std::sqrt(9.0 * double(in)));
  EXPECT_TRUE(winograd_serves(x, w, o));
  Tensor y = dy.empty_like(), dx = x.empty_like(), dw = w.empty_like();
  winograd(x, w, 1, {}, y);
  winograd_backward_data(dy, w, 1, dx);
  winograd_backward_weights(x, dy, 1, dw);
  const Tensor x64 = x.to(DType::f64), w64 = w.to(DType::f64), dy64 = dy.to(DType::f64);
  Tensor y64 = dy64.empty_like(), dx64 = x64.empty_like(), dw64 = w64.empty_like();
  cpu::conv2d(x64, w64, o, {}, y64);
  cpu::conv2d_backward_data(dy64, w64, o, dx64);
  cpu::conv2d_backward_weights(x64, dy64, o, dw64, nullptr);
  return {relative_error(y, y64), relative_error(dx, dx64), relative_error(dw, dw64)};
}

TEST(Winograd, ErrorStaysBelowTheBoundInItsHeader) {
  for (int64_t channels : {32, 64, 128, 256}) {
    const Errors e = measure(channels, channels);
    EXPECT_LT(e.forward, 4e-6) << channels;
    EXPECT_LT(e.data, 4e-6) << channels;
    EXPECT_LT(e.weights, 4e-6) << channels;
    RecordProperty("forward_" + std::to_string(channels), std::to_string(e.forward));
    RecordProperty("data_" + std::to_string(channels), std::to_string(e.data));
    RecordProperty("weights_" + std::to_string(channels), std::to_string(e.weights));
  }
}

TEST(Winograd, EveryInstructionSetComputesTheSameConvolution) {
  for (Isa level : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    use_isa(level);
    for (const auto& [in, out] : {std::pair{48, 48}, {16, 16}, {75, 21}, {17, 3}, {8, 9}}) {
      const Errors e = measure(in, out);
      EXPECT_LT(e.forward, 4e-6) << int(level) << ": " << in << " to " << out;
      EXPECT_LT(e.data, 4e-6) << int(level) << ": " << in << " to " << out;
      EXPECT_LT(e.weights, 4e-6) << int(level) << ": " << in << " to " << out;
    }
  }
  use_isa(Isa::avx512);
}

TEST(Winograd, LeavesOtherConvolutionsToOthers) {
  const Tensor x = Tensor::zeros({1, 40, 40, 32}), w = Tensor::zeros({32, 3, 3, 32});
  const Conv2dOptions same{.padding = 1};
  EXPECT_TRUE(winograd_serves(x, w, same));
  EXPECT_FALSE(winograd_serves(x, w, {.stride = 2}));
  EXPECT_FALSE(winograd_serves(x, w, {.dilation = 2}));
  EXPECT_FALSE(winograd_serves(x, Tensor::zeros({32, 5, 5, 32}), {}));
  EXPECT_FALSE(winograd_serves(x.to(DType::f64), w.to(DType::f64), same));
  EXPECT_FALSE(winograd_serves_wide(x.shape(), {33, 3, 3, 32}, {}));
  const Tensor few = Tensor::zeros({1, 40, 40, 8}), to_few = Tensor::zeros({8, 3, 3, 8});
  EXPECT_TRUE(winograd_serves(few, to_few, same));
  EXPECT_FALSE(winograd_serves_data(few, to_few, same));
  EXPECT_FALSE(winograd_serves_weights(few, to_few, same));
  EXPECT_FALSE(winograd_serves(Tensor::zeros({32, 5, 5, 8}), to_few, same));  // tiles half empty
}

}  // namespace
}  // namespace cairn
