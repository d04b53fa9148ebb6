#include "training/keypoint_batches.h"

#include <algorithm>
#include <numeric>

#include "runtime/error.h"
#include "runtime/threads.h"

namespace cairn {
namespace {

// Random numbers beside those of the generators with the same seed.
enum class Use : uint64_t { order = 210, augmentation };
Random numbers(uint64_t seed, int64_t index, Use use) {
  return Random(seed, uint64_t(index), uint64_t(use) << 40);
}

// The examples of one epoch in random order.
std::vector<int64_t> shuffled(int64_t count, uint64_t seed, int64_t epoch) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  Random random = numbers(seed, epoch, Use::order);
  for (size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[size_t(random.integer(0, int(i) - 1))]);
  return order;
}

// The examples of samples number * size and after.
std::vector<int64_t> chosen(int64_t count, uint64_t seed, int size, int64_t number) {
  std::vector<int64_t> indices, order;
  int64_t epoch = -1;
  for (int64_t sample = number * size; sample < (number + 1) * size; ++sample) {
    if (count == 0) {
      indices.push_back(sample);
      continue;
    }
    if (sample / count != epoch) order = shuffled(count, seed, epoch = sample / count);
    indices.push_back(order[size_t(sample % count)]);
  }
  return indices;
}

KeypointCrops empty_crops(const KeypointExamples& examples, int64_t height, int64_t width,
                          int size) {
  const int K = examples.skeleton().keypoints();
  return {Tensor::empty({size, height, width, examples.channels()}), Tensor::empty({size, 1, K, 2}),
          Tensor::empty({size, 1, K}, DType::u8), std::vector<Matrix3>(size_t(size))};
}

void put(KeypointCrops& crops, int64_t i, KeypointSample sample, int64_t height, int64_t width) {
  drop_points_outside(sample.instances, height, width);
  const auto& points = sample.instances[0].points;
  crops.image.rows(i, i + 1).reshape(sample.image.shape()).copy_from(sample.image);
  crops.to_crop[size_t(i)] = sample.to_crop;
  const int64_t K = int64_t(points.size());
  for (int64_t k = 0; k < K; ++k) {
    const LabelledPoint& p = points[size_t(k)];
    crops.points.data<float>()[(i * K + k) * 2] = float(p.x);
    crops.points.data<float>()[(i * K + k) * 2 + 1] = float(p.y);
    crops.visibility.data<uint8_t>()[i * K + k] = uint8_t(p.v);
  }
}

// Fills one crop for each index; random(i) gives the numbers of its augmentation.
template <class Numbers>
KeypointCrops crops_of(const KeypointExamples& examples, const std::vector<int64_t>& indices,
                       int64_t height, int64_t width, const KeypointAugmentation& augmentation,
                       Numbers&& random) {
  const int size = int(indices.size());
  KeypointCrops crops = empty_crops(examples, height, width, size);
  parallel_for(size, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const KeypointExample e = examples.example(indices[size_t(i)]);
      put(crops, i,
          augmented(e.image, {&e.instance, 1}, examples.skeleton().swap,
                    examples.frame(e, height, width), height, width, augmentation, random(i)),
          height, width);
    }
  });
  return crops;
}

}  // namespace

KeypointCrops augmented_crops(const KeypointExamples& examples, const KeypointBatches& o, int size,
                              int64_t number) {
  return crops_of(examples, chosen(examples.count(), o.seed, size, number), o.height, o.width,
                  o.augmentation,
                  [&](int64_t i) { return numbers(o.seed, number * size + i, Use::augmentation); });
}

KeypointCrops training_crops(const KeypointExamples& examples, const KeypointBatches& o, int size,
                             int64_t number) {
  KeypointCrops crops = augmented_crops(examples, o, size, number);
  const uint8_t* v = crops.visibility.data<uint8_t>();
  if (std::all_of(v, v + crops.visibility.count(), [](uint8_t one) { return one == 0; }))
    throw Error(text("batch ", number),
                text("not one point of its ", size,
                     " crops is labelled and lies inside: the "
                     "network would learn to predict nothing"),
                "crops that show their points",
                "look at the data with cairn check; lower augment.scale_high or "
                "augment.translation, or set data.box_margin");
  return crops;
}

KeypointCrops plain_crops(const KeypointExamples& examples, int64_t height, int64_t width,
                          int64_t first, int size) {
  std::vector<int64_t> indices(static_cast<size_t>(size));
  std::iota(indices.begin(), indices.end(), first);
  return crops_of(examples, indices, height, width, KeypointAugmentation::none(),
                  [](int64_t) { return Random(0); });
}

Batch encoded(const KeypointCrops& crops, const Codec& codec) {
  Batch batch =
      codec.encode(crops.points, crops.visibility, {crops.image.dim(1), crops.image.dim(2)});
  batch["image"] = crops.image;
  return batch;
}

}  // namespace cairn
