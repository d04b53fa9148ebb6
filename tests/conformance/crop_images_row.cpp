// crop_images: crops of images of any sizes.
#include "kernels/warp/crop_images.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

struct Size {
  int64_t height, width;
};

// The means of an image's blocks, row by row.
std::vector<int64_t> means_of(const uint8_t* image, const Size& size, int64_t C, int64_t k,
                              const Size& blocks) {
  std::vector<int64_t> sums(size_t(blocks.height * blocks.width * C), k * k / 2);
  for (int64_t i = 0; i < size.height * size.width * C; ++i) {
    const int64_t y = i / C / size.width, x = i / C % size.width;
    sums[size_t((y / k * blocks.width + x / k) * C + i % C)] += image[i];
  }
  for (int64_t& sum : sums) sum /= k * k;
  return sums;
}

Tensor formula(const Tensor& x, const Tensor& sources, const Tensor& maps, const Shape& shape) {
  Tensor y = Tensor::empty(shape, DType::u8);
  const int64_t C = shape[3];
  for (int64_t n = 0; n < shape[0]; ++n) {
    const int32_t* s = sources.data<int32_t>() + 5 * n;
    const Size size{s[2], s[3]}, blocks{(s[2] + s[4] - 1) / s[4], (s[3] + s[4] - 1) / s[4]};
    const auto means = means_of(x.data<uint8_t>() + s[0], size, C, s[4], blocks);
    const double* m = in(maps) + 9 * n;
    for (int64_t i = 0; i < shape[1] * shape[2] * C; ++i) {
      const double column = double(i / C % shape[2]), row = double(i / C / shape[2]);
      const double w = m[6] * column + m[7] * row + m[8];
      const double px = (m[0] * column + m[1] * row + m[2]) / w,
                   py = (m[3] * column + m[4] * row + m[5]) / w;
      double value = 0;
      for (int64_t v = 0; std::abs(w) >= 1e-6 && v < blocks.height; ++v)
        for (int64_t u = 0; u < blocks.width; ++u)
          value += std::max(0.0, 1 - std::abs(px - double(u))) *
                   std::max(0.0, 1 - std::abs(py - double(v))) *
                   double(means[size_t((v * blocks.width + u) * C + i % C)]);
      y.data<uint8_t>()[n * shape[1] * shape[2] * C + i] = uint8_t(std::floor(value + 0.5));
    }
  }
  return y;
}

// The last row of an affine map, and of those whose w is a power of two, or 0, in two columns.
constexpr double affine[3] = {0, 0, 1};
constexpr double perspective[][3] = {{0, 0, 2}, {1, 0, 1}, {1, 0, -1}};

// Crop n shows image n % images, in blocks of n % 3 + 1 pixels; maps in quarters are exact.
Case crop_case(const Shape& crops, const std::vector<Size>& images, bool homographies = false) {
  const int64_t N = crops[0], C = crops[3];
  std::vector<int64_t> first{0};
  for (const Size& s : images) first.push_back(first.back() + s.height * s.width * C);
  Tensor sources = Tensor::empty({N, 5}, DType::i32), maps = whole({N, 3, 3}, 1, -4, 4);
  for (int64_t n = 0; n < N; ++n) {
    const size_t image = size_t(n) % images.size();
    const int64_t row[] = {first[image], 0, images[image].height, images[image].width, n % 3 + 1};
    for (int i = 0; i < 5; ++i) sources.data<int32_t>()[5 * n + i] = int32_t(row[i]);
    double* m = maps.data<double>() + 9 * n;
    for (int i = 0; i < 6; ++i) m[i] = m[i] / 4 + (i == 0 || i == 4 ? 0.5 : 0);
    std::copy_n(homographies ? perspective[n % 3] : affine, 3, m + 6);
  }
  Case c;
  c.label =
      text("crops=", crops, " of ", images.size(), " images", homographies ? ", homographies" : "");
  c.inputs = {indices({first.back()}, 2, 0, 255).to(DType::u8), sources, maps};
  c.formula = [=](const Tensors& t) { return Tensors{formula(t[0], t[1], t[2], crops)}; };
  c.forward = [=](const Tensors& t) {
    Tensor y = Tensor::empty(crops, DType::u8, t[0].device());
    crop_images(t[0], t[1], t[2], y);
    return Tensors{y};
  };
  return c;
}

const bool added = add_row({"crop_images",
                            {crop_case({1, 1, 1, 1}, {{1, 1}}), crop_case({0, 4, 5, 3}, {{3, 3}}),
                             crop_case({7, 9, 13, 3}, {{20, 31}, {5, 4}}),
                             crop_case({6, 16, 11, 1}, {{17, 23}, {33, 8}, {2, 40}}),
                             crop_case({6, 7, 2, 2}, {{9, 11}, {6, 14}}, true)},
                            Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
