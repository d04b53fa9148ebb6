// The checker counts the bytes that a kernel moves, so that its header can be held to its word.
#include <gtest/gtest.h>

#include "kernels/elementwise/add.h"
#include "kernels/simt/simt.h"
#include "runtime/error.h"
#include "tests/simt/kernels.h"
#include "tools/kernel_table.h"

namespace cairn {
namespace {

TEST(Traffic, OfAddIsTwelveBytesPerElement) {
  if (!simt::has_checker())
    GTEST_SKIP() << "counted by the checker: configure with -DCAIRN_SIMT_CHECKER=ON";
  const Tensor a = Tensor::zeros({1000}, DType::f32, Device::simt), b = a.clone();
  Tensor y = a.clone();
  simt::take_traffic();
  add(a, b, y);
  const simt::Traffic t = simt::take_traffic();
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
  simt::take_traffic();
  simt::run_primitive("shuffles", x, y);  // loads each of 64 elements four times
  const simt::Traffic t = simt::take_traffic();
  EXPECT_EQ(t.loaded, 4 * 256u);
  EXPECT_EQ(t.distinct_loaded, 256u);
  EXPECT_EQ(t.distinct_stored, 1024u);
}

// Every kernel moves the bytes that its row claims; a hundredth, and a few kilobytes of
// partial sums and vectors, are not in the formulas.
TEST(Traffic, OfEveryRowIsAsClaimed) {
  if (!simt::has_checker())
    GTEST_SKIP() << "counted by the checker: configure with -DCAIRN_SIMT_CHECKER=ON";
  int rows = 0;
  visit_kernels(Device::simt, KernelSizes::simt, [&](const KernelRow& row) {
    row.prepare();
    simt::take_traffic();
    row.run();
    const simt::Traffic t = simt::take_traffic();
    const double counted = double(t.distinct_loaded + t.distinct_stored),
                 slack = row.partials * row.moved + 4096;
    EXPECT_LE(counted, row.moved + slack) << row.name << ' ' << row.shape;
    if (!row.at_most) EXPECT_GE(counted, row.moved - slack) << row.name << ' ' << row.shape;
    EXPECT_LE(row.bytes, row.moved) << row.name;
    ++rows;
  });
  EXPECT_GT(rows, 100);
}

TEST(Traffic, IsRefusedByABuildThatDoesNotCount) {
  if (simt::has_checker()) GTEST_SKIP() << "this build counts";
  EXPECT_THROW(simt::take_traffic(), Error);
}

}  // namespace
}  // namespace cairn
