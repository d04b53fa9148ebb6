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

class SynthFaceExamples : public KeypointExamples {
 public:
  explicit SynthFaceExamples(const SynthFaceOptions& options) : options_(options) {
    synth_face(options, 0);  // checks the size
  }
  const Skeleton& skeleton() const override { return synth_face_skeleton(); }
  int channels() const override { return 3; }
  int64_t count() const override { return 0; }
  KeypointExample example(int64_t index) const override {
    const SynthFace face = synth_face(options_, index);
    Instance instance;
    for (const Point& p : face.points) instance.points.push_back({p.x, p.y, Visibility::visible});
    complete(instance);
    return {face.image, instance};
  }
  double margin() const override { return 0; }

 private:
  SynthFaceOptions options_;
};

bool is_labelled(const Instance& instance) {
  return !instance.crowd && instance.labelled_points() > 0;
}

class DatasetExamples : public KeypointExamples {
 public:
  /// Every instance of the images is an example.
  DatasetExamples(const KeypointDataset& data, std::vector<std::string> left_out,
                  const DatasetExampleOptions& options)
      : options_(options), skeleton_(data.skeleton), left_out_(std::move(left_out)) {
    for (const AnnotatedImage& image : data.images) images_.push_back({image, {}});
    const std::vector<std::string> wrong = read_all();
    for (size_t i = 0; i < images_.size(); ++i) {
      if (!wrong[i].empty()) {
        left_out_.push_back(wrong[i]);
        continue;
      }
      for (size_t k = 0; k < images_[i].annotated.instances.size(); ++k) places_.push_back({i, k});
    }
    if (places_.empty())
      throw Error(data.source,
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
            stored.annotated.instances[place.instance], kept_ ? int64_t(place.image) : -1};
  }
  std::vector<Tensor> kept_images() const override {
    std::vector<Tensor> kept;
    if (kept_)
      for (const Stored& s : images_) kept.push_back(s.pixels);
    return kept;
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

std::unique_ptr<KeypointExamples> synth_face_examples(const SynthFaceOptions& options) {
  return std::make_unique<SynthFaceExamples>(options);
}

std::unique_ptr<KeypointExamples> dataset_examples(const std::string& path,
                                                   const DatasetExampleOptions& options) {
  std::vector<std::string> left_out;
  KeypointDataset data = read_training_dataset(path, left_out);
  data.source = path;
  for (AnnotatedImage& image : data.images)
    std::erase_if(image.instances, [](const Instance& i) { return !is_labelled(i); });
  std::erase_if(data.images, [](const AnnotatedImage& image) { return image.instances.empty(); });
  return std::make_unique<DatasetExamples>(data, std::move(left_out), options);
}

std::unique_ptr<KeypointExamples> photo_examples(const std::vector<std::string>& folders,
                                                 int64_t height, int64_t width,
                                                 const DatasetExampleOptions& options) {
  KeypointDataset data;
  std::vector<std::string> left_out;
  for (const std::string& folder : folders) {
    data.source += (data.source.empty() ? "" : ", ") + folder;
    const std::vector<std::string> paths = image_files(folder);
    if (paths.empty())
      throw Error(folder, "there are no images in it",
                  "a folder of JPEG, PNG, BMP, PGM or PPM files", "name another folder");
    for (const std::string& path : paths) try {
        const ImageInfo info = read_image_info(path);
        const double scale =
            std::min(double(info.width) / double(width), double(info.height) / double(height));
        Instance whole;
        whole.box = {0, 0, scale * double(width), scale * double(height)};
        whole.box.x = (double(info.width) - whole.box.width) / 2 - 0.5;
        whole.box.y = (double(info.height) - whole.box.height) / 2 - 0.5;
        data.images.push_back({0, path, int(info.width), int(info.height), {whole}});
      } catch (const Error& e) {
        left_out.push_back(text(e.where, ": ", e.wrong));
      }
  }
  if (data.images.empty())
    throw Error(data.source,
                text("not one of its ", left_out.size(),
                     " images can be read; the last: ", left_out.back()),
                "images", "look at the files");
  DatasetExampleOptions filled = options;
  filled.box_margin = 1;
  return std::make_unique<DatasetExamples>(data, std::move(left_out), filled);
}

}  // namespace cairn
