#pragma once
// Photographs as bytes on the device that learns from them, which crops them itself.
#include <vector>

#include "geometry/homography.h"
#include "kernels/warp/crop_images.h"

namespace cairn {

class ImageCache {
 public:
  /// u8 [H,W,channels] of any sizes; undefined ones take no room.
  ImageCache(const std::vector<Tensor>& images, int64_t channels, Device device);

  int64_t channels() const { return channels_; }

  const Tensor& pixels() const { return pixels_; }  ///< u8 [bytes], one image after another
  /// A row of crop_images(): image `index` seen through a map from its pixels to those of the crop,
  /// by the rule of crop_image(). `map` has six elements.
  CropSource source(int64_t index, const Matrix3& to_crop, float* map) const;

 private:
  const int64_t channels_;
  std::vector<CropSource> images_;  // in blocks of one pixel
  Tensor pixels_;
};

}  // namespace cairn
