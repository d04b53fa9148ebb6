#pragma once
// Photographs as bytes on the device that learns from them, which crops and warps them itself.
#include <vector>

#include "geometry/homography.h"
#include "kernels/warp/crop_images.h"
#include "models/model.h"

namespace cairn {

class ImageCache {
 public:
  /// u8 [H,W,channels] of any sizes; undefined ones take no room. `guests` [N,H,W,channels] is room
  /// for images that every batch brings with it; count 0: for none.
  ImageCache(const std::vector<Tensor>& images, int64_t channels, Device device,
             const Shape& guests = {0, 1, 1, 1});

  int64_t count() const { return count_; }  ///< of the images; guest n is number count() + n
  bool has_guests() const { return guests_.dim(0) > 0; }

  /// Puts the guests of a batch, u8 on the cache's device, in the place of those before.
  void take_in(const Tensor& guests);

  /// Room in a batch for so many crops: "sources" and "maps" of kernels/warp/crop_images.h.
  static void make_room(Batch& batch, int64_t crops);
  /// Crop `row` of a batch: image `index` in blocks of so many pixels, seen through a map from
  /// pixels of the crop to its own.
  void put_crop(Batch& batch, int64_t row, int64_t index, const Matrix3& to_image,
                int64_t block) const;
  /// u8 [crops,height,width,channels]: one launch, on the cache's device, where the batch lies.
  Tensor crops(const Batch& batch, int64_t height, int64_t width) const;

 private:
  const int64_t channels_, count_;
  std::vector<CropSource> images_;  // in blocks of one pixel
  Tensor pixels_;                   // u8 [bytes], one image after another
  Tensor guests_;
};

}  // namespace cairn
