#pragma once
// Which pixels of a warp see its input, pixel by pixel: what rows and cells are compared with.
#include <algorithm>
#include <cstring>
#include <vector>

#include "geometry/seen_rows.h"
#include "kernels/warp/warp_image.h"

namespace cairn {

/// u8 [height, width]: 1 where the nearest pixel of an input of the same size exists.
inline Tensor seen_pixels(const Matrix3& output_to_input, int64_t height, int64_t width) {
  Tensor matrix = Tensor::empty({1, 3, 3}, DType::f64);
  std::copy(output_to_input.m.begin(), output_to_input.m.end(), matrix.data<double>());
  Tensor image = Tensor::zeros({1, height, width, 1}), out = image.empty_like();
  Tensor seen = Tensor::empty({1, height, width}, DType::u8);
  warp_image(image, matrix, {}, out, &seen);
  return seen.reshape({height, width});
}

/// A pixel stays 1 if all pixels under an elliptic element of side 2 * margin, centred as OpenCV
/// does, are 1; the border of the image itself does not erode.
inline Tensor eroded(const Tensor& mask, int margin) {
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

}  // namespace cairn
