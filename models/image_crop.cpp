#include "models/image_crop.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/warp/warp_image.h"
#include "runtime/error.h"

namespace cairn {
namespace {

// Blocks first .. last of k x k pixels each along one axis; block b covers the pixels from b k on.
struct Blocks {
  int64_t first, last;
  int64_t count() const { return std::max<int64_t>(last - first + 1, 0); }
};

// Those that bilinear interpolation reads for positions low .. high, among the image's own.
Blocks blocks_seen(double low, double high, int64_t k, int64_t extent) {
  const int64_t last_block = (extent - 1) / k;
  const auto end = double(last_block);
  const double first = std::floor(low / double(k)) - 1, last = std::floor(high / double(k)) + 1;
  return {int64_t(std::clamp(first, 0.0, end + 1)), int64_t(std::clamp(last, -1.0, end))};
}

// The mean of each block; what a block has beyond the image counts as 0.
Tensor block_means(const Tensor& image, const Blocks& rows, const Blocks& columns, int64_t k) {
  const int64_t H = image.dim(0), W = image.dim(1), C = image.dim(2);
  Tensor means = Tensor::empty({rows.count(), columns.count(), C}, DType::u8);
  uint8_t* to = means.data<uint8_t>();
  std::vector<uint64_t> sums(size_t(columns.count() * C));
  const uint64_t area = uint64_t(k * k);
  for (int64_t row = rows.first; row <= rows.last; ++row) {
    std::fill(sums.begin(), sums.end(), area / 2);  // rounds
    for (int64_t y = row * k; y < std::min((row + 1) * k, H); ++y)
      for (int64_t column = columns.first; column <= columns.last; ++column) {
        const uint8_t* from = image.data<uint8_t>() + (y * W + column * k) * C;
        uint64_t* sum = &sums[size_t((column - columns.first) * C)];
        for (int64_t x = std::min(k, W - column * k); x > 0; --x, from += C)
          for (int64_t c = 0; c < C; ++c) sum[c] += from[c];
      }
    for (uint64_t sum : sums) *to++ = uint8_t(sum / area);
  }
  return means;
}

}  // namespace

Tensor crop_image(const Tensor& image, const Matrix3& to_crop, int64_t height, int64_t width) {
  if (image.rank() != 3 || image.dtype() != DType::u8)
    throw Error("crop_image", text("an image ", image), "u8 [height, width, channels]",
                "read images with read_image()");
  const int64_t C = image.dim(2);
  Matrix3 to_source = inverse(to_crop);
  Tensor source = image;
  if (const int64_t k = crop_block(to_source); k >= 2) {
    Bounds seen;
    for (const Point corner :
         {Point{0, 0}, Point{double(width - 1), 0}, Point{0, double(height - 1)},
          Point{double(width - 1), double(height - 1)}})
      seen.add(apply(to_source, corner));
    const Blocks rows = blocks_seen(seen.top, seen.bottom, k, image.dim(0));
    const Blocks columns = blocks_seen(seen.left, seen.right, k, image.dim(1));
    source = block_means(image, rows, columns, k);
    to_source = translation(-double(columns.first), -double(rows.first)) *
                resizing(1 / double(k), 1 / double(k)) * to_source;
  }
  Tensor crop = Tensor::zeros({1, height, width, C}, DType::u8);
  if (source.count() > 0) {
    Tensor matrix = Tensor::empty({1, 3, 3}, DType::f64);
    std::copy(to_source.m.begin(), to_source.m.end(), matrix.data<double>());
    warp_image(source.reshape({1, source.dim(0), source.dim(1), C}), matrix, {}, crop);
  }
  return crop.reshape({height, width, C});
}

int64_t crop_block(const Matrix3& to_image) {
  return std::max<int64_t>(1, int64_t(scale_of(to_image)));
}

CropFrame frame_of(const Tensor& image, int64_t height, int64_t width) {
  return frame_of(Box{-0.5, -0.5, double(image.dim(1)), double(image.dim(0))}, 1, height, width);
}

}  // namespace cairn
