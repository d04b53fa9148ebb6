#include "training/grey_image.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/elementwise/concat.h"

namespace cairn {

Tensor grey_bytes(const Tensor& unit) {
  Tensor out = Tensor::empty(unit.shape(), DType::u8);
  const float* from = unit.data<float>();
  uint8_t* to = out.data<uint8_t>();
  for (int64_t i = 0; i < unit.count(); ++i)
    to[i] = uint8_t(std::lround(255 * std::clamp(from[i], 0.0f, 1.0f)));
  return out;
}

Tensor with_channels(const Tensor& grey, int channels) {
  if (channels == 1) return grey;
  std::vector<int64_t> shape(grey.shape().begin(), grey.shape().end());
  shape.back() = channels;
  Tensor out = grey.empty_like(Shape(shape));
  if (grey.dtype() != DType::u8) {
    concat(std::vector<Tensor>(size_t(channels), grey), 0, out);
    return out;
  }
  for (int64_t i = 0; i < grey.count(); ++i)
    std::fill_n(out.data<uint8_t>() + i * channels, channels, grey.data<uint8_t>()[i]);
  return out;
}

}  // namespace cairn
