#include "training/image_warp.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "geometry/seen_rows.h"
#include "kernels/warp/warp_image.h"

namespace cairn {

WarpedImage warped(const Tensor& input, const Matrix3& output_to_input) {
  return warped(input, output_to_input, input.dim(0), input.dim(1));
}

WarpedImage warped(const Tensor& input, const Matrix3& output_to_input, int64_t height,
                   int64_t width) {
  const int64_t channels = input.dim(2);
  Tensor matrix = Tensor::empty({1, 3, 3}, DType::f64);
  std::copy(output_to_input.m.begin(), output_to_input.m.end(), matrix.data<double>());
  Tensor image = Tensor::empty({1, height, width, channels}, input.dtype());
  Tensor seen = Tensor::empty({1, height, width}, DType::u8);
  warp_image(input.reshape({1, input.dim(0), input.dim(1), channels}), matrix, {}, image, &seen);
  return {image.reshape({height, width, channels}), seen.reshape({height, width})};
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
    const int reach = int(element_reach(margin, dy));
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

Tensor seen_cells(const Matrix3& output_to_input, int height, int width, int margin, int cell) {
  const int rows = height / cell, columns = width / cell;
  Tensor out = Tensor::full({rows, columns}, 1, DType::u8);
  const std::vector<RowSpan> seen = seen_rows(output_to_input, height, width, margin);
  for (int y = 0; y < rows * cell; ++y)
    for (int x = 0; x < columns; ++x)
      out.data<uint8_t>()[y / cell * columns + x] &=
          seen[size_t(y)].begin <= x * cell && (x + 1) * cell <= seen[size_t(y)].end;
  return out;
}

}  // namespace cairn
