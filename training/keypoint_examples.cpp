#include "training/keypoint_examples.h"

#include <algorithm>
#include <filesystem>

#include "runtime/error.h"
#include "runtime/image.h"
#include "runtime/threads.h"
#include "training/dataset_report.h"
#include "training/keypoint_augmentation.h"

namespace cairn {
namespace {

class StickmanExamples : public KeypointExamples {
 public:
  StickmanExamples(const StickmanOptions& options, bool on_distractor)
      : options_(options), on_distractor_(on_distractor) {
    stickman(options, 0);  // checks the size
  }
  const Skeleton& skeleton() const override { return mpii_skeleton(); }
  int channels() const override { return 3; }
  int64_t count() const override { return 0; }
  KeypointExample example(int64_t index) const override {
    const Stickman drawn = stickman(options_, index, on_distractor_);
    return {drawn.image, drawn.figures[on_distractor_ ? 1 : 0]};
  }
  double margin() const override { return 0; }

 private:
  StickmanOptions options_;
  const bool on_distractor_;
};

bool is_labelled(const Instance& instance) {
  return !instance.crowd && instance.labelled_points() > 0;
}

class DatasetExamples : public KeypointExamples {
 public:
  DatasetExamples(const std::string& path, const DatasetExampleOptions& options)
      : options_(options) {
    KeypointDataset data = read_training_dataset(path, left_out_);
    skeleton_ = data.skeleton;
    for (AnnotatedImage& image : data.images)
      if (std::any_of(image.instances.begin(), image.instances.end(), is_labelled))
        images_.push_back({std::move(image), {}});
    const std::vector<std::string> wrong = read_all();
    for (size_t i = 0; i < images_.size(); ++i) {
      if (!wrong[i].empty()) {
        left_out_.push_back(wrong[i]);
        continue;
      }
      const auto& instances = images_[i].annotated.instances;
      for (size_t k = 0; k < instances.size(); ++k)
        if (is_labelled(instances[k])) places_.push_back({i, k});
    }
    if (places_.empty())
      throw Error(path,
                  images_.empty() ? "no instance has a labelled point"
                                  : text("none of its ", images_.size(),
                                         " images can be read; the last: ", left_out_.back()),
                  "images with labelled points", "look at it with cairn check");
  }

  const Skeleton& skeleton() const override { return skeleton_; }
  int channels() const override { return options_.channels; }
  int64_t count() const override { return int64_t(places_.size()); }
  KeypointExample example(int64_t index) const override {
    const Place& place = places_.at(size_t(index));
    const Stored& stored = images_[place.image];
    return {kept_ ? stored.pixels : read_image(stored.annotated.path, options_.channels),
            stored.annotated.instances[place.instance]};
  }
  double margin() const override { return options_.box_margin; }
  std::vector<std::string> left_out() const override { return left_out_; }

 private:
  struct Stored {
    AnnotatedImage annotated;
    Tensor pixels;  // u8 [H,W,channels], if images are kept
  };
  struct Place {
    size_t image, instance;
  };

  // Decodes every image and keeps it if all of them fit; what is wrong with each, or "".
  std::vector<std::string> read_all() {
    std::vector<std::string> wrong(images_.size());
    int64_t bytes = 0;
    for (size_t i = 0; i < images_.size(); ++i) try {
        const ImageInfo info = read_image_info(images_[i].annotated.path);
        bytes += info.width * info.height * options_.channels;
      } catch (const Error& e) {
        wrong[i] = text(e.where, ": ", e.wrong);
      }
    kept_ = bytes <= options_.keep_bytes;
    parallel_for(int64_t(images_.size()), 1, [&](int64_t begin, int64_t end) {
      for (size_t i = size_t(begin); i < size_t(end); ++i) try {
          if (!wrong[i].empty()) continue;
          const Tensor pixels = read_image(images_[i].annotated.path, options_.channels);
          if (kept_) images_[i].pixels = pixels;
        } catch (const Error& e) {
          wrong[i] = text(e.where, ": ", e.wrong);
        }
    });
    return wrong;
  }

  const DatasetExampleOptions options_;
  Skeleton skeleton_;
  std::vector<Stored> images_;
  std::vector<Place> places_;
  std::vector<std::string> left_out_;
  bool kept_ = false;
};

}  // namespace

std::unique_ptr<KeypointExamples> stickman_examples(StickmanOptions options, bool on_distractor) {
  if (on_distractor) options.distractor = 1;
  return std::make_unique<StickmanExamples>(options, on_distractor);
}

std::unique_ptr<KeypointExamples> dataset_examples(const std::string& path,
                                                   const DatasetExampleOptions& options) {
  return std::make_unique<DatasetExamples>(path, options);
}

}  // namespace cairn
