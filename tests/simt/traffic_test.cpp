// The checker counts the bytes that a kernel moves, so that its header can be held to its word.
#include <gtest/gtest.h>

#include "kernels/elementwise/add.h"
#include "kernels/simt/simt.h"
#include "runtime/error.h"
#include "tests/simt/kernels.h"

namespace cairn {
namespace {

TEST(Traffic, OfAddIsTwelveBytesPerElement) {
  if (!simt::has_checker())
    GTEST_SKIP() << "counted by the checker: configure with -DCAIRN_SIMT_CHECKER=ON";
  const Tensor a = Tensor::zeros({1000}, DType::f32, Device::simt), b = a.clone();
  Tensor y = a.clone();
  add(a, b, y);
  const simt::Traffic t = simt::last_traffic();
  EXPECT_EQ(t.loaded, 8000u);
  EXPECT_EQ(t.stored, 4000u);
  EXPECT_EQ(t.distinct_loaded, 8000u);
  EXPECT_EQ(t.distinct_stored, 4000u);
}

TEST(Traffic, CountsAByteOnceAsDistinctHoweverOftenItIsLoaded) {
  if (!simt::has_checker())
    GTEST_SKIP() << "counted by the checker: configure with -DCAIRN_SIMT_CHECKER=ON";
  const Tensor x = Tensor::zeros({256}, DType::f32, Device::simt);
  Tensor y = Tensor::zeros({256}, DType::f32, Device::simt);
  simt::run_primitive("shuffles", x, y);  // loads each of 64 elements four times
  const simt::Traffic t = simt::last_traffic();
  EXPECT_EQ(t.loaded, 4 * 256u);
  EXPECT_EQ(t.distinct_loaded, 256u);
  EXPECT_EQ(t.distinct_stored, 1024u);
}

TEST(Traffic, IsRefusedByABuildThatDoesNotCount) {
  if (simt::has_checker()) GTEST_SKIP() << "this build counts";
  EXPECT_THROW(simt::last_traffic(), Error);
}

}  // namespace
}  // namespace cairn
