#include "kernels/pool/max_pool.h"

#include <gtest/gtest.h>

#include "kernels/isa.h"
#include "runtime/random.h"

namespace cairn {
namespace {

TEST(MaxPool, EveryInstructionSetPicksTheSameElements) {
  Tensor x = Tensor::empty({2, 9, 11, 71}), y = Tensor::empty({2, 4, 5, 71}), dx = x.clone();
  Tensor index = Tensor::empty(y.shape(), DType::u8);
  Random random(1);
  for (int64_t i = 0; i < x.count(); ++i) x.data<float>()[i] = float(random.integer(-3, 3));
  std::vector<float> largest, back;
  std::vector<uint8_t> chosen;
  for (Isa level : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    use_isa(level);
    max_pool(x, {3, 2, 0}, y, &index);
    max_pool_backward(y, index, {3, 2, 0}, dx);
    if (level == Isa::baseline) {
      largest = y.values<float>();
      chosen = index.values<uint8_t>();
      back = dx.values<float>();
    }
    EXPECT_EQ(y.values<float>(), largest) << int(level);
    EXPECT_EQ(index.values<uint8_t>(), chosen) << int(level);
    EXPECT_EQ(dx.values<float>(), back) << int(level);
  }
  use_isa(Isa::avx512);
}

}  // namespace
}  // namespace cairn
