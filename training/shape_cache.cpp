#include "training/shape_cache.h"

namespace cairn {

ShapeCache::ShapeCache(const SyntheticShapes& options, uint64_t seed, int64_t count, Device device)
    : options_(options),
      seed_(seed),
      images_(Tensor::empty({count, options.height, options.width, 1}, DType::u8, device)),
      points_(size_t(count)),
      kept_(std::make_unique<std::atomic<bool>[]>(size_t(count))) {}

ShapeCache::Entry ShapeCache::look_up(int64_t index) const {
  if (kept_[size_t(index)]) return {index, {{}, points_[size_t(index)]}};
  return {index, synthetic_shape(options_, seed_, index)};
}

void ShapeCache::keep(const std::vector<Entry>& entries) {
  std::vector<std::pair<Tensor, Tensor>> copies;
  for (const auto& [index, shape] : entries) {
    if (kept_[size_t(index)]) continue;  // another batch has brought it since it was looked up
    copies.push_back({shape.image, images_.rows(index, index + 1).reshape(shape.image.shape())});
    points_[size_t(index)] = shape.points;
    kept_[size_t(index)] = true;
  }
  staging_.copy(copies);
}

}  // namespace cairn
