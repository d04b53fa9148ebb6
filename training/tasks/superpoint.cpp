// SuperPoint: detector and descriptor trained together on pairs of labelled images and shapes
// (DeTone et al., CVPRW 2018, section 6).
#include <algorithm>
#include <cmath>
#include <set>

#include "models/matching.h"
#include "runtime/error.h"
#include "training/draw_matches.h"
#include "training/grey_image.h"
#include "training/homographic_pairs.h"
#include "training/labelled_photos.h"
#include "training/pair_evaluation.h"
#include "training/prefetcher.h"
#include "training/task.h"

namespace cairn {
namespace {

// What pairs are made of: photographs with pseudo-labels, and shapes whose corners are known.
class JointImages {
 public:
  JointImages(Recipe& r, uint64_t seed) : seed_(seed) {
    shapes_.height = int(r.integer("data.height", 240, 16, 4096));
    shapes_.width = int(r.integer("data.width", 320, 16, 4096));
    share_of_shapes_ = r.real("data.shapes", 0, 0, 1);
    kept_bytes_ = r.integer("data.keep_mib", 2048, 0, 1 << 24) << 20;
    const std::vector<std::string> folders = r.strings("data.images");
    const std::vector<std::string> labels = r.strings("data.labels");
    check(folders, labels);
    if (folders.empty()) return;
    for (size_t k = 0; k < labels.size(); ++k)
      levels_.push_back(
          read_labelled_photos(folders, labels[k], shapes_.height << k, shapes_.width << k));
  }

  PairImages images() const {
    return {height(), width(), most_points(), [this](int64_t index) { return image(index); }};
  }
  /// The photographs on a device, with room for the shapes of `batch` pairs; null on cpu, where a
  /// copy would save nothing, and if they do not fit.
  std::unique_ptr<ImageCache> cache(Device device, int batch) const {
    if (device == Device::cpu) return nullptr;
    std::vector<Tensor> photos;
    int64_t bytes = 0;
    for (size_t i = 0; !levels_.empty() && i < levels_[0].images.size(); ++i)
      for (const LabelledPhotos& level : levels_) {
        photos.push_back(level.images[i].image);
        bytes += photos.back().bytes();
      }
    if (bytes > kept_bytes_) return nullptr;
    const int64_t guests = share_of_shapes_ > 0 ? batch : 0;
    return std::make_unique<ImageCache>(photos, 1, device, Shape{guests, height(), width(), 1});
  }
  std::vector<std::string> left_out() const {
    std::set<std::string> files;
    for (const LabelledPhotos& photos : levels_)
      files.insert(photos.left_out.begin(), photos.left_out.end());
    return {files.begin(), files.end()};
  }
  int height() const { return shapes_.height; }
  int width() const { return shapes_.width; }

 private:
  ImageLevels image(int64_t index) const {
    Random random(seed_, uint64_t(index), uint64_t{90} << 40);
    if (random.uniform() < share_of_shapes_) return {{synthetic_shape(shapes_, seed_, index)}};
    const int photo = random.integer(0, int(levels_[0].images.size()) - 1);
    ImageLevels found{{}, int64_t(levels_.size()) * photo};
    for (const LabelledPhotos& level : levels_) found.levels.push_back(level.images[size_t(photo)]);
    return found;
  }
  int64_t most_points() const {
    size_t most = share_of_shapes_ > 0 ? most_shape_points : 1;
    for (const LabelledPhotos& level : levels_)
      for (const LabelledImage& photo : level.images) most = std::max(most, photo.points.size());
    return int64_t(most);
  }
  void check(const std::vector<std::string>& folders,
             const std::vector<std::string>& labels) const {
    for (const auto& [name, side] :
         {std::pair{"data.height", shapes_.height}, {"data.width", shapes_.width}})
      if (side % 8)
        throw UsageError(name, text("it is ", side), "a multiple of 8, the network's stride",
                         text("use ", (side + 7) / 8 * 8));
    if (folders.empty() && share_of_shapes_ < 1)
      throw UsageError("data.images", "no folder of images", "one or more, or data.shapes = 1",
                       "name the folders that cairn label has read");
    if (!folders.empty() && labels.empty())
      throw UsageError("data.labels", "no folder of labels", "the folder that cairn label wrote",
                       "set data.labels");
    if (share_of_shapes_ > 0) synthetic_shape(shapes_, Primitive::lines, 0, 0);  // checks the size
  }

  uint64_t seed_;
  SyntheticShapes shapes_;
  double share_of_shapes_;
  int64_t kept_bytes_;                  // that photographs may take on a GPU
  std::vector<LabelledPhotos> levels_;  // the same images, each time at twice the size
};

class Source : public BatchSource {
 public:
  Source(const JointImages& images, const HomographicPairs& pairs, uint64_t seed, int channels,
         int batch, int workers, int64_t first, ImageCache* cache)
      : cache_(cache),
        batches_(
            [=, from = images.images()](int64_t number) {
              return draw_pair_batch(from, pairs, seed, batch, number, cache);
            },
            workers, first),
        channels_(channels) {}
  Batch next() override { return batches_.next(); }
  Batch prepared(const Batch& drawn) const override {
    const PairBatch b = rendered_pairs(drawn, cache_);
    return {{"image", with_channels(b.image, channels_)},
            {"label", b.label},
            {"valid", b.valid},
            {"homography", b.homography}};
  }

 private:
  ImageCache* const cache_;
  Prefetcher<Batch> batches_;
  int channels_;
};

HomographicPairs pairs_of(Recipe& r) {
  HomographicPairs p;
  p.augment_photometric = r.boolean("data.augment_photometric", true);
  HomographyRange& h = p.homography;
  h.scale = r.real("pairs.scale", h.scale, 0, 1);
  h.perspective = r.real("pairs.perspective", h.perspective, 0, 1);
  h.patch_ratio = r.real("pairs.patch_ratio", h.patch_ratio, 0.1, 1);
  h.max_angle = r.real("pairs.max_angle", h.max_angle, 0, 3.15);
  return p;
}

HomographyProtocol with_cosines(HomographyProtocol p) {
  p.cosines = true;
  return p;
}

class SuperPointTask : public Task {
 public:
  SuperPointTask(Recipe& r, uint64_t seed)
      : seed_(seed),
        images_(r, seed),
        pairs_(pairs_of(r)),
        workers_(int(r.integer("data.workers", 0, 0, 256))),
        evaluated_(r.integer("eval.pairs", 60, 1, 100'000)),
        protocol_(with_cosines(homography_protocol("pairs"))) {}

  std::unique_ptr<BatchSource> source(Model& model, int batch, int64_t first) override {
    if (!cache_) cache_ = images_.cache(named_tensors(model).front().tensor->device(), batch);
    return std::make_unique<Source>(images_, pairs_, seed_, model.channels(), batch, workers_,
                                    first, cache_.get());
  }
  std::vector<std::string> left_out() const override { return images_.left_out(); }

  // On textures that training has not seen, at the size of training.
  Evaluation evaluate(Model& model, Device device) override {
    const KeypointMethod method = model_method("model", model, {.least = least_to_match}, {device});
    const HomographyScores s =
        evaluate_pairs(method, held_out(), {PairLevel::medium, PairLevel::illumination}, evaluated_,
                       protocol_, {})
            .mean_of("");
    Evaluation e;
    const auto add = [&](const std::string& name, double value) {
      if (std::isfinite(value)) e.metrics[name] = value;
    };
    add("repeatability", s.repeatability);
    add("positive_cosine", s.positive_cosine);
    add("hardest_negative_cosine", s.negative_cosine);
    for (const auto& [radius, share] : s.matching_accuracy)
      add(text("matches_within_", radius, "px"), share);
    for (const auto& [radius, share] : s.homography_accuracy)
      add(text("homography_within_", radius, "px"), share);
    for (PairLevel level : {PairLevel::easy, PairLevel::medium})
      e.pictures.push_back({text("pair_", name(level)), picture(method, level)});
    return e;
  }

 private:
  TextureOptions held_out() const { return {images_.height(), images_.width(), ~seed_}; }

  // One pair: its detections, its matches in green where they are right, and the estimate's
  // outline.
  Tensor picture(const KeypointMethod& method, PairLevel level) const {
    const ImagePair pair = synthetic_pair(held_out(), level, 0);
    const Keypoints a = detected(method, pair.first), b = detected(method, pair.second);
    std::vector<Point> from, to;
    for (const Match& m : match_keypoints(a, b)) {
      from.push_back({a.points[size_t(m.a)][0], a.points[size_t(m.a)][1]});
      to.push_back({b.points[size_t(m.b)][0], b.points[size_t(m.b)][1]});
    }
    std::vector<MatchLine> lines;
    for (size_t i = 0; i < from.size(); ++i) {
      const Point miss = apply(pair.first_to_second, from[i]) - to[i];
      lines.push_back({from[i], to[i], std::hypot(miss.x, miss.y) <= 3});
    }
    return draw_matches(pair.first, pair.second, lines, ransac_homography(from, to).homography);
  }
  Keypoints detected(const KeypointMethod& method, const Tensor& image) const {
    return features(method, with_channels(image, method.channels), protocol_).matching.points;
  }

  const uint64_t seed_;
  const JointImages images_;
  const HomographicPairs pairs_;
  std::unique_ptr<ImageCache> cache_;  // of the photographs, for all sources: they run in turn
  const int workers_;
  const int64_t evaluated_;
  const HomographyProtocol protocol_;
};

}  // namespace

std::unique_ptr<Task> make_superpoint_task(Recipe& recipe, uint64_t seed) {
  return std::make_unique<SuperPointTask>(recipe, seed);
}

}  // namespace cairn
