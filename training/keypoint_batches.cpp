#include "training/keypoint_batches.h"

#include <algorithm>
#include <numeric>

#include "models/image_crop.h"
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

DrawnCrops empty_crops(const KeypointExamples& examples, int64_t height, int64_t width, int size,
                       bool cached) {
  const int K = examples.skeleton().keypoints();
  DrawnCrops crops{{{"plan", Tensor::empty({size, jitter_integers}, DType::i32)},
                    {"amounts", Tensor::empty({size, jitter_reals})}},
                   Tensor::empty({size, 1, K, 2}),
                   Tensor::empty({size, 1, K}, DType::u8),
                   std::vector<Matrix3>(size_t(size))};
  if (cached) {
    ImageCache::make_room(crops.pixels, size);
  } else {
    crops.pixels["crop"] = Tensor::empty({size, height, width, examples.channels()}, DType::u8);
  }
  return crops;
}

void put(DrawnCrops& crops, int64_t i, KeypointSample sample, int64_t height, int64_t width) {
  drop_points_outside(sample.instances, height, width);
  const auto& points = sample.instances[0].points;
  static_cast<JitterPlan*>(crops.pixels.at("plan").raw())[i] = sample.jitter.plan;
  static_cast<JitterAmounts<float>*>(crops.pixels.at("amounts").raw())[i] = sample.jitter.amounts;
  crops.to_crop[size_t(i)] = sample.to_crop;
  const int64_t K = int64_t(points.size());
  for (int64_t k = 0; k < K; ++k) {
    const LabelledPoint& p = points[size_t(k)];
    crops.points.data<float>()[(i * K + k) * 2] = float(p.x);
    crops.points.data<float>()[(i * K + k) * 2 + 1] = float(p.y);
    crops.visibility.data<uint8_t>()[i * K + k] = uint8_t(p.v);
  }
}

void put_pixels(DrawnCrops& crops, int64_t i, const KeypointExample& e, const ImageCache* cache) {
  const Matrix3& to_crop = crops.to_crop[size_t(i)];
  if (cache) {
    const Matrix3 to_image = inverse(to_crop);
    cache->put_crop(crops.pixels, i, e.kept, to_image, crop_block(to_image));
    return;
  }
  Tensor row = crops.pixels.at("crop").rows(i, i + 1);
  const Tensor cut = crop_image(e.image, to_crop, row.dim(1), row.dim(2));
  row.copy_from(cut.reshape(row.shape()));
}

// Fills one crop for each index; random(i) gives the numbers of its augmentation.
template <class Numbers>
DrawnCrops crops_of(const KeypointExamples& examples, const std::vector<int64_t>& indices,
                    int64_t height, int64_t width, const KeypointAugmentation& augmentation,
                    const ImageCache* cache, Numbers&& random) {
  const int size = int(indices.size());
  DrawnCrops crops = empty_crops(examples, height, width, size, cache != nullptr);
  parallel_for(size, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const KeypointExample e = examples.example(indices[size_t(i)]);
      put(crops, i,
          augmented(examples.channels(), {&e.instance, 1}, examples.skeleton().swap,
                    examples.frame(e, height, width), height, width, augmentation, random(i)),
          height, width);
      put_pixels(crops, i, e, cache);
    }
  });
  return crops;
}

}  // namespace

Tensor images_of(const Batch& pixels, const InputSize& size, const ImageCache* cache) {
  const Tensor &plan = pixels.at("plan"), &amounts = pixels.at("amounts");
  const Tensor crop = cache ? cache->crops(pixels, size.height, size.width) : pixels.at("crop");
  Tensor image = amounts.empty_like(crop.shape());
  colour_jitter(crop, plan, amounts, image);
  return image;
}

std::unique_ptr<ImageCache> cache_of(const KeypointExamples& examples, Device device) {
  const std::vector<Tensor> kept = examples.kept_images();
  if (kept.empty() || device == Device::cpu) return nullptr;
  return std::make_unique<ImageCache>(kept, examples.channels(), device);
}

DrawnCrops augmented_crops(const KeypointExamples& examples, const KeypointBatches& o, int size,
                           int64_t number, const ImageCache* cache) {
  return crops_of(examples, chosen(examples.count(), o.seed, size, number), o.height, o.width,
                  o.augmentation, cache,
                  [&](int64_t i) { return numbers(o.seed, number * size + i, Use::augmentation); });
}

DrawnCrops training_crops(const KeypointExamples& examples, const KeypointBatches& o, int size,
                          int64_t number, const ImageCache* cache) {
  DrawnCrops crops = augmented_crops(examples, o, size, number, cache);
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
  const DrawnCrops crops = crops_of(examples, indices, height, width, KeypointAugmentation::none(),
                                    nullptr, [](int64_t) { return Random(0); });
  return {images_of(crops.pixels, {height, width}, nullptr), crops.points, crops.visibility,
          crops.to_crop};
}

Batch encoded(const KeypointCrops& crops, const Codec& codec) {
  Batch batch =
      codec.encode(crops.points, crops.visibility, {crops.image.dim(1), crops.image.dim(2)});
  batch["image"] = crops.image;
  return batch;
}

Batch annotated(const DrawnCrops& crops, const Codec& codec, const InputSize& size) {
  Batch batch = codec.annotations(crops.points, crops.visibility, size);
  batch.insert(crops.pixels.begin(), crops.pixels.end());
  return batch;
}

Batch with_targets(const Batch& annotated, const Codec& codec, const InputSize& size,
                   const ImageCache* cache) {
  Batch batch = codec.targets(annotated, size);
  batch["image"] = images_of(annotated, size, cache);
  return batch;
}

}  // namespace cairn
