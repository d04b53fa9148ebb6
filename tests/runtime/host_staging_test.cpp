#include "runtime/host_staging.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

class Staging : public testing::TestWithParam<Device> {};
INSTANTIATE_TEST_SUITE_P(Devices, Staging, testing::ValuesIn(available_devices()),
                         [](const auto& info) { return name(info.param); });

TEST_P(Staging, CopiesWhatTheTensorsHeldWhenItWasCalled) {
  HostStaging staging;
  std::vector<Tensor> images, labels;
  Tensor image = Tensor::empty({2, 3}), label = Tensor::empty({5}, DType::u8);
  for (int i = 0; i < 5; ++i) {  // more often than there are buffers
    images.push_back(Tensor::zeros({2, 3}, DType::f32, GetParam()));
    labels.push_back(Tensor::zeros({5}, DType::u8, GetParam()));
    image.fill(i);
    label.fill(10 + i);
    staging.copy({{image, images.back()}, {label, labels.back()}});
    image.fill(-1);
    label.fill(0);
  }
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(images[size_t(i)].values<float>(), std::vector<float>(6, float(i)));
    EXPECT_EQ(labels[size_t(i)].values<uint8_t>(), std::vector<uint8_t>(5, uint8_t(10 + i)));
  }
}

TEST_P(Staging, CopiesWhatLiesOnTheDeviceAlready) {
  HostStaging staging;
  const Tensor from = Tensor::full({4}, 3, DType::f32, GetParam());
  Tensor to = Tensor::zeros({4}, DType::f32, GetParam());
  staging.copy({{from, to}});
  EXPECT_EQ(to.values<float>(), std::vector<float>(4, 3));
}

TEST_P(Staging, ReadsSeveralTensorsAtOnceAndAgainWhateverTheirShapes) {
  HostReading reading;
  for (int n = 1; n < 4; ++n) {
    const Tensor scores = Tensor::full({n, 3}, n, DType::f32, GetParam()),
                 counts = Tensor::full({2}, 10 + n / 3, DType::i32, GetParam());
    const std::vector<Tensor>& read = reading.read({scores, counts});
    ASSERT_EQ(read.size(), 2u);
    EXPECT_EQ(read[0].device(), Device::cpu);
    EXPECT_EQ(read[0].values<float>(), std::vector<float>(size_t(3 * n), float(n)));
    EXPECT_EQ(read[1].values<int32_t>(), std::vector<int32_t>(2, 10 + n / 3));
  }
}

}  // namespace
}  // namespace cairn
