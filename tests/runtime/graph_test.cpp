#include "runtime/graph.h"

#include <gtest/gtest.h>

#include "kernels/elementwise/add.h"
#include "kernels/elementwise/scale.h"
#include "runtime/error.h"
#include "runtime/memory.h"
#include "tests/caught.h"

namespace cairn {
namespace {

std::vector<Device> devices() {
  std::vector<Device> found;
  for (Device d : available_devices())
    if (Graph::exists_on(d)) found.push_back(d);
  return found;
}

class GraphOf : public testing::TestWithParam<Device> {
 protected:
  Tensor of(std::vector<float> values) const {
    return Tensor::from<float>({int64_t(values.size())}, values, GetParam());
  }
  const Tensor x_ = of({1, 2, 3});
  Tensor y_ = of({0, 0, 0});
};

using Numbers = std::vector<float>;

TEST_P(GraphOf, NothingRunsBeforeTheReplayAndEveryReplayReadsTheValuesOfItsTime) {
  Graph graph(GetParam(), [&] { add(x_, x_, y_); });
  EXPECT_EQ(y_.values<float>(), (Numbers{0, 0, 0}));
  graph.replay();
  EXPECT_EQ(y_.values<float>(), (Numbers{2, 4, 6}));
  Tensor x = x_;
  x.copy_from(of({5, 6, 7}));
  graph.replay();
  EXPECT_EQ(y_.values<float>(), (Numbers{10, 12, 14}));
}

TEST_P(GraphOf, FillsAndCopiesOnTheDeviceAreCapturedInTheirOrder) {
  Tensor sum = of({0, 0, 0}), copy = of({0, 0, 0}), cleared = of({9, 9, 9});
  Graph graph(GetParam(), [&] {
    const Tensor inner = Tensor::full({3}, 0.75, DType::f32, GetParam());
    add(x_, inner, sum);
    copy.copy_from(sum);
    sum.fill(-2);
    cleared.zero();
  });
  EXPECT_EQ(copy.values<float>(), (Numbers{0, 0, 0}));
  EXPECT_EQ(cleared.values<float>(), (Numbers{9, 9, 9}));
  graph.replay();
  EXPECT_EQ(copy.values<float>(), (Numbers{1.75, 2.75, 3.75}));
  EXPECT_EQ(sum.values<float>(), (Numbers{-2, -2, -2}));
  EXPECT_EQ(cleared.values<float>(), (Numbers{0, 0, 0}));
}

TEST_P(GraphOf, KeepsItsMemoryForItselfAndGivesItBackAtTheEnd) {
  Memory& pool = memory(GetParam());
  const size_t before = pool.use().in_use;
  Tensor out;
  auto graph = std::make_unique<Graph>(GetParam(), [&] {
    const void* first = nullptr;
    for (int i = 0; i < 3; ++i) {  // each has the block of the one before
      Tensor part = x_.empty_like();
      if (i == 0) first = part.raw();
      EXPECT_EQ(part.raw(), first);
      scale(x_, i + 1, part);
      if (i == 2) out = part;
    }
  });
  const size_t held = pool.use().in_use;
  EXPECT_GT(held, before);
  std::vector<Tensor> others(8, x_);
  for (Tensor& other : others) other = Tensor::full({3}, 7, DType::f32, GetParam());
  graph->replay();
  EXPECT_EQ(out.values<float>(), (Numbers{3, 6, 9}));
  for (const Tensor& other : others) EXPECT_EQ(other.values<float>(), (Numbers{7, 7, 7}));
  others.clear();
  graph.reset();
  EXPECT_EQ(out.values<float>(), (Numbers{3, 6, 9}));  // a tensor outlives the graph it is of
  EXPECT_EQ(pool.use().in_use, held);
  out = Tensor();
  EXPECT_EQ(pool.use().in_use, before);
}

TEST_P(GraphOf, RefusesWhateverNeedsTheHostAndNamesTheOpBefore) {
  const std::string device = name(GetParam()), during = " while work on " + device + " is captured";
  const auto refused = [&](const std::function<void()>& f) {
    return caught([&] {
      Graph(GetParam(), [&] {
        add(x_, x_, y_);
        f();
      });
    });
  };
  const Error item = refused([&] { of({1}).item(); });
  EXPECT_EQ(item.where, "after add");
  EXPECT_EQ(item.wrong, "4 bytes are copied from cpu" + during);
  EXPECT_EQ(refused([&] { (void)y_.values<float>(); }).wrong,
            "12 bytes are copied to cpu" + during);
  EXPECT_EQ(refused([&] { (void)y_.to(DType::f64); }).wrong, "12 bytes are copied to cpu" + during);
  EXPECT_EQ(refused([&] { synchronize(GetParam()); }).wrong, "the host waits" + during);
  for (const Device d : devices())
    EXPECT_EQ(refused([&] { Graph(d, [] {}); }).wrong, "another capture begins" + during);
  Graph empty(GetParam(), [] {});
  EXPECT_EQ(refused([&] { empty.replay(); }).wrong, "a graph is replayed" + during);
  Tensor old = of({1, 2});
  EXPECT_EQ(refused([&] { old = Tensor(); }).wrong, "memory from before is given up" + during);

  add(x_, x_, y_);  // the device is whole again
  EXPECT_EQ(y_.values<float>(), (Numbers{2, 4, 6}));
}

TEST_P(GraphOf, PassesOnWhatTheCapturedFunctionThrows) {
  const auto f = [] { throw Error("f", "it failed", "success", "none"); };
  EXPECT_EQ(caught([&] { Graph(GetParam(), f); }).where, "f");
  add(x_, x_, y_);
  EXPECT_EQ(y_.values<float>(), (Numbers{2, 4, 6}));
}

INSTANTIATE_TEST_SUITE_P(Devices, GraphOf, testing::ValuesIn(devices()),
                         [](const auto& info) { return name(info.param); });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GraphOf);

TEST(Graph, IsRefusedOnCpu) {
  EXPECT_FALSE(Graph::exists_on(Device::cpu));
  const Error e = caught([] { Graph(Device::cpu, [] {}); });
  EXPECT_EQ(e.wrong, "work on cpu cannot be captured");
}

}  // namespace
}  // namespace cairn
