// What a launch on simt promises beyond its kernel.
#include <gtest/gtest.h>

#include "kernels/simt/simt.h"
#include "runtime/error.h"
#include "tests/simt/kernels.h"

namespace cairn {
namespace {

Tensor numbers() {
  std::vector<float> v(256);
  for (size_t i = 0; i < v.size(); ++i) v[i] = float(i);
  return Tensor::from<float>({256}, v, Device::simt);
}

TEST(Launch, IsRefusedBeyondTheLimitsOfCuda) {
  Tensor y = Tensor::full({256}, -1, DType::f32, Device::simt);
  try {
    simt::run_primitive("too_large", numbers(), y);
    FAIL() << "a block of 2048 threads ran";
  } catch (const Error& e) {
    EXPECT_EQ(e.where, "too_large on simt");
    EXPECT_NE(e.wrong.find("a block of (2048,1,1) threads"), std::string::npos) << e.what();
  }
  EXPECT_EQ(y.values<float>()[0], -1) << "a thread ran all the same";
}

TEST(Launch, NoticesAWriteBeyondSharedMemoryEvenWithoutTheChecker) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer stops the program at the write itself";
#endif
  Tensor y = Tensor::zeros({256}, DType::f32, Device::simt);
  try {
    simt::run_planted("dynamic_index", false, numbers(), y);
    FAIL() << "nothing was noticed";
  } catch (const Error& e) {
    EXPECT_NE(e.wrong.find("dynamic shared memory"), std::string::npos) << e.what();
    EXPECT_NE(e.wrong.find("256 bytes"), std::string::npos) << e.what();
  }
}

TEST(Launch, IsWholeAgainAfterOneThatFailed) {
  const Tensor x = numbers();
  Tensor y = Tensor::zeros({256}, DType::f32, Device::simt);
  EXPECT_THROW(simt::run_planted("lanes_missing", false, x, y), Error);
  simt::run_primitive("reversal", x, y);
  for (int i = 0; i < 256; ++i)
    ASSERT_EQ(y.values<float>()[size_t(i)], float(i / 64 * 64 + 63 - i % 64));
}

}  // namespace
}  // namespace cairn
