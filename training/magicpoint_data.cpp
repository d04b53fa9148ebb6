#include "training/magicpoint_data.h"

#include "training/detector_labels.h"
#include "training/grey_image.h"
#include "training/image_warp.h"

namespace cairn {
namespace {

// Random numbers of one image beyond those of its shapes.
enum class Use : uint64_t { photometric, homography, labels };
Random numbers(uint64_t seed, int64_t index, Use use) {
  return Random(seed, uint64_t(index), (uint64_t(use) + 64) << 40);
}

}  // namespace

DetectorBatch magicpoint_sample(const MagicPointData& data, int64_t index) {
  const int height = data.shapes.height, width = data.shapes.width;
  LabelledImage shape = synthetic_shape(data.shapes, data.seed, index);
  Tensor image = grey_values(shape.image);
  if (data.augment_photometric) {
    Random random = numbers(data.seed, index, Use::photometric);
    augment(image, data.photometric, random);
  }
  Tensor valid;
  if (data.augment_homographic) {
    Random random = numbers(data.seed, index, Use::homography);
    const Matrix3 h = random_homography(data.homography, height, width, random);
    const WarpedImage warp = warped(image, h);
    image = warp.image;
    valid = whole_cells(eroded(warp.seen, data.homography.erosion_margin), detector_cell);
    const Matrix3 input_to_output = inverse(h);
    for (Point& p : shape.points) p = apply(input_to_output, p);
  } else {
    valid = Tensor::full({height / detector_cell, width / detector_cell}, 1, DType::u8);
  }
  divide_by_255(image);
  Random random = numbers(data.seed, index, Use::labels);
  const Tensor label = detector_labels(shape.points, height, width, random);
  return {image.reshape({1, height, width, 1}), label.reshape({1, label.dim(0), label.dim(1)}),
          valid.reshape({1, valid.dim(0), valid.dim(1)})};
}

DetectorBatch magicpoint_batch(const MagicPointData& data, int size, int64_t number) {
  const int height = data.shapes.height, width = data.shapes.width;
  const int rows = height / detector_cell, columns = width / detector_cell;
  DetectorBatch batch{Tensor::empty({size, height, width, 1}),
                      Tensor::empty({size, rows, columns}, DType::i32),
                      Tensor::empty({size, rows, columns}, DType::u8)};
  parallel_for(size, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const DetectorBatch sample = magicpoint_sample(data, number * size + i);
      batch.image.rows(i, i + 1).copy_from(sample.image);
      batch.label.rows(i, i + 1).copy_from(sample.label);
      batch.valid.rows(i, i + 1).copy_from(sample.valid);
    }
  });
  return batch;
}

DetectorTestImage magicpoint_test_image(const MagicPointData& data, int64_t index, bool noisy) {
  const uint64_t seed = ~data.seed;
  const LabelledImage shape = synthetic_shape(data.shapes, seed, index);
  DetectorTestImage test{grey_values(shape.image), shape.points};
  if (noisy) {
    Random random = numbers(seed, index, Use::photometric);
    augment(test.image, data.photometric, random);
  }
  divide_by_255(test.image);
  return test;
}

}  // namespace cairn
