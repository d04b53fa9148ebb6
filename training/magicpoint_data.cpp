#include "training/magicpoint_data.h"

#include <algorithm>

#include "kernels/augment/photometric.h"
#include "kernels/points/detector_labels.h"
#include "kernels/warp/warp_image.h"
#include "training/detector_rows.h"
#include "training/image_warp.h"

namespace cairn {
namespace {

// Random numbers of one sample beyond those of its shapes.
enum class Use : uint64_t { photometric, homography, labels, shape };
Random numbers(uint64_t seed, int64_t index, Use use) {
  return Random(seed, uint64_t(index), (uint64_t(use) + 64) << 40);
}

Batch empty_batch(const MagicPointData& data, int64_t size, bool with_shapes) {
  const int64_t height = data.shapes.height, width = data.shapes.width;
  Batch b = empty_detector_rows(size, height, width, most_shape_points);
  b["warp"] = Tensor::empty({size, 3, 3});
  if (with_shapes) b["shapes"] = Tensor::empty({size, height, width, 1}, DType::u8);
  return b;
}

// Row n: sample `index`, which shows `shape`, image `source` of those there are.
void draw_sample(const MagicPointData& data, int64_t index, const LabelledImage& shape,
                 int64_t source, Batch& batch, int64_t n) {
  const int height = data.shapes.height, width = data.shapes.width;
  Random photometric = numbers(data.seed, index, Use::photometric),
         homography = numbers(data.seed, index, Use::homography),
         labels = numbers(data.seed, index, Use::labels);
  PhotometricDraw changes;
  if (data.augment_photometric)
    changes = random_changes(data.photometric, height, width, photometric);

  Matrix3 warp;
  if (data.augment_homographic)
    warp = random_homography(data.homography, height, width, homography);
  std::copy(warp.m.begin(), warp.m.end(), batch.at("warp").data<float>() + 9 * n);
  put_detector_row(batch, n,
                   {changes, source, shape.points, inverse(warp),
                    seen_cells(warp, height, width, data.homography.erosion_margin, detector_cell)},
                   labels);
}

}  // namespace

MagicPointDraw draw_magicpoint_batch(const MagicPointData& data, const ShapeCache* cache, int size,
                                     int64_t number) {
  MagicPointDraw draw{empty_batch(data, size, !cache), {}};
  if (cache) draw.entries.resize(size_t(size));
  parallel_for(size, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const int64_t index = number * size + n;
      if (cache) {
        Random random = numbers(data.seed, index, Use::shape);
        ShapeCache::Entry& entry = draw.entries[size_t(n)];
        entry = cache->look_up(random.integer(0, int(cache->count()) - 1));
        draw_sample(data, index, entry.shape, entry.index, draw.batch, n);
      } else {
        const LabelledImage shape = synthetic_shape(data.shapes, data.seed, index);
        Tensor row = draw.batch.at("shapes").rows(n, n + 1);
        row.copy_from(shape.image.reshape(row.shape()));
        draw_sample(data, index, shape, n, draw.batch, n);
      }
    }
  });
  return draw;
}

DetectorBatch rendered(const Tensor& shapes, const Batch& drawn) {
  const Tensor& valid = drawn.at("valid");
  const Device device = valid.device();
  Tensor changed =
             Tensor::empty({valid.dim(0), shapes.dim(1), shapes.dim(2), 1}, DType::f32, device),
         image = changed.empty_like(), label = Tensor::empty(valid.shape(), DType::i32, device);
  photometric(shapes, drawn.at("plan"), drawn.at("amounts"), changed);
  warp_image(changed, drawn.at("warp"), {}, image);
  detector_labels(drawn.at("points"), drawn.at("keys"), label);
  return {image, label, valid};
}

DetectorBatch magicpoint_batch(const MagicPointData& data, int size, int64_t number) {
  const Batch drawn = draw_magicpoint_batch(data, nullptr, size, number).batch;
  return rendered(drawn.at("shapes"), drawn);
}

DetectorTestImage magicpoint_test_image(const MagicPointData& data, int64_t index, bool noisy) {
  const uint64_t seed = ~data.seed;
  const LabelledImage shape = synthetic_shape(data.shapes, seed, index);
  PhotometricDraw changes;
  if (noisy) {
    Random random = numbers(seed, index, Use::photometric);
    changes = random_changes(data.photometric, data.shapes.height, data.shapes.width, random);
  }
  return {augmented(shape.image, changes), shape.points};
}

MagicPointLoader::MagicPointLoader(const MagicPointData& data, int batch_size, int workers,
                                   int64_t first_batch, std::shared_ptr<ShapeCache> cache)
    : cache_(std::move(cache)),
      batches_(
          [=, kept = cache_.get()](int64_t number) {
            return draw_magicpoint_batch(data, kept, batch_size, number);
          },
          workers, first_batch) {}

Batch MagicPointLoader::next() {
  MagicPointDraw draw = batches_.next();
  if (cache_) cache_->keep(draw.entries);
  return std::move(draw.batch);
}

DetectorBatch MagicPointLoader::rendered(const Batch& drawn) const {
  return cairn::rendered(cache_ ? cache_->images() : drawn.at("shapes"), drawn);
}

}  // namespace cairn
