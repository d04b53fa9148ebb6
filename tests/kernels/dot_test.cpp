#include "kernels/dot.h"

#include <gtest/gtest.h>

#include "tests/kernels/normal_tensors.h"

namespace cairn {
namespace {

TEST(Dot, EveryInstructionSetGivesTheSameBits) {
  const Tensor a = normal({261}, 1), b = normal({261}, 2);
  for (int64_t count : {0, 1, 7, 8, 9, 63, 256, 260}) {
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += double(a.data<float>()[i]) * b.data<float>()[i];
    use_isa(Isa::baseline);
    const double want = cpu::dot(a.data<float>(), b.data<float>(), count);
    EXPECT_NEAR(want, sum, 1e-12);
    for (Isa level : {Isa::avx2, Isa::avx512}) {
      use_isa(level);
      EXPECT_EQ(cpu::dot(a.data<float>(), b.data<float>(), count), want) << count;
    }
  }
  use_isa(Isa::avx512);
}

}  // namespace
}  // namespace cairn
