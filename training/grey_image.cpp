#include "training/grey_image.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace cairn {

Tensor grey_values(const Tensor& bytes) {
  Tensor out = Tensor::empty(bytes.shape());
  const uint8_t* from = bytes.data<uint8_t>();
  float* to = out.data<float>();
  for (int64_t i = 0; i < bytes.count(); ++i) to[i] = from[i];
  return out;
}

Tensor grey_bytes(const Tensor& unit) {
  Tensor out = Tensor::empty(unit.shape(), DType::u8);
  const float* from = unit.data<float>();
  uint8_t* to = out.data<uint8_t>();
  for (int64_t i = 0; i < unit.count(); ++i)
    to[i] = uint8_t(std::lround(255 * std::clamp(from[i], 0.0f, 1.0f)));
  return out;
}

namespace {

template <class T>
void repeat_each(const Tensor& from, Tensor& to) {
  const int64_t times = to.count() / from.count();
  for (int64_t i = 0; i < from.count(); ++i)
    std::fill_n(to.data<T>() + i * times, times, from.data<T>()[i]);
}

}  // namespace

Tensor with_channels(const Tensor& grey, int channels) {
  if (channels == 1) return grey;
  std::vector<int64_t> shape(grey.shape().begin(), grey.shape().end());
  shape.back() = channels;
  Tensor out = grey.empty_like(Shape(shape));
  if (grey.dtype() == DType::u8)
    repeat_each<uint8_t>(grey, out);
  else
    repeat_each<float>(grey, out);
  return out;
}

}  // namespace cairn
