#include "kernels/warp/crop_images.h"

#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

template <class T>
void crop(const Tensor& x, const Tensor& sources, const Tensor& maps, Tensor& y) {
  const int64_t rows = y.dim(1), columns = y.dim(2);
  const int C = int(y.dim(3));
  parallel_for(y.dim(0) * rows, 8, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const CropSource& s = static_cast<const CropSource*>(sources.raw())[row / rows];
      const uint8_t* image = x.data<uint8_t>() + s.first();
      const T* a = maps.data<T>() + row / rows * 6;
      uint8_t* to = y.data<uint8_t>() + row * columns * C;
      for (int64_t column = 0; column < columns; ++column) {
        const T i = T(column), j = T(row % rows);
        const auto u = block_tap(a[0] * i + a[1] * j + a[2], s.width, s.block);
        const auto v = block_tap(a[3] * i + a[4] * j + a[5], s.height, s.block);
        for (int c = 0; c < C; ++c) *to++ = crop_value(image, s, u, v, c, C);
      }
    }
  });
}

}  // namespace

void crop_images(const Tensor& x, const Tensor& sources, const Tensor& maps, Tensor& y) {
  with_float(maps.dtype(), [&](auto type) { crop<decltype(type)>(x, sources, maps, y); });
}

}  // namespace cairn::cpu
