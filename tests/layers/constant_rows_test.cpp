#include "layers/constant_rows.h"

#include <gtest/gtest.h>

#include "runtime/graph.h"

namespace cairn {
namespace {

using Numbers = std::vector<float>;

class ConstantRows : public testing::TestWithParam<Device> {
 protected:
  const Tensor like_ = Tensor::zeros({1}, DType::f32, GetParam());
};
INSTANTIATE_TEST_SUITE_P(Devices, ConstantRows, testing::ValuesIn(available_devices()),
                         [](const auto& info) { return name(info.param); });

TEST_P(ConstantRows, RepeatTheRowAndAreMadeOnce) {
  const Tensor t = constant_rows({3, 2}, {1, -2}, like_);
  EXPECT_EQ(t.device(), GetParam());
  EXPECT_EQ(t.values<float>(), (Numbers{1, -2, 1, -2, 1, -2}));
  EXPECT_EQ(constant_rows({3, 2}, {1, -2}, like_).raw(), t.raw());
  EXPECT_NE(constant_rows({3, 2}, {1, -3}, like_).raw(), t.raw());
  EXPECT_EQ(constant_rows({2}, {1, -2}, Tensor::zeros({1}, DType::f64, GetParam())).dtype(),
            DType::f64);
}

TEST_P(ConstantRows, AreHeldByTheGraphThatReadsThem) {
  if (!Graph::exists_on(GetParam())) GTEST_SKIP() << "no graphs";
  Tensor y = Tensor::zeros({2}, DType::f32, GetParam());
  constant_rows({2}, {4, 5}, like_);
  Graph graph(GetParam(), [&] { y.copy_from(constant_rows({2}, {4, 5}, like_)); });
  for (int i = 0; i < 600; ++i)
    constant_rows({2}, {double(i), 0.5}, like_);  // others take its place
  graph.replay();
  EXPECT_EQ(y.values<float>(), (Numbers{4, 5}));
}

}  // namespace
}  // namespace cairn
