#include "training/image_warp.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace cairn {
namespace {

// Calls f(x, y, u, v) for each output pixel with its place in the input; places on or behind the
// horizon are far outside.
template <class F>
void for_each_pixel(int height, int width, const Matrix3& h, F f) {
  for (int y = 0; y < height; ++y) {
    const double u0 = h(0, 1) * y + h(0, 2), v0 = h(1, 1) * y + h(1, 2), w0 = h(2, 1) * y + h(2, 2);
    for (int x = 0; x < width; ++x) {
      const double w = w0 + h(2, 0) * x;
      const double scale = w > 1e-8 ? 1 / w : 0;
      const double u = (u0 + h(0, 0) * x) * scale, v = (v0 + h(1, 0) * x) * scale;
      f(x, y, w > 1e-8 ? u : -1e6, v);
    }
  }
}

}  // namespace

Tensor warp_bilinear(const Tensor& image, const Matrix3& output_to_input) {
  const int height = int(image.dim(0)), width = int(image.dim(1));
  // A frame of zeros stands for everything outside.
  const int stride = width + 2;
  std::vector<float> framed(size_t(height + 2) * stride, 0.f);
  for (int y = 0; y < height; ++y)
    std::memcpy(&framed[(y + 1) * stride + 1], image.data<float>() + int64_t{y} * width,
                size_t(width) * sizeof(float));
  Tensor out = image.empty_like();
  float* to = out.data<float>();
  for_each_pixel(height, width, output_to_input, [&](int x, int y, double u, double v) {
    float& value = to[int64_t{y} * width + x];
    value = 0;
    if (!(u > -1 && u < width && v > -1 && v < height)) return;
    const int i = int(v + 1), j = int(u + 1);  // floor, in the frame
    const float fx = float(u + 1 - j), fy = float(v + 1 - i);
    const float* p = &framed[i * stride + j];
    const float upper = p[0] + fx * (p[1] - p[0]);
    const float lower = p[stride] + fx * (p[stride + 1] - p[stride]);
    value = upper + fy * (lower - upper);
  });
  return out;
}

Tensor seen_pixels(int height, int width, const Matrix3& output_to_input) {
  Tensor mask = Tensor::empty({height, width}, DType::u8);
  uint8_t* to = mask.data<uint8_t>();
  for_each_pixel(height, width, output_to_input, [&](int x, int y, double u, double v) {
    to[int64_t{y} * width + x] = u >= -0.5 && u < width - 0.5 && v >= -0.5 && v < height - 0.5;
  });
  return mask;
}

Tensor eroded(const Tensor& mask, int margin) {
  const int height = int(mask.dim(0)), width = int(mask.dim(1)), side = 2 * margin;
  const int stride = width + side;
  std::vector<uint8_t> framed(size_t(height + side) * stride, 1);
  for (int y = 0; y < height; ++y)
    std::memcpy(&framed[(y + margin) * stride + margin], mask.data<uint8_t>() + int64_t{y} * width,
                size_t(width));
  Tensor out = mask.clone();
  for (int dy = -margin; dy < margin; ++dy) {
    const int reach = int(std::lround(std::sqrt(double(margin * margin - dy * dy))));
    for (int dx = -reach; dx <= std::min(reach, margin - 1); ++dx)
      for (int y = 0; y < height; ++y) {
        uint8_t* to = out.data<uint8_t>() + int64_t{y} * width;
        const uint8_t* from = &framed[(y + margin + dy) * stride + margin + dx];
        for (int x = 0; x < width; ++x) to[x] &= from[x];
      }
  }
  return out;
}

Tensor whole_cells(const Tensor& mask, int cell) {
  const int rows = int(mask.dim(0)) / cell, columns = int(mask.dim(1)) / cell;
  Tensor out = Tensor::full({rows, columns}, 1, DType::u8);
  const uint8_t* from = mask.data<uint8_t>();
  uint8_t* to = out.data<uint8_t>();
  for (int y = 0; y < rows * cell; ++y)
    for (int x = 0; x < columns * cell; ++x)
      to[y / cell * columns + x / cell] &= from[int64_t{y} * mask.dim(1) + x];
  return out;
}

}  // namespace cairn
