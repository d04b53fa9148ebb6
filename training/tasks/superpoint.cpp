// SuperPoint: detector and descriptor trained together on pairs of labelled images and shapes
// (DeTone et al., CVPRW 2018, section 6).
#include "runtime/error.h"
#include "training/draw.h"
#include "training/grey_image.h"
#include "training/homographic_pairs.h"
#include "training/labelled_photos.h"
#include "training/prefetcher.h"
#include "training/task.h"
#include "training/textures.h"

namespace cairn {
namespace {

// What pairs are made of: photographs with pseudo-labels, and shapes whose corners are known.
class JointImages {
 public:
  JointImages(Recipe& r, uint64_t seed) : seed_(seed) {
    shapes_.height = int(r.integer("data.height", 240, 16, 4096));
    shapes_.width = int(r.integer("data.width", 320, 16, 4096));
    share_of_shapes_ = r.real("data.shapes", 0, 0, 1);
    const std::vector<std::string> folders = r.strings("data.images");
    const std::string labels = r.string("data.labels", "");
    check(folders, labels);
    if (!folders.empty())
      photos_ = read_labelled_photos(folders, labels, shapes_.height, shapes_.width);
  }

  LabelledImage operator()(int64_t index) const {
    Random random(seed_, uint64_t(index), uint64_t{90} << 40);
    if (random.uniform() < share_of_shapes_) return synthetic_shape(shapes_, seed_, index);
    return photos_.images[size_t(random.integer(0, int(photos_.images.size()) - 1))];
  }
  const std::vector<std::string>& left_out() const { return photos_.left_out; }
  int height() const { return shapes_.height; }
  int width() const { return shapes_.width; }

 private:
  void check(const std::vector<std::string>& folders, const std::string& labels) const {
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
  LabelledPhotos photos_;
};

Batch batch_of(const PairBatch& pairs, int channels) {
  return {{"image", with_channels(pairs.image, channels)},
          {"label", pairs.label},
          {"valid", pairs.valid},
          {"homography", pairs.homography}};
}

class Source : public BatchSource {
 public:
  Source(const JointImages& images, const HomographicPairs& pairs, uint64_t seed, int channels,
         int batch, int workers, int64_t first)
      : batches_(
            [=, &images](int64_t number) {
              return pair_batch(std::cref(images), pairs, seed, batch, number);
            },
            workers, first),
        channels_(channels) {}
  Batch next() override { return batch_of(batches_.next(), channels_); }

 private:
  Prefetcher<PairBatch> batches_;
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

class SuperPointTask : public Task {
 public:
  SuperPointTask(Recipe& r, uint64_t seed)
      : seed_(seed),
        images_(r, seed),
        pairs_(pairs_of(r)),
        workers_(int(r.integer("data.workers", 0, 0, 256))),
        evaluated_(r.integer("eval.pairs", 60, 1, 100'000)) {}

  std::unique_ptr<BatchSource> source(const Model& model, int batch, int64_t first) override {
    return std::make_unique<Source>(images_, pairs_, seed_, model.channels(), batch, workers_,
                                    first);
  }
  std::vector<std::string> left_out() const override { return images_.left_out(); }

  // On textures that training has not seen, at the size of training.
  Evaluation evaluate(Model& model, Device device) override {
    Evaluation e;
    for (int64_t i = 0; i < evaluated_; ++i) {
      Batch batch = batch_of(held_out(i), model.channels());
      for (auto& [name, tensor] : batch) tensor = tensor.to(device);
      Tape tape(false);
      for (const auto& [name, value] : model.loss(tape, batch).terms)
        if (name.ends_with("_cosine")) e.metrics[name] += value.item() / double(evaluated_);
    }
    e.pictures.push_back({"pair", picture(model, device)});
    return e;
  }

 private:
  // Pair `index` of textures that training has not seen.
  PairBatch held_out(int64_t index) const {
    const TextureOptions textures{images_.height(), images_.width(), ~seed_};
    return homographic_pair({texture(textures, index), {}}, pairs_, ~seed_, index);
  }

  // A pair with what is detected in it.
  Tensor picture(Model& model, Device device) const {
    DetectOptions options;
    options.top_k = 300;
    const Tensor images = held_out(0).image;
    const auto found = model.detect(with_channels(images, model.channels()).to(device), options);
    std::vector<Tile> tiles;
    for (int64_t i = 0; i < 2; ++i) {
      const Tensor one = grey_bytes(images.rows(i, i + 1));
      std::vector<ScoredPoint> points;
      for (size_t k = 0; k < found[size_t(i)].points.size(); ++k)
        points.push_back({found[size_t(i)].points[k][0], found[size_t(i)].points[k][1],
                          found[size_t(i)].scores[k]});
      tiles.push_back({draw_keypoints(one.reshape({one.dim(1), one.dim(2), 1}), points),
                       i ? "partner" : "image"});
    }
    return contact_sheet(tiles, 2, 2 * images_.width());
  }

  const uint64_t seed_;
  const JointImages images_;
  const HomographicPairs pairs_;
  const int workers_;
  const int64_t evaluated_;
};

}  // namespace

std::unique_ptr<Task> make_superpoint_task(Recipe& recipe, uint64_t seed) {
  return std::make_unique<SuperPointTask>(recipe, seed);
}

}  // namespace cairn
