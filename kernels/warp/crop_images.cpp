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
      const T* map = maps.data<T>() + row / rows * 9;
      uint8_t* to = y.data<uint8_t>() + row * columns * C;
      for (int64_t column = 0; column < columns; ++column) {
        const CropPixel<T> p(x.data<uint8_t>(), s, map, T(column), T(row % rows));
        for (int c = 0; c < C; ++c) *to++ = p.value(c, C);
      }
    }
  });
}

}  // namespace

void crop_images(const Tensor& x, const Tensor& sources, const Tensor& maps, Tensor& y) {
  with_float(maps.dtype(), [&](auto type) { crop<decltype(type)>(x, sources, maps, y); });
}

}  // namespace cairn::cpu
