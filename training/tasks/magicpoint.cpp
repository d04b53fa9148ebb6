// MagicPoint: corners of synthetic shapes, each seen in a way of its own every time (DeTone et al.,
// CVPRW 2018).
#include <cmath>

#include "runtime/error.h"
#include "training/detector_evaluation.h"
#include "training/draw.h"
#include "training/grey_image.h"
#include "training/task.h"

namespace cairn {
namespace {

class Source : public BatchSource {
 public:
  Source(const MagicPointData& data, int channels, int batch, int workers, int64_t first,
         std::shared_ptr<ShapeCache> cache)
      : loader_(data, batch, workers, first, std::move(cache)), channels_(channels) {}
  Batch next() override { return loader_.next(); }
  Batch prepared(const Batch& batch) const override {
    const DetectorBatch b = loader_.rendered(batch);
    return {{"image", with_channels(b.image, channels_)}, {"label", b.label}, {"valid", b.valid}};
  }

 private:
  MagicPointLoader loader_;
  int channels_;
};

class MagicPointTask : public Task {
 public:
  MagicPointTask(Recipe& r, uint64_t seed) {
    data_.seed = seed;
    data_.shapes.height = int(r.integer("data.height", 120, 16, 960));
    data_.shapes.width = int(r.integer("data.width", 160, 16, 1280));
    data_.augment_photometric = r.boolean("data.augment_photometric", true);
    data_.augment_homographic = r.boolean("data.augment_homographic", true);
    workers_ = int(r.integer("data.workers", 0, 0, 256));
    cached_ = r.integer("data.cache", 0, 0, 100'000'000);
    images_ = r.integer("eval.images", 200, 1, 1'000'000);
    for (const auto& [name, side] :
         {std::pair{"data.height", data_.shapes.height}, {"data.width", data_.shapes.width}})
      if (side % 8)
        throw UsageError(name, text("it is ", side), "a multiple of 8, the network's stride",
                         text("use ", (side + 7) / 8 * 8));
  }

  std::unique_ptr<BatchSource> source(Model& model, int batch, int64_t first) override {
    const Device device = named_tensors(model).front().tensor->device();
    if (cached_ > 0 && !cache_)
      cache_ = std::make_shared<ShapeCache>(data_.shapes, data_.seed, cached_, device);
    return std::make_unique<Source>(data_, model.channels(), batch, workers_, first, cache_);
  }

  Evaluation evaluate(Model& model, Device device) override {
    const PointDetector detector = model_detector(model, device);
    const DetectorScore s = evaluate_detector(detector, data_, images_);
    Evaluation e;
    e.metrics = {{"ap_clean", s.ap_clean}, {"ap_noisy", s.ap_noisy}};
    // Before anything scores above one half there is no localisation error to speak of.
    if (std::isfinite(s.error_clean)) e.metrics["error_clean"] = s.error_clean;
    if (std::isfinite(s.error_noisy)) e.metrics["error_noisy"] = s.error_noisy;
    e.pictures.push_back({"corners", picture(detector)});
    return e;
  }

 private:
  // The first test images, clean above noisy: true corners as green rings, detections as dots.
  Tensor picture(const PointDetector& detector) const {
    std::vector<Tile> tiles;
    const int64_t columns = 6;
    for (bool noisy : {false, true})
      for (int64_t i = 0; i < columns; ++i) {
        const DetectorTestImage test = magicpoint_test_image(data_, i, noisy);
        Canvas canvas(grey_bytes(test.image), 2);
        for (const Point& p : test.points) canvas.ring(canvas.at(p), 5, 1.2, {60, 220, 110});
        for (const ScoredPoint& p : detector(test.image))
          if (p.score > shown_) canvas.disc(canvas.at({p.x, p.y}), 2, heat_colour(p.score));
        tiles.push_back({canvas.image(), noisy ? "noisy" : "clean"});
      }
    return contact_sheet(tiles, columns, 2 * data_.shapes.width);
  }

  static constexpr double shown_ = 0.015;  // as cairn detect: early in training scores are low
  MagicPointData data_;
  int workers_;
  int64_t cached_, images_;
  std::shared_ptr<ShapeCache> cache_;
};

}  // namespace

std::unique_ptr<Task> make_magicpoint_task(Recipe& recipe, uint64_t seed) {
  return std::make_unique<MagicPointTask>(recipe, seed);
}

}  // namespace cairn
