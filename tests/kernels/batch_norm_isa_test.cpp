#include <gtest/gtest.h>

#include "kernels/isa.h"
#include "kernels/norm/batch_norm.h"
#include "tests/kernels/normal_tensors.h"

namespace cairn {
namespace {

// y, dx, dgamma and dbeta of a norm that ends in leaky_relu.
std::vector<Tensor> pass(const Shape& shape, DType type) {
  const Shape C{shape[1]};
  const Tensor x = normal(shape, 1).to(type), dy = normal(shape, 2).to(type);
  const Tensor gamma = normal(C, 3).to(type), beta = normal(C, 4).to(type);
  Tensor running_mean = Tensor::zeros(C, type), running_var = Tensor::full(C, 1, type);
  Tensor mean = gamma.empty_like(), invstd = gamma.empty_like();
  Tensor y = x.empty_like(), dx = x.empty_like();
  Tensor dgamma = gamma.empty_like(), dbeta = gamma.empty_like();
  batch_norm_training(x, gamma, beta, {1e-3, 0.1, Activation::leaky_relu, 0.2f}, running_mean,
                      running_var, mean, invstd, y);
  batch_norm_backward(x, dy, gamma, beta, mean, invstd, Activation::leaky_relu, 0.2f,
                      Statistics::batch, &dx, dgamma, dbeta);
  return {y, dx, dgamma, dbeta};
}

TEST(BatchNorm, EveryInstructionSetComputesTheSameOfCutVectors) {
  for (DType type : {DType::f32, DType::f64})
    for (int64_t channels : {1, 3, 7, 9, 20, 75}) {
      use_isa(Isa::baseline);
      const auto want = pass({131, channels}, type);
      for (Isa level : {Isa::avx2, Isa::avx512}) {
        use_isa(level);
        const auto got = pass({131, channels}, type);
        for (size_t i = 0; i < want.size(); ++i)
          EXPECT_LT(relative_error(got[i], want[i]), type == DType::f32 ? 2e-6 : 1e-14)
              << int(level) << ", " << channels << " channels, output " << i;
      }
    }
  use_isa(Isa::avx512);
}

}  // namespace
}  // namespace cairn
