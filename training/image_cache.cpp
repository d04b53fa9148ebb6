#include "training/image_cache.h"

#include <algorithm>

#include "models/image_crop.h"

namespace cairn {

ImageCache::ImageCache(const std::vector<Tensor>& images, int64_t channels, Device device)
    : channels_(channels) {
  int64_t bytes = 0;
  for (const Tensor& image : images) {
    CropSource& s = images_.emplace_back();
    if (!image.defined()) continue;
    s = {{int32_t(bytes), int32_t(bytes >> 32)}, int32_t(image.dim(0)), int32_t(image.dim(1)), 1};
    bytes += image.count();
  }
  pixels_ = Tensor::empty({bytes}, DType::u8, device);
  for (size_t i = 0; i < images.size(); ++i)
    if (const Tensor& image = images[i]; image.defined())
      pixels_.part(images_[i].first(), {image.count()}).copy_from(image.reshape({image.count()}));
}

CropSource ImageCache::source(int64_t index, const Matrix3& to_crop, float* map) const {
  const Matrix3 to_image = inverse(to_crop);
  CropSource s = images_.at(size_t(index));
  s.block = int32_t(crop_block(to_image));
  const Matrix3 to_block = resizing(1 / double(s.block), 1 / double(s.block)) * to_image;
  std::copy_n(to_block.m.begin(), 6, map);  // affine: the last row is 0 0 1
  return s;
}

}  // namespace cairn
