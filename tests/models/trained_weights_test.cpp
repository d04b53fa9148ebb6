// The trained networks of weights/ find the same points on every device.
#include <algorithm>
#include <cmath>

#include "models/detector.h"
#include "models/model_file.h"
#include "tests/models/reference.h"
#include "tests/source_path.h"
#include "training/synthetic_shapes.h"

namespace cairn {
namespace {

class TrainedWeights : public OnEachDevice {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TrainedWeights);

std::vector<Device> beside_the_cpu() {
  std::vector<Device> devices = available_devices();
  std::erase(devices, Device::cpu);
  return devices;
}
INSTANTIATE_TEST_SUITE_P(Devices, TrainedWeights, ::testing::ValuesIn(beside_the_cpu()),
                         device_name);

// [1,height,width,1]: the middle of a drawn checkerboard; on an emulated device little of it.
Tensor checkerboard(Device device, uint64_t seed) {
  const bool emulated = device == Device::simt;
  const Tensor drawn = synthetic_shape({}, Primitive::checkerboard, 1, int64_t(seed)).image;
  const int64_t height = emulated ? 64 : 120, width = emulated ? 80 : 160;
  const int64_t top = (120 - height) / 2, left = (160 - width) / 2;
  Tensor image = Tensor::empty({1, height, width, 1});
  for (int64_t i = 0; i < image.count(); ++i)
    image.data<float>()[i] =
        float(drawn.data<uint8_t>()[(top + i / width) * 160 + left + i % width]) / 255;
  return image;
}

// The second time, a GPU repeats what it captured.
void expect_the_same_points(const std::string& file, Device device) {
  const LoadedModel own = load_model(source_path(file), "", device),
                    cpu = load_model(source_path(file), "", Device::cpu);
  Detector detector(*own.model, {}, {device, DType::f32});
  size_t points = 0;
  for (uint64_t seed : {1, 2, 3}) {
    if (device == Device::simt && seed > 2) break;
    const Tensor image = checkerboard(device, seed);
    const Keypoints found = detector.detect(image).at(0), want = cpu.model->detect(image, {}).at(0);
    ASSERT_EQ(found.points.size(), want.points.size()) << file << ", image " << seed;
    for (size_t i = 0; i < want.points.size(); ++i) {
      // Scores that agree to the last digit but one may change places.
      size_t j = 0;
      const auto distance = [&](size_t k) {
        return std::hypot(found.points[k][0] - want.points[i][0],
                          found.points[k][1] - want.points[i][1]);
      };
      for (size_t k = 1; k < found.points.size(); ++k)
        if (distance(k) < distance(j)) j = k;
      EXPECT_LT(distance(j), 0.01) << file << ", point " << i;
      EXPECT_NEAR(found.scores[j], want.scores[i], 1e-4);
      double cosine = 0;
      for (int c = 0; c < want.descriptor_size; ++c)
        cosine += double(found.descriptors[j * size_t(want.descriptor_size) + size_t(c)]) *
                  want.descriptors[i * size_t(want.descriptor_size) + size_t(c)];
      if (want.descriptor_size) EXPECT_GT(cosine, 0.9999);
    }
    points += want.points.size();
  }
  EXPECT_GE(points, 8u) << file;
}

TEST_P(TrainedWeights, OfMagicPointFindWhatTheyDoOnTheCpu) {
  expect_the_same_points("weights/magicpoint.safetensors", GetParam());
}

TEST_P(TrainedWeights, OfSuperPointFindWhatTheyDoOnTheCpu) {
  expect_the_same_points("weights/superpoint.safetensors", GetParam());
}

}  // namespace
}  // namespace cairn
