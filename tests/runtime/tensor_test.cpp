#include "runtime/tensor.h"

#include <gtest/gtest.h>

#include "layers/tape.h"
#include "runtime/error.h"
#include "runtime/memory.h"

namespace cairn {
namespace {

TEST(Tensor, ViewsShareMemoryAndClonesDoNot) {
  Tensor t = Tensor::from<float>({2, 3}, {0, 1, 2, 3, 4, 5});
  Tensor row = t.rows(1, 2);
  row.data<float>()[0] = 9;
  EXPECT_EQ(t.data<float>()[3], 9);
  EXPECT_EQ(t.reshape({6}).part(3, {1, 3}).data<float>()[0], 9);
  Tensor copy = t.clone();
  copy.data<float>()[0] = 7;
  EXPECT_EQ(t.data<float>()[0], 0);
}

TEST(Tensor, AWrongTypeIsNamedOnBothSides) {
  Tensor t = Tensor::zeros({2});
  try {
    t.data<double>();
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.wrong.find("f32"), std::string::npos);
    EXPECT_NE(e.expected.find("f64"), std::string::npos);
  }
}

TEST(Tensor, AFillWritesItsValueInEveryTypeOnEveryDevice) {
  for (const Device device : available_devices())
    for (const DType type : {DType::f32, DType::f64, DType::bf16, DType::i32, DType::u8})
      for (const double value : {0, 3}) {
        const Tensor t = Tensor::full({5}, value, type, device);
        EXPECT_EQ(t.to(DType::f64).values<double>(), std::vector<double>(5, value)) << t;
        EXPECT_EQ(Tensor::full({0}, value, type, device).count(), 0);
      }
}

TEST(Memory, CountsExactlyAndReusesBlocks) {
  Memory& pool = memory(Device::cpu);
  const size_t before = pool.use().in_use;
  void* first;
  {
    Tensor t = Tensor::empty({1024});
    first = t.raw();
    EXPECT_EQ(pool.use().in_use, before + 4096);
  }
  EXPECT_EQ(pool.use().in_use, before);
  Tensor again = Tensor::empty({1024});
  EXPECT_EQ(again.raw(), first);
}

TEST(Memory, ASmallerMapLiesWhereALargerOneWasAndCountsAsWhatItIs) {
  Memory& pool = memory(Device::cpu);
  pool.release_cached();
  const MemoryUse before = pool.use();
  constexpr int64_t mib = 1 << 20;
  { const Tensor large = Tensor::empty({16 * mib}, DType::u8); }
  {
    const Tensor small = Tensor::empty({4 * mib}, DType::u8);
    EXPECT_EQ(pool.use().in_use, before.in_use + 4 * mib);
    EXPECT_EQ(pool.use().cached, 12 * mib);
    const Tensor tiny = Tensor::empty({mib}, DType::u8);
    EXPECT_EQ(pool.use().in_use, before.in_use + 5 * mib);
  }
  EXPECT_EQ(pool.use().in_use, before.in_use);
  EXPECT_EQ(pool.use().cached, 17 * mib);
  pool.release_cached();
  EXPECT_EQ(pool.use().cached, 0u);
}

TEST(Memory, RefusalSaysHowMuchWhoAndWhatIsInUse) {
  Memory& pool = memory(Device::cpu);
  pool.set_limit(pool.use().in_use + (size_t{1} << 20));
  const OpScope op("conv2d");
  try {
    Tensor::empty({1 << 20});
    ADD_FAILURE() << "the limit did not hold";
  } catch (const Error& e) {
    EXPECT_EQ(e.where, "conv2d");
    EXPECT_NE(e.wrong.find("4 MiB asked for"), std::string::npos) << e.what();
  }
  pool.set_limit(0);
}

TEST(Tape, AddsTheGradientsOfSeveralUses) {
  Tape tape;
  const Var x = tape.leaf(Tensor::from<float>({2}, {1, 2}));
  const auto twice = [&](const Var& a) {
    return tape.record("copy", {a}, a.value().clone(),
                       [](const Tensor& dy, Grads& grads) { grads.give(0, dy); });
  };
  const Var y = twice(x), z = twice(x);
  const Var s = tape.record("pair", {y, z, y}, y.value().clone(), [](const Tensor& dy, Grads& g) {
    for (int i = 0; i < 3; ++i) g.want(i)->copy_from(dy);
  });
  tape.backward(s, Tensor::from<float>({2}, {1, 10}));
  EXPECT_EQ(x.grad().values<float>(), (std::vector<float>{3, 30}));
}

}  // namespace
}  // namespace cairn
