// Every primitive of kernels/device.h, on each device that runs kernels, in each order.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <numeric>

#include "kernels/elementwise/add.h"
#include "kernels/simt/simt.h"
#include "runtime/error.h"
#include "runtime/random.h"
#include "tests/simt/kernels.h"

namespace cairn {
namespace {

struct Setting {
  Device device;
  simt::Order order;
  uint64_t seed;
  std::string name;
};

std::vector<Setting> settings() {
  std::vector<Setting> all = {{Device::simt, simt::Order::ascending, 0, "simt_ascending"},
                              {Device::simt, simt::Order::descending, 0, "simt_descending"},
                              {Device::simt, simt::Order::random, 1, "simt_random_1"},
                              {Device::simt, simt::Order::random, 2, "simt_random_2"}};
  if (why_unavailable(Device::cuda).empty())
    all.push_back({Device::cuda, simt::Order::ascending, 0, "cuda"});
  return all;
}

class Primitives : public testing::TestWithParam<Setting> {
 protected:
  void SetUp() override { simt::set_order(GetParam().order, GetParam().seed); }
  void TearDown() override { simt::set_order(simt::Order::ascending); }

  Tensor run(const std::string& kernel, const Tensor& x, const Shape& y_shape,
             double before = NAN) {
    Tensor y = Tensor::full(y_shape, before, DType::f32, GetParam().device);
    const Tensor on_device = x.to(GetParam().device);
    if constexpr (build::has_cuda)
      if (GetParam().device == Device::cuda) {
        cuda::run_primitive(kernel, on_device, y);
        return y.to(Device::cpu);
      }
    simt::run_primitive(kernel, on_device, y);
    return y.to(Device::cpu);
  }
};

// Small integers, so that sums are exact in every order.
Tensor integers(const Shape& shape, uint64_t seed = 1) {
  Random random(seed);
  std::vector<float> v(size_t(shape.count()));
  for (float& e : v) e = float(random.integer(-9, 9));
  return Tensor::from<float>(shape, v);
}

TEST_P(Primitives, ShufflesMoveValuesBetweenLanes) {
  const auto x = integers({64}).values<float>();
  const auto y = run("shuffles", integers({64}), {4, 64}).values<float>();
  for (int t = 0; t < 64; ++t) {
    const int warp = t / 32 * 32, lane = t % 32;
    EXPECT_EQ(y[t], x[warp + 5]);
    EXPECT_EQ(y[64 + t], x[warp + (lane + 2 < 32 ? lane + 2 : lane)]);
    EXPECT_EQ(y[128 + t], x[warp + (lane >= 3 ? lane - 3 : lane)]);
    EXPECT_EQ(y[192 + t], x[warp + (lane ^ 1)]);
  }
}

TEST_P(Primitives, HalfWarpsWithDisjointMasksGoSeparateWays) {
  const auto x = integers({64}).values<float>();
  const auto y = run("half_warps", integers({64}), {64}).values<float>();
  for (int t = 0; t < 64; ++t) {
    const auto half = x.begin() + t / 16 * 16;
    EXPECT_EQ(y[t], std::accumulate(half, half + 16, 0.f));
  }
}

TEST_P(Primitives, VotesCountTheLanesOfTheirMask) {
  auto x = integers({64}).values<float>();
  for (int t = 32; t < 64; ++t) x[t] = 1;  // the second warp agrees
  const auto y = run("votes", Tensor::from<float>({64}, x), {4, 64}).values<float>();
  for (int t = 0; t < 64; ++t) {
    const auto warp = x.begin() + t / 32 * 32;
    const auto positive = std::count_if(warp, warp + 32, [](float v) { return v > 0; });
    EXPECT_EQ(y[t], positive);
    EXPECT_EQ(y[64 + t], positive > 0);
    EXPECT_EQ(y[128 + t], positive == 32);
    EXPECT_EQ(y[192 + t], x[t] > 0);
  }
}

TEST_P(Primitives, ReductionsGiveEveryThreadTheResult) {
  const auto x = integers({64}).values<float>();
  const auto y = run("reductions", integers({64}), {4, 64}).values<float>();
  for (int t = 0; t < 64; ++t) {
    const auto warp = x.begin() + t / 32 * 32;
    EXPECT_EQ(y[t], std::accumulate(warp, warp + 32, 0.f));
    EXPECT_EQ(y[64 + t], *std::max_element(warp, warp + 32));
    EXPECT_EQ(y[128 + t], std::accumulate(x.begin(), x.end(), 0.f));
    EXPECT_EQ(y[192 + t], *std::max_element(x.begin(), x.end()));
  }
}

TEST_P(Primitives, SharedMemoryCarriesValuesAcrossABarrier) {
  const auto x = integers({7, 64}).values<float>();
  for (const char* kernel : {"reversal", "reversal_dynamic"}) {
    const auto y = run(kernel, integers({7, 64}), {7, 64}).values<float>();
    for (int b = 0; b < 7; ++b)
      for (int t = 0; t < 64; ++t) EXPECT_EQ(y[b * 64 + t], x[b * 64 + 63 - t]) << kernel;
  }
}

TEST_P(Primitives, AtomicsLoseNoUpdate) {
  const auto y = run("atomics", integers({9, 64}), {6}, 0).values<float>();
  EXPECT_EQ(y[0], 9);
  EXPECT_EQ(std::bit_cast<int>(y[1]), 9 * 64);
  EXPECT_EQ(std::bit_cast<int>(y[2]), 9 * 64 - 1);
  EXPECT_EQ(std::bit_cast<unsigned>(y[4]), 0u);
  EXPECT_EQ(std::bit_cast<unsigned>(y[5]), 9 * 64 * 2u);
}

TEST_P(Primitives, TheBlockThatArrivesLastSeesWhatTheOthersWrote) {
  const Tensor x = integers({9, 64});
  const auto values = x.values<float>(), y = run("last_block", x, {11, 64}, 0).values<float>();
  for (int t = 0; t < 64; ++t) {
    float sum = 0;
    for (int b = 0; b < 9; ++b) sum += values[64 * b + t];
    EXPECT_EQ(y[9 * 64 + t], sum);
  }
  EXPECT_EQ(std::bit_cast<int>(y[10 * 64]), 9);
}

TEST_P(Primitives, AsynchronousCopiesArriveAtTheWaitAndFillWithZeros) {
  const auto x = integers({64, 4}).values<float>();
  const auto y = run("async_copies", integers({64, 4}), {64, 4}).values<float>();
  for (int t = 0; t < 64; ++t) {
    EXPECT_EQ(y[4 * t], x[4 * (63 - t)]);
    EXPECT_EQ(y[4 * t + 1], t < 32 ? x[4 * t] : 0);
    EXPECT_EQ(y[4 * t + 2], t < 32 ? x[4 * t + 3] : 0);
  }
}

TEST_P(Primitives, VectorsMoveAllTheirElements) {
  const auto x = integers({64, 4}).values<float>();
  const auto y = run("vectors", integers({64, 4}), {64, 4}).values<float>();
  for (int i = 0; i < 256; ++i) EXPECT_EQ(y[i], x[i] + 1);
}

TEST_P(Primitives, MmaMultipliesMatricesOfSmallIntegersExactly) {
  const Tensor x = integers({48, 32});
  const auto v = x.values<float>();
  const auto y = run("mma_bf16", x.to(DType::bf16), {32, 16}).values<float>();

  std::vector<float> turned(v.begin(), v.begin() + 32 * 32);  // b as (32,16)
  for (int k = 0; k < 32; ++k)
    for (int j = 0; j < 16; ++j) turned.push_back(v[(32 + j) * 32 + k]);
  const Tensor x_turned = Tensor::from<float>({48, 32}, turned);
  const auto y_trans = run("mma_bf16_trans", x_turned.to(DType::bf16), {32, 16}).values<float>();

  for (int i = 0; i < 32; ++i)
    for (int j = 0; j < 16; ++j) {
      float sum = 0;
      for (int k = 0; k < 32; ++k) sum += v[i * 32 + k] * v[(32 + j) * 32 + k];
      EXPECT_EQ(y[i * 16 + j], sum) << i << "," << j;
      EXPECT_EQ(y_trans[i * 16 + j], sum) << i << "," << j;
    }
}

TEST_P(Primitives, Tf32KeepsTenBitsOfMantissa) {
  auto v = integers({24, 8}).values<float>();
  for (float& e : v) e *= 1 + 0x1p-12f;  // rounds away
  const auto y = run("mma_tf32", Tensor::from<float>({24, 8}, v), {16, 8}).values<float>();
  const auto x = integers({24, 8}).values<float>();
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 8; ++j) {
      float sum = 0;
      for (int k = 0; k < 8; ++k) sum += x[i * 8 + k] * x[128 + j * 8 + k];
      EXPECT_EQ(y[i * 8 + j], sum) << i << "," << j;
    }
}

TEST_P(Primitives, IndicesCoverThreeDimensions) {
  const auto y = run("indices", Tensor::zeros({1}), {8, 8}).values<float>();
  for (int block = 0; block < 8; ++block)
    for (int t = 0; t < 8; ++t)
      EXPECT_EQ(y[block * 8 + t], 1000 * block + 100 * (t / 4) + 10 * (t / 2 % 2) + t % 2);
}

TEST_P(Primitives, AGridOfNoBlocksRunsNothing) {
  EXPECT_TRUE(std::isnan(run("nothing", Tensor::zeros({64}), {1}).item()));
}

TEST_P(Primitives, AddIsTheSumOfItsInputs) {
  const Device d = GetParam().device;
  for (int64_t count : {0, 1, 255, 257, 5000}) {
    const Tensor a = integers({count}, 1), b = integers({count}, 2);
    Tensor y = Tensor::empty({count}, DType::f32, d);
    add(a.to(d), b.to(d), y);
    const auto va = a.values<float>(), vb = b.values<float>(), vy = y.values<float>();
    for (size_t i = 0; i < vy.size(); ++i) ASSERT_EQ(vy[i], va[i] + vb[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(, Primitives, testing::ValuesIn(settings()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace cairn
