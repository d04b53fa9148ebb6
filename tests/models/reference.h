#pragma once
// Running networks made by others and comparing with their recorded outputs.
#include <gtest/gtest.h>

#include <cmath>

#include "layers/module.h"
#include "layers/weights.h"
#include "runtime/image.h"
#include "runtime/layout.h"
#include "tests/data_folder.h"

namespace cairn {

/// [1,H,W,C] in [0,1] from a file.
inline Tensor reference_image(const std::string& path, int channels, Device device) {
  const Tensor bytes = read_image(path, channels);
  Tensor image = bytes.to(DType::f32);
  for (int64_t i = 0; i < image.count(); ++i) image.data<float>()[i] /= 255.0f;
  return image.reshape({1, bytes.dim(0), bytes.dim(1), channels}).to(device);
}

/// The largest difference between ours [1,H,W,C] (or [1,H,W]) and a recorded [C,H,W] (or [H,W]).
inline double largest_difference(const Tensor& ours, const Tensor& recorded) {
  const Tensor got = ours.rank() == 4 ? channels_first(ours) : ours.to(Device::cpu);
  EXPECT_EQ(got.count(), recorded.count());
  if (got.count() != recorded.count()) return INFINITY;
  double worst = 0;
  for (int64_t i = 0; i < got.count(); ++i) {
    const double error = std::abs(double(got.data<float>()[i]) - recorded.data<float>()[i]);
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

/// Every device of this build that needs no GPU, and the GPU if there is one.
class OnEachDevice : public ::testing::TestWithParam<Device> {};

inline std::string device_name(const ::testing::TestParamInfo<Device>& info) {
  return name(info.param);
}

}  // namespace cairn
