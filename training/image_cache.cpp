#include "training/image_cache.h"

#include <algorithm>

namespace cairn {

ImageCache::ImageCache(const std::vector<Tensor>& images, int64_t channels, Device device,
                       const Shape& guests)
    : channels_(channels), count_(int64_t(images.size())) {
  int64_t bytes = 0;
  const auto place = [&](int64_t height, int64_t width) {
    images_.push_back({{int32_t(bytes), int32_t(bytes >> 32)}, int32_t(height), int32_t(width), 1});
    bytes += height * width * channels;
  };
  for (const Tensor& image : images) {
    if (image.defined())
      place(image.dim(0), image.dim(1));
    else
      images_.emplace_back();
  }
  const int64_t kept = bytes;
  for (int64_t n = 0; n < guests[0]; ++n) place(guests[1], guests[2]);
  pixels_ = Tensor::empty({bytes}, DType::u8, device);
  guests_ = pixels_.part(kept, guests);
  for (size_t i = 0; i < images.size(); ++i)
    if (const Tensor& image = images[i]; image.defined())
      pixels_.part(images_[i].first(), {image.count()}).copy_from(image.reshape({image.count()}));
}

void ImageCache::take_in(const Tensor& guests) { guests_.copy_from(guests); }

void ImageCache::make_room(Batch& batch, int64_t crops) {
  batch["sources"] = Tensor::empty({crops, crop_integers}, DType::i32);
  batch["maps"] = Tensor::empty({crops, 3, 3});
}

void ImageCache::put_crop(Batch& batch, int64_t row, int64_t index, const Matrix3& to_image,
                          int64_t block) const {
  CropSource& s = static_cast<CropSource*>(batch.at("sources").raw())[row];
  s = images_.at(size_t(index));
  s.block = int32_t(block);
  const Matrix3 to_block = resizing(1 / double(block), 1 / double(block)) * to_image;
  std::copy(to_block.m.begin(), to_block.m.end(), batch.at("maps").data<float>() + 9 * row);
}

Tensor ImageCache::crops(const Batch& batch, int64_t height, int64_t width) const {
  const Tensor& sources = batch.at("sources");
  Tensor y = Tensor::empty({sources.dim(0), height, width, channels_}, DType::u8, sources.device());
  crop_images(pixels_, sources, batch.at("maps"), y);
  return y;
}

}  // namespace cairn
