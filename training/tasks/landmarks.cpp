// Landmarks that a network discovers by itself: images without labels, each with a random warp
// (Zhang et al., CVPR 2018; Thewlis et al., ICCV 2017). Annotated points, where there are any, only
// measure what has been found.
#include <algorithm>
#include <cmath>

#include "models/landmark_autoencoder.h"
#include "runtime/error.h"
#include "training/landmark_evaluation.h"
#include "training/landmark_pictures.h"
#include "training/prefetcher.h"
#include "training/random_warps.h"
#include "training/reference_length.h"
#include "training/task.h"

namespace cairn {
namespace {

using Examples = std::shared_ptr<const KeypointExamples>;

// A number that changes at given steps: the first value holds from the start.
struct Stairs {
  std::vector<double> values, from;

  double at(int64_t step) const {
    const auto passed = std::count_if(from.begin(), from.end(),
                                      [&](double first) { return double(step) >= first; });
    return values[size_t(passed)];
  }
};

Stairs stairs_of(Recipe& r, const std::string& table) {
  Stairs s{r.reals(table + ".weights", {1}, 0, 1e9), r.reals(table + ".from", {}, 1, 1e9)};
  if (s.values.size() != s.from.size() + 1 || !std::is_sorted(s.from.begin(), s.from.end()))
    throw UsageError(table + ".from", text(s.from.size(), " steps, ", s.values.size(), " weights"),
                     "rising steps, one less than weights",
                     "the first weight holds from the start");
  return s;
}

WarpRange warps_of(Recipe& r) {
  WarpRange w;
  if (r.choice("warp.form", "similarity", {"similarity", "affine"}) == "affine") {
    AffineRange a;
    a.rotation = r.real("warp.rotation", 28.6, 0, 180) * (M_PI / 180);
    a.scale_low = r.real("warp.scale_low", a.scale_low, 0.1, 10);
    a.scale_high = r.real("warp.scale_high", a.scale_high, 0.1, 10);
    a.aspect = r.real("warp.aspect", a.aspect, 0, 1);
    a.translation = r.real("warp.translation", a.translation, 0, 1);
    if (a.scale_low > a.scale_high)
      throw UsageError("warp.scale_low",
                       text(a.scale_low, " is above warp.scale_high, ", a.scale_high), "a range",
                       "exchange them");
    w.affine = a;
  } else {
    SimilarityRange a;
    a.rotation = r.real("warp.rotation", 10, 0, 180) * (M_PI / 180);
    a.log_scale = std::log(r.real("warp.scale", 1.25, 1, 10));
    a.translation = r.real("warp.translation", a.translation, 0, 1);
    w.affine = a;
  }
  w.displacement = r.real("warp.displacement", w.displacement, 0, 1);
  return w;
}

// Of the warp that images are seen through before: the same, but that they stay in the middle and
// do not bend (Thewlis et al.).
WarpRange first_of(WarpRange range) {
  std::visit([](auto& affine) { affine.translation = 0; }, range.affine);
  range.side = 0;
  return range;
}

// What batches are made of.
struct LandmarkBatches {
  KeypointBatches crops;
  WarpRange warps;
  bool first = false;                         // images are themselves seen through a warp
  double by_landmarks = 0;                    // how often a spline has landmarks as its controls
  std::vector<double> ramp = {5000, 10'000};  // steps between which that grows from 0
  Stairs reconstruction;
};

void put(Batch& batch, const std::string& name, const PointWarp& warp) {
  batch[name + "_control"] = warp.control;
  batch[name + "_theta"] = warp.theta;
  batch[name + "_affine"] = warp.affine;
}

PointWarp warp_in(const Batch& batch, const std::string& name) {
  return {batch.at(name + "_control"), batch.at(name + "_theta"), batch.at(name + "_affine")};
}

// What the host draws of a batch: DrawnCrops::pixels, the warps, and the first ones if there are.
Batch drawn_batch(const KeypointExamples& examples, const LandmarkBatches& o, int size,
                  int64_t number, const ImageCache* cache) {
  Batch batch = augmented_crops(examples, o.crops, size, number, cache).pixels;
  Random random(o.crops.seed, uint64_t(number), uint64_t{220} << 40);
  if (o.first) put(batch, "first", random_warps(first_of(o.warps), size, random));
  put(batch, "warp", random_warps(o.warps, size, random));
  batch["reconstruction_weight"] =
      Tensor::full({size, examples.channels()}, o.reconstruction.at(number));
  return batch;
}

// What the model learns of it, on its device.
Batch landmark_batch(const Batch& drawn, const LandmarkBatches& o, const ImageCache* cache) {
  Tensor image = images_of(drawn, {o.crops.height, o.crops.width}, cache);
  if (o.first) image = warp_smoothly(image, warp_in(drawn, "first"));
  Batch batch{{"image", image}, {"reconstruction_weight", drawn.at("reconstruction_weight")}};
  put(batch, "warp", warp_in(drawn, "warp"));
  return batch;
}

Device device_of(Model& model) { return named_tensors(model).front().tensor->device(); }

// The landmarks [N,K,2] that the model finds now, in unit coordinates of the frame that its warps
// act on.
Tensor landmarks_in_frame(Model& model, const Tensor& images) {
  const std::vector<Keypoints> found = model.detect(images, {});
  const auto* autoencoder = dynamic_cast<LandmarkAutoencoder*>(&model);
  const double p = autoencoder ? autoencoder->padding() : 0;
  const int64_t K = model.skeleton()->keypoints();
  Tensor landmarks = Tensor::empty({images.dim(0), K, 2});
  for (int64_t i = 0; i < images.dim(0) * K; ++i) {
    const auto& at = found[size_t(i / K)].points[size_t(i % K)];
    for (int c = 0; c < 2; ++c)
      landmarks.data<float>()[2 * i + c] =
          float((double(at[size_t(c)]) + 0.5 + p) / (double(images.dim(2 - c)) + 2 * p));
  }
  return landmarks;
}

class Source : public BatchSource {
 public:
  Source(const KeypointExamples& examples, const LandmarkBatches& options, Model& model, int batch,
         int workers, int64_t first, const ImageCache* cache)
      : options_(options),
        model_(model),
        cache_(cache),
        batches_(
            [=, &examples](int64_t number) {
              return drawn_batch(examples, options, batch, number, cache);
            },
            workers, first) {}
  Batch next() override {
    const int64_t number = batches_.next_number();
    Batch batch = batches_.next();
    if (options_.by_landmarks > 0) warp_about_landmarks(batch, number);
    return batch;
  }
  Batch prepared(const Batch& batch) const override {
    return landmark_batch(batch, options_, cache_);
  }

 private:
  void warp_about_landmarks(Batch& batch, int64_t number) const {
    const double grown =
        (double(number) - options_.ramp[0]) / (options_.ramp[1] - options_.ramp[0]);
    const double share = options_.by_landmarks * std::clamp(grown, 0.0, 1.0);
    Random random(options_.crops.seed, uint64_t(number), uint64_t{221} << 40);
    std::vector<int64_t> chosen;
    for (int64_t n = 0; n < batch.at("plan").dim(0); ++n)
      if (random.uniform() < share) chosen.push_back(n);
    if (chosen.empty()) return;
    Batch there = batch;
    for (auto& [name, tensor] : there) tensor = tensor.to(device_of(model_));
    const Tensor image = prepared(there).at("image");
    Tensor images =
        image.empty_like({int64_t(chosen.size()), image.dim(1), image.dim(2), image.dim(3)});
    for (size_t i = 0; i < chosen.size(); ++i)
      images.rows(int64_t(i), int64_t(i) + 1).copy_from(image.rows(chosen[i], chosen[i] + 1));
    put(batch, "warp",
        with_warps(warp_in(batch, "warp"), chosen,
                   random_warps_about(landmarks_in_frame(model_, images), options_.warps, random)));
  }

  const LandmarkBatches options_;
  Model& model_;
  const ImageCache* cache_;
  Prefetcher<Batch> batches_;
};

// The mean squared distance of the images' pixels from their image's mean colour.
double plain_error(const Tensor& images) {
  const int64_t N = images.dim(0), C = images.dim(3), pixels = images.count() / (N * C);
  double sum = 0;
  for (int64_t n = 0; n < N; ++n)
    for (int64_t c = 0; c < C; ++c) {
      double first = 0, second = 0;
      for (int64_t u = 0; u < pixels; ++u) {
        const double v = images.data<float>()[(n * pixels + u) * C + c];
        first += v;
        second += v * v;
      }
      sum += second - first * first / double(pixels);
    }
  return sum / double(images.count());
}

double decibels(double squared_error) { return -10 * std::log10(squared_error); }

class LandmarksTask : public Task {
 public:
  LandmarksTask(Recipe& r, uint64_t seed) {
    KeypointBatches& crops = batches_.crops;
    crops.height = r.integer("data.height", 80, 16, 4096);
    crops.width = r.integer("data.width", 80, 16, 4096);
    crops.seed = seed;
    crops.augmentation = KeypointAugmentation::none();
    crops.augmentation.colour.brightness = r.real("augment.brightness", 0.125, 0, 1);
    crops.augmentation.colour.contrast = r.real("augment.contrast", 0.5, 0, 1);
    batches_.warps = warps_of(r);
    batches_.first = r.boolean("warp.first", false);
    batches_.by_landmarks = r.real("warp.by_landmarks", 0, 0, 1);
    batches_.ramp = r.reals("warp.landmark_ramp", batches_.ramp, 0, 1e9);
    if (batches_.ramp.size() != 2 || batches_.ramp[0] >= batches_.ramp[1])
      throw UsageError("warp.landmark_ramp", text(batches_.ramp.size(), " numbers, or not rising"),
                       "the step it begins at and the one it ends at", "[5000, 10000], say");
    batches_.reconstruction = stairs_of(r, "reconstruction");
    workers_ = int(r.integer("data.workers", 0, 0, 256));
    read_examples(r);
    points_ = int(r.integer("eval.points", 0, 0, 1000));
    fit_images_ = r.integer("eval.fit_images", 3000, 1, 100'000'000);
    test_images_ = r.integer("eval.images", 1000, 1, 100'000'000);
    const std::string reference = r.string("eval.reference", "interocular");
    if (!test_) return;  // without annotated points there is nothing to measure these by
    fit_images_ = at_most(fit_images_, *fit_);
    test_images_ = at_most(test_images_, *test_);
    const auto ends = ReferenceLength(reference, test_->skeleton()).ends();
    if (!ends)
      throw UsageError("eval.reference", reference, "the distance of two points",
                       "interocular, or NAME:NAME");
    ends_ = *ends;
  }

  std::unique_ptr<BatchSource> source(Model& model, int batch, int64_t first) override {
    if (!cache_) cache_ = cache_of(*training_, device_of(model));
    return std::make_unique<Source>(*training_, batches_, model, batch, workers_, first,
                                    cache_.get());
  }

  Options model_options() const override {
    Options options = crop_rule_options({batches_.crops.height, batches_.crops.width, 0});
    options["channels"] = std::to_string(training_->channels());
    return options;
  }

  void check(const Model& model) const override {
    const auto inputs = model.loss_inputs(1, batches_.crops.height, batches_.crops.width);
    if (!inputs.contains("warp_theta") || !model.skeleton())
      throw UsageError("model.architecture",
                       text(model.architecture(), " does not learn from warps"),
                       "a network that discovers landmarks", "use landmark_autoencoder");
  }

  std::optional<Objective> objective() const override {
    return test_ ? Objective{"error", false} : Objective{"warp_error", false};
  }

  Evaluation evaluate(Model& model, Device device) override {
    Evaluation e;
    measure_warps(model, device, e);
    if (test_) measure_points(model, device, e);
    const KeypointExamples& of = test_ ? *test_ : *training_;
    const Tensor images = some_of(of, 64),
                 shown = images.rows(0, std::min<int64_t>(12, images.dim(0)));
    if (auto* autoencoder = dynamic_cast<LandmarkAutoencoder*>(&model)) {
      for (int k : dead_landmarks(*autoencoder, images, device))
        e.warnings.push_back(text(
            "landmark ", k + 1,
            " is dead: its map claims no pixels, and its point is noise. If it stays so, lower "
            "train.lr, ask for fewer landmarks, or begin again with another train.seed"));
      e.metrics["exchange_error"] = 100 * exchange_error(*autoencoder, images, device);
      e.pictures.push_back({"landmarks", autoencoder_sheet(*autoencoder, shown, device)});
    } else {
      e.pictures.push_back({"landmarks", landmark_sheet(model, shown, device)});
    }
    return e;
  }

  std::vector<std::string> left_out() const override {
    std::vector<std::string> lines = training_->left_out();
    if (test_)
      for (const std::string& line : test_->left_out()) lines.push_back(line);
    return lines;
  }

 private:
  void read_examples(Recipe& r) {
    const KeypointBatches& crops = batches_.crops;
    const std::string source = r.choice("data.source", "files", {"files", "synthface"});
    if (source == "synthface") {
      if (crops.height != crops.width)
        throw UsageError("data.width", text(crops.width, ", data.height ", crops.height),
                         "a square for synthface", "give equal sides");
      SynthFaceOptions o{int(crops.height), crops.seed};
      training_ = synth_face_examples(o);
      o.seed = ~crops.seed;
      fit_ = synth_face_examples(o);
      o.seed = ~crops.seed ^ 0x5eed;
      test_ = synth_face_examples(o);
      return;
    }
    DatasetExampleOptions o;
    o.channels = r.choice("data.colours", "rgb", {"rgb", "grey"}) == "grey" ? 1 : 3;
    o.keep_bytes = r.integer("data.keep_mib", o.keep_bytes >> 20, 0, 1 << 24) << 20;
    const std::vector<std::string> folders = r.strings("data.images");
    const std::string training = r.string("data.train", ""),
                      validation = r.string("data.validation", "");
    if (training.empty() == folders.empty())
      throw UsageError(
          "data.images",
          training.empty() ? "neither it nor data.train is given" : "data.train is given as well",
          "folders of images, or annotated ones to be measured on", "--set data.images=FOLDER");
    if (!folders.empty()) {
      training_ = photo_examples(folders, crops.height, crops.width, o);
      return;
    }
    training_ = fit_ = dataset_examples(training, o);
    if (!validation.empty()) test_ = dataset_examples(validation, o);
  }

  // The first images, as they are.
  Tensor some_of(const KeypointExamples& examples, int64_t count) const {
    if (examples.count()) count = std::min(count, examples.count());
    return plain_crops(examples, batches_.crops.height, batches_.crops.width, 0, int(count)).image;
  }

  static int64_t at_most(int64_t asked, const KeypointExamples& of) {
    return of.count() ? std::min(asked, of.count()) : asked;
  }

  // On warps that training has not seen, and where there is a validation set on its images.
  void measure_warps(Model& model, Device device, Evaluation& e) const {
    constexpr int batches = 8, size = 32;
    LandmarkBatches held_out = batches_;
    held_out.crops.seed = ~batches_.crops.seed;
    held_out.crops.augmentation = KeypointAugmentation::none();
    std::map<std::string, double> mean;
    double plain = 0;
    for (int i = 0; i < batches; ++i) {
      Batch batch = landmark_batch(
          drawn_batch(test_ ? *test_ : *training_, held_out, size, i, nullptr), held_out, nullptr);
      plain += plain_error(batch.at("image")) / batches;
      for (auto& [name, tensor] : batch) tensor = tensor.to(device);
      Tape tape(false);
      for (const auto& [name, value] : model.loss(tape, batch).terms)
        mean[name] += value.item() / batches;
    }
    e.metrics["warp_error"] = 100 * mean.at("warp_error");
    if (mean.contains("spread")) e.metrics["sigma"] = std::sqrt(mean["spread"]);
    if (mean.contains("squared_error")) {
      e.metrics["psnr"] = decibels(mean["squared_error"]);
      e.metrics["psnr_of_mean_colour"] = decibels(plain);
    }
  }

  void measure_points(Model& model, Device device, Evaluation& e) const {
    const LandmarkSplit fit = discovered_landmarks(model, device, *fit_, fit_images_, points_),
                        test = discovered_landmarks(model, device, *test_, test_images_, points_);
    const LandmarkScores scores = landmark_scores(fit, test, ends_, {.bias = true, .ridge = 0});
    e.metrics["error"] = scores.error;
    e.metrics["error_of_mean_shape"] = scores.mean_shape;
    e.metrics["backward_error"] = backward_error(fit, test, ends_, {.bias = true, .ridge = 0});
    e.metrics["least_distance"] = least_distance(test.discovered);
  }

  LandmarkBatches batches_;
  std::unique_ptr<ImageCache> cache_;  // of the training images
  Examples training_, fit_, test_;
  int64_t fit_images_ = 0, test_images_ = 0;
  int points_ = 0, workers_;
  std::array<int, 2> ends_{};
};

}  // namespace

std::unique_ptr<Task> make_landmarks_task(Recipe& recipe, uint64_t seed) {
  return std::make_unique<LandmarksTask>(recipe, seed);
}

}  // namespace cairn
