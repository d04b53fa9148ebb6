#include "training/image_warp.h"

#include <algorithm>
#include <vector>

#include "geometry/seen_rows.h"
#include "kernels/warp/warp_image.h"

namespace cairn {

Tensor warped(const Tensor& input, const Matrix3& output_to_input, int64_t height, int64_t width) {
  const int64_t channels = input.dim(2);
  Tensor matrix = Tensor::empty({1, 3, 3}, DType::f64);
  std::copy(output_to_input.m.begin(), output_to_input.m.end(), matrix.data<double>());
  Tensor image = Tensor::empty({1, height, width, channels}, input.dtype());
  warp_image(input.reshape({1, input.dim(0), input.dim(1), channels}), matrix, {}, image);
  return image.reshape({height, width, channels});
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
