#pragma once
// crop_images: crops of images of any sizes, each through an affine map or a homography.
//
//   x        [B] u8: images [H,W,C], each somewhere in it
//   sources  [N,5] i32: a CropSource for each crop
//   maps     [N,3,3]; f32 (f64 on cpu): from pixels of the crop to blocks of its image
//   y        [N,h,w,C] u8
//
// An image is seen as the means of its blocks of k x k pixels (of its pixels where k = 1), so that
// nothing is passed over where a crop shrinks: floor((sum + floor(k^2 / 2)) / k^2), what a block
// has beyond the image counting as 0. Block b covers the pixels from b k on.
//
//   (X, Y, w) = M (column, row, 1),  p = (X/w, Y/w),  y = floor(means at p + 1/2), bilinear, 0
//   outside and where |w| < 1e-6
//
// No gradient: images are data.
#include "kernels/dispatch.h"
#include "kernels/warp/projected.h"

namespace cairn {

struct CropSource {
  int32_t offset[2] = {};  ///< of the image in x: low and high word
  int32_t height = 0, width = 0;
  int32_t block = 1;  ///< k

  CAIRN_HD int64_t first() const {
    return int64_t(uint64_t(uint32_t(offset[0])) | uint64_t(uint32_t(offset[1])) << 32);
  }
};

inline constexpr int64_t crop_integers = sizeof(CropSource) / sizeof(int32_t);

/// Channel c of the mean of block (row, column) of an image at `image`.
CAIRN_HD inline int block_mean(const uint8_t* image, const CropSource& s, int64_t row,
                               int64_t column, int c, int C) {
  const int k = s.block;
  int sum = k * k / 2;
  for (int64_t y = row * k; y < (row + 1) * k && y < s.height; ++y)
    for (int64_t x = column * k; x < (column + 1) * k && x < s.width; ++x)
      sum += image[(y * s.width + x) * C + c];
  return sum / (k * k);
}

/// One pixel of a crop: where it lies in its image, and what is there.
template <class T>
struct CropPixel {
  const uint8_t* image;
  const CropSource& source;
  AxisTap<T> u, v;

  CAIRN_HD CropPixel(const uint8_t* x, const CropSource& s, const T* map, T column, T row)
      : image(x + s.first()), source(s) {
    const Projected<T> p(map, column, row);
    u = tap(p.defined ? p.x : T(-1), s.width);
    v = tap(p.y, s.height);
  }
  CAIRN_HD uint8_t value(int c, int C) const {
    T sum = T(0.5);
    for (int i = 0; i < 2; ++i)
      for (int j = 0; j < 2; ++j)
        if (const T weight = v.weight[i] * u.weight[j]; weight != 0)
          sum += weight * T(block_mean(image, source, v.at[i], u.at[j], c, C));
    return uint8_t(sum);
  }

 private:
  CAIRN_HD AxisTap<T> tap(T p, int64_t pixels) const {
    return axis_tap(p, (pixels + source.block - 1) / source.block, Padding::zeros);
  }
};

CAIRN_ON_EACH_DEVICE(void crop_images(const Tensor& x, const Tensor& sources, const Tensor& maps,
                                      Tensor& y);)

inline void crop_images(const Tensor& x, const Tensor& sources, const Tensor& maps, Tensor& y) {
  CAIRN_DISPATCH(y.device(), crop_images, x, sources, maps, y);
}

}  // namespace cairn
