#include "training/homographic_pairs.h"

#include <algorithm>

#include "runtime/threads.h"
#include "training/detector_labels.h"
#include "training/grey_image.h"
#include "training/image_warp.h"

namespace cairn {
namespace {

// Random numbers of one pair. The image itself may be drawn from lower counters.
enum class Use : uint64_t { homography, photometric, partner_photometric, labels, partner_labels };
Random numbers(uint64_t seed, int64_t index, Use use) {
  return Random(seed, uint64_t(index), (uint64_t(use) + 96) << 40);
}

PairBatch empty_batch(int64_t pairs, int64_t height, int64_t width) {
  const Shape cells{2 * pairs, height / detector_cell, width / detector_cell};
  return {Tensor::empty({2 * pairs, height, width, 1}), Tensor::empty(cells, DType::i32),
          Tensor::empty(cells, DType::u8), Tensor::empty({pairs, 9})};
}

// Row `row` of a batch: its image (values of 0..255, changed here), its points, its valid cells.
struct Side {
  Tensor image;
  std::vector<Point> points;
  Tensor valid;
};
void fill_row(PairBatch& batch, int64_t row, Side& side, const HomographicPairs& options,
              Random photometric, Random labels) {
  const int height = int(side.image.dim(0)), width = int(side.image.dim(1));
  if (options.augment_photometric) augment(side.image, options.photometric, photometric);
  divide_by_255(side.image);
  const Tensor label = detector_labels(side.points, height, width, labels);
  batch.image.rows(row, row + 1).copy_from(side.image.reshape({1, height, width, 1}));
  batch.label.rows(row, row + 1).copy_from(label.reshape({1, label.dim(0), label.dim(1)}));
  batch.valid.rows(row, row + 1).copy_from(side.valid.reshape({1, label.dim(0), label.dim(1)}));
}

// Pair `pair` of a batch.
void fill_pair(PairBatch& batch, int64_t pair, const LabelledImage& from,
               const HomographicPairs& options, uint64_t seed, int64_t index) {
  const int64_t height = from.image.dim(0), width = from.image.dim(1);
  Random random = numbers(seed, index, Use::homography);
  const Matrix3 to_image = random_homography(options.homography, int(height), int(width), random);
  const Matrix3 to_partner = inverse(to_image);

  Side image{grey_values(from.image), from.points,
             Tensor::full({height / detector_cell, width / detector_cell}, 1, DType::u8)};
  const WarpedImage warp = warped(image.image, to_image);
  Side partner{warp.image,
               {},
               whole_cells(eroded(warp.seen, options.homography.erosion_margin), detector_cell)};
  for (const Point& p : from.points) partner.points.push_back(apply(to_partner, p));

  const int64_t pairs = batch.homography.dim(0);
  fill_row(batch, pair, image, options, numbers(seed, index, Use::photometric),
           numbers(seed, index, Use::labels));
  fill_row(batch, pairs + pair, partner, options, numbers(seed, index, Use::partner_photometric),
           numbers(seed, index, Use::partner_labels));
  std::copy(to_partner.m.begin(), to_partner.m.end(), batch.homography.data<float>() + 9 * pair);
}

}  // namespace

PairBatch homographic_pair(const LabelledImage& from, const HomographicPairs& options,
                           uint64_t seed, int64_t index) {
  PairBatch batch = empty_batch(1, from.image.dim(0), from.image.dim(1));
  fill_pair(batch, 0, from, options, seed, index);
  return batch;
}

PairBatch pair_batch(const LabelledImages& images, const HomographicPairs& options, uint64_t seed,
                     int size, int64_t number) {
  const int64_t first = number * size;
  const LabelledImage sample = images(first);
  PairBatch batch = empty_batch(size, sample.image.dim(0), sample.image.dim(1));
  fill_pair(batch, 0, sample, options, seed, first);
  parallel_for(size - 1, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin + 1; i < end + 1; ++i)
      fill_pair(batch, i, images(first + i), options, seed, first + i);
  });
  return batch;
}

}  // namespace cairn
