// Named points on one object: crops of annotated images, or figures drawn as needed
// (training/stickman.h), for networks with a codec (Newell, Yang, Deng, ECCV 2016, for example).
#include <cmath>

#include "models/skeleton.h"
#include "runtime/error.h"
#include "training/keypoint_batches.h"
#include "training/keypoint_evaluation.h"
#include "training/prefetcher.h"
#include "training/task.h"

namespace cairn {
namespace {

using Examples = std::unique_ptr<KeypointExamples>;

KeypointAugmentation augmentation_of(Recipe& r) {
  KeypointAugmentation a;
  a.flip = r.real("augment.flip", a.flip, 0, 1);
  a.scale_low = r.real("augment.scale_low", a.scale_low, 0.1, 10);
  a.scale_high = r.real("augment.scale_high", a.scale_high, 0.1, 10);
  a.rotation = r.real("augment.rotation", a.rotation, 0, 180);
  a.translation = r.real("augment.translation", a.translation, 0, 1);
  a.colour.gain = r.real("augment.gain", a.colour.gain, 0, 1);
  a.colour.saturation = r.real("augment.saturation", a.colour.saturation, 0, 1);
  a.colour.hue = r.real("augment.hue", a.colour.hue, 0, 180);
  a.colour.contrast = r.real("augment.contrast", a.colour.contrast, 0, 1);
  a.colour.brightness = r.real("augment.brightness", a.colour.brightness, 0, 1);
  a.occluders.probability = r.real("augment.occluders", a.occluders.probability, 0, 1);
  a.noise = r.real("augment.noise", a.noise, 0, 255);
  if (a.scale_low > a.scale_high)
    throw UsageError("augment.scale_low",
                     text(a.scale_low, " is above augment.scale_high, ", a.scale_high), "a range",
                     "exchange them");
  return a;
}

StickmanOptions stickman_of(Recipe& r, int64_t height, int64_t width, uint64_t seed) {
  if (height != width)
    throw UsageError("data.width", text(width, ", data.height ", height), "a square for stickman",
                     "give equal sides");
  StickmanOptions o;
  o.size = int(height);
  o.seed = seed;
  o.height = r.real("stickman.height", o.height, 0.1, 1);
  o.scale_low = r.real("stickman.scale_low", o.scale_low, 0.1, 2);
  o.scale_high = r.real("stickman.scale_high", o.scale_high, 0.1, 2);
  o.rotation = r.real("stickman.rotation", o.rotation, 0, 180);
  o.distractor = r.real("stickman.distractor", o.distractor, 0, 1);
  o.occluder = r.real("stickman.occluder", o.occluder, 0, 1);
  return o;
}

struct ExampleSets {
  Examples training, validation;
  Examples distractors;  // of figures: the same network must follow whoever stands in the middle
};

ExampleSets examples_of(Recipe& r, int64_t height, int64_t width, uint64_t seed) {
  if (r.choice("data.source", "files", {"files", "stickman"}) == "stickman") {
    StickmanOptions o = stickman_of(r, height, width, seed);
    Examples training = stickman_examples(o);
    o.seed = ~seed;
    return {std::move(training), stickman_examples(o), stickman_examples(o, true)};
  }
  const std::string training = r.string("data.train", ""),
                    validation = r.string("data.validation", "");
  for (const auto& [key, path] :
       {std::pair{"data.train", training}, {"data.validation", validation}})
    if (path.empty())
      throw UsageError(key, "no annotation file", "a .json or .csv file, or a folder with one",
                       text("--set ", key, "=PATH"));
  DatasetExampleOptions o;
  o.channels = r.choice("data.colours", "rgb", {"rgb", "grey"}) == "grey" ? 1 : 3;
  o.box_margin = r.real("data.box_margin", o.box_margin, 0, 100);
  o.keep_bytes = r.integer("data.keep_mib", o.keep_bytes >> 20, 0, 1 << 24) << 20;
  return {dataset_examples(training, o), dataset_examples(validation, o), nullptr};
}

class Source : public BatchSource {
 public:
  Source(const KeypointExamples& examples, const KeypointBatches& options, const Codec& codec,
         int batch, int workers, int64_t first, const ImageCache* cache)
      : codec_(codec),
        size_{options.height, options.width},
        cache_(cache),
        batches_(
            [=, &examples, &codec](int64_t number) {
              return annotated(training_crops(examples, options, batch, number, cache), codec,
                               {options.height, options.width});
            },
            workers, first) {}
  Batch next() override { return batches_.next(); }
  Batch prepared(const Batch& batch) const override {
    return with_targets(batch, codec_, size_, cache_);
  }

 private:
  const Codec& codec_;
  const InputSize size_;
  const ImageCache* cache_;
  Prefetcher<Batch> batches_;
};

class KeypointsTask : public Task {
 public:
  KeypointsTask(Recipe& r, uint64_t seed) {
    batches_.height = evaluation_.height = r.integer("data.height", 128, 16, 4096);
    batches_.width = evaluation_.width = r.integer("data.width", 128, 16, 4096);
    batches_.seed = seed;
    batches_.augmentation = augmentation_of(r);
    workers_ = int(r.integer("data.workers", 0, 0, 256));
    examples_ = examples_of(r, batches_.height, batches_.width, seed);

    const Skeleton& skeleton = examples_.training->skeleton();
    metric_ = r.choice("eval.metric", "pck", {"pck", "nme", "pixels"});
    reference_.emplace(r.string("eval.reference", "pixels"), skeleton);
    threshold_ = r.real("eval.threshold", 0.2, 0, 1e6);
    evaluation_.flip = r.boolean("eval.flip", false);
    evaluation_.pictures = r.integer("eval.pictures", 12, 0, 1000);
    const int64_t all = examples_.validation->count();
    const int64_t asked = r.integer("eval.images", all ? all : 500, 1, 100'000'000);
    evaluation_.images = all ? std::min(all, asked) : asked;
    check_skeletons();
  }

  std::unique_ptr<BatchSource> source(Model& model, int batch, int64_t first) override {
    if (!cache_)
      cache_ = cache_of(*examples_.training, named_tensors(model).front().tensor->device());
    return std::make_unique<Source>(*examples_.training, batches_, *model.codec(), batch, workers_,
                                    first, cache_.get());
  }

  Options model_options() const override {
    Options options = skeleton_options(examples_.training->skeleton());
    options["joints"] = std::to_string(examples_.training->skeleton().keypoints());
    options.merge(
        crop_rule_options({batches_.height, batches_.width, examples_.training->margin()}));
    options["channels"] = std::to_string(examples_.training->channels());
    return options;
  }

  void check(const Model& model) const override {
    if (!model.codec())
      throw UsageError("model.architecture",
                       text(model.architecture(), " does not say where named points are"),
                       "a network with a codec", "use stacked_hourglass");
    if (model.channels() != examples_.training->channels())
      throw UsageError("model.architecture",
                       text(model.architecture(), " reads ", model.channels(), " channels"),
                       text(examples_.training->channels()), "use stacked_hourglass");
    const int64_t m = model.size_multiple();
    for (const auto& [name, side] :
         {std::pair{"data.height", batches_.height}, {"data.width", batches_.width}})
      if (side % m)
        throw UsageError(name, text("it is ", side), text("a multiple of ", m, " for this network"),
                         text("use ", (side + m - 1) / m * m, ", or a smaller model.depth"));
  }

  std::optional<Objective> objective() const override {
    return Objective{metric_ == "pixels" ? "pixels_mean" : metric_, metric_ == "pck"};
  }

  Evaluation evaluate(Model& model, Device device) override {
    const KeypointResults results =
        evaluate_keypoints(model, device, *examples_.validation, *reference_, evaluation_);
    const KeypointErrors& errors = results.errors;
    Evaluation e;
    const auto add = [&](const char* name, double value) {
      if (std::isfinite(value)) e.metrics[name] = value;
    };
    add("pck", pck(errors));
    if (!results.hidden.pixels().empty()) {
      add("pck_visible", pck(results.visible));
      add("pck_hidden", pck(results.hidden));
    }
    if (examples_.distractors) {
      KeypointEvaluation fewer = evaluation_;
      fewer.images = std::max<int64_t>(1, evaluation_.images / 4);
      fewer.pictures = 0;
      add("pck_distractor",
          pck(evaluate_keypoints(model, device, *examples_.distractors, *reference_, fewer)
                  .errors));
    }
    add("nme", finite_mean(errors.instances()));
    add("pixels_mean", finite_mean(errors.pixels()));
    add("pixels_median", median(errors.pixels()));
    const double share = results.loss / results.zero_loss;
    add("loss_of_zero", share);
    if (share > 0.95)
      e.warnings.push_back(
          text("the loss is ", std::round(100 * share),
               " % of that of a network that predicts nothing: it has learned nothing yet. If it "
               "stays so, lower train.lr, add train.warmup_steps, and look at the pictures below: "
               "points must lie where the images show them"));
    if (evaluation_.pictures > 0)
      e.pictures.push_back({"validation", contact_sheet(results.pictures, 4, 384)});
    return e;
  }

  std::vector<std::string> left_out() const override {
    std::vector<std::string> lines = examples_.training->left_out();
    for (const std::string& line : examples_.validation->left_out()) lines.push_back(line);
    return lines;
  }

 private:
  // Of heads, the total leaves out the points that no one sees, as PCKh does.
  double pck(const KeypointErrors& errors) const {
    return share_within(reference_->name() == "head"
                            ? errors.points(pckh_points(examples_.training->skeleton()))
                            : errors.points(),
                        threshold_);
  }

  void check_skeletons() const {
    const Skeleton &a = examples_.training->skeleton(), &b = examples_.validation->skeleton();
    if (a.names != b.names)
      throw UsageError("data.validation",
                       text("it has ", b.keypoints(), " points, data.train ", a.keypoints(),
                            ", or they are called otherwise"),
                       "the points of data.train, in its order", "correct one of the two");
    if (!a.swap.empty()) return;
    if (batches_.augmentation.flip > 0 || evaluation_.flip)
      throw UsageError(batches_.augmentation.flip > 0 ? "augment.flip" : "eval.flip",
                       "the data do not say which points a mirror image exchanges",
                       "flip pairs in the annotations",
                       "add them, or set augment.flip = 0 and eval.flip = false");
  }

  ExampleSets examples_;
  std::unique_ptr<ImageCache> cache_;  // of the training images
  KeypointBatches batches_;
  KeypointEvaluation evaluation_;
  std::optional<ReferenceLength> reference_;
  std::string metric_;
  double threshold_;
  int workers_;
};

}  // namespace

std::unique_ptr<Task> make_keypoints_task(Recipe& recipe, uint64_t seed) {
  return std::make_unique<KeypointsTask>(recipe, seed);
}

}  // namespace cairn
