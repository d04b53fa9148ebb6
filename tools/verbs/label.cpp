// cairn label: pseudo-labels of photographs by homographic adaptation.
#include <chrono>
#include <filesystem>
#include <iomanip>
#include <iostream>

#include "layers/prepared_weights.h"
#include "models/keypoint_files.h"
#include "runtime/crc32.h"
#include "runtime/error.h"
#include "runtime/image.h"
#include "tools/detect_options.h"
#include "tools/image_list.h"
#include "tools/label_settings.h"
#include "training/draw.h"
#include "training/label_files.h"
#include "training/photo_images.h"
#include "training/prefetcher.h"
#include "training/progress.h"
#include "training/pseudo_labels.h"

namespace cairn {
namespace {

struct LabelArguments {
  std::vector<std::string> images;
  std::string out, overlay, size = "240x320", aggregation = "sum";
  PseudoLabelOptions label;
  DetectorArguments detector;
  bool json = false;

  LabelArguments() { detector.detect = label.points; }
};

class Labelling {
 public:
  explicit Labelling(const LabelArguments& o)
      : o_(o), size_(parse_size("--size", o.size)), label_(o.label) {
    loaded_ = load_detector(o.detector);
    model_ = dynamic_cast<SuperPoint*>(loaded_.model.get());
    if (!model_)
      throw UsageError("--model", text(o.detector.model, " is a ", loaded_.model->architecture()),
                       "a detector: magicpoint or superpoint", "name another model file");
    if (size_.height % SuperPoint::cell || size_.width % SuperPoint::cell)
      throw UsageError("--size", o.size, text("multiples of ", SuperPoint::cell),
                       "round the sides up");
    if (o.aggregation == "max") label_.adaptation.aggregation = Aggregation::max;
    label_.points = o.detector.detect;
    label_.adaptation.batch = views_at_once(size_.height, size_.width, o.detector.place.device);
  }

  void run() {
    const std::vector<std::string> images = expand_images(o_.images);
    make_folder(o_.out);
    if (!o_.overlay.empty()) make_folder(o_.overlay);
    settle_labels(o_.out, settings());
    const std::vector<std::string> labels = label_paths(o_.out, images);
    std::vector<size_t> open;
    for (size_t i = 0; i < images.size(); ++i)
      if (!std::filesystem::exists(labels[i])) open.push_back(i);

    const auto start = std::chrono::steady_clock::now();
    Progress progress("label", int64_t(open.size()), "images");
    progress.update(0);
    // Images are read while others are labelled; a GPU asks for more of them.
    Prefetcher<Tensor> photos(
        [&](int64_t i) {
          return i < int64_t(open.size()) ? photo(images[open[size_t(i)]]) : Tensor();
        },
        o_.detector.place.device == Device::cuda ? 4 : 1, 0);
    for (size_t i = 0; i < open.size(); ++i) {
      try {
        one(images[open[i]], labels[open[i]], photos.next());
      } catch (const Unreadable& u) {
        skipped_.push_back(u);
      }
      progress.update(int64_t(i) + 1);
    }
    seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    report(images.size(), images.size() - open.size());
  }

 private:
  struct Unreadable {
    std::string path, why;
  };

  Json settings() const {
    return {{"model", file_identity(o_.detector.model)},
            {"size", text(size_.height, 'x', size_.width)},
            {"precision", name(o_.detector.place.precision)},
            {"homographies", label_.homographies},
            {"aggregation", o_.aggregation},
            {"least_views", label_.adaptation.least_count},
            {"threshold", label_.points.threshold},
            {"nms", label_.points.nms_radius},
            {"border", label_.points.border},
            {"top_k", label_.points.top_k},
            {"subpixel", name(label_.points.refinement)}};
  }

  Tensor photo(const std::string& path) const {
    try {
      return load_photo(path, size_.height, size_.width, model_->channels());
    } catch (const Error& e) {
      throw Unreadable{path, e.wrong};
    }
  }

  void one(const std::string& path, const std::string& label, const Tensor& image) {
    const std::string name = std::filesystem::path(path).filename().string();
    const InferenceWeights::Use use(weights_);
    const Keypoints found =
        pseudo_labels(*model_, o_.detector.place, image, label_, crc32(name.data(), name.size()));
    write_keypoints_npz(label, found, size_.width, size_.height);
    ++labelled_;
    points_ += found.points.size();
    if (o_.overlay.empty()) return;
    write_png(o_.overlay + "/" + std::filesystem::path(label).stem().string() + ".png",
              draw_keypoints(image, scored_points(found)));
  }

  void report(size_t images, size_t there) const {
    std::string why;
    for (const Unreadable& u : skipped_) why += "\n  " + u.path + ": " + u.why;
    if (skipped_.size() == images)
      throw Error("images", text("none of ", images, " could be read:", why),
                  "at least one image: JPEG, PNG, BMP, PGM or PPM", "check the files named above");
    if (!skipped_.empty())
      std::cerr << skipped_.size() << " of " << images << " images were skipped:" << why << '\n';
    const double mean = labelled_ ? double(points_) / double(labelled_) : 0;
    const double rate = seconds_ > 0 ? double(labelled_) / seconds_ : 0;
    if (o_.json) {
      Json skipped = Json::array();
      for (const Unreadable& u : skipped_) skipped.push_back({{"image", u.path}, {"why", u.why}});
      return print_json({{"out", o_.out},
                         {"images", images},
                         {"labelled", labelled_},
                         {"already_there", there},
                         {"skipped", skipped},
                         {"points_per_image", mean},
                         {"images_per_s", rate}});
    }
    std::cout << labelled_ << " images labelled in " << o_.out << " (" << there
              << " were there already)";
    if (labelled_ > 0)
      std::cout << ", " << std::fixed << std::setprecision(1) << mean << " points each, "
                << std::setprecision(3) << rate << " images/s";
    std::cout << std::endl;
  }

  const LabelArguments& o_;
  const Size size_;
  PseudoLabelOptions label_;
  LoadedModel loaded_;
  SuperPoint* model_ = nullptr;
  InferenceWeights weights_;
  std::vector<Unreadable> skipped_;
  size_t labelled_ = 0, points_ = 0;
  double seconds_ = 0;
};

}  // namespace

void add_label(CLI::App& verb) {
  describe(verb, "Label photographs with a detector's own points, by homographic adaptation",
           "cairn label photos/ --model weights/magicpoint.safetensors --out labels/");
  auto o = std::make_shared<LabelArguments>();
  verb.add_option("IMAGE", o->images, "images, or folders of images")->required()->type_name("");
  verb.add_option("--out", o->out,
                  "folder for the label files, NAME.npz. Images that have one are not labelled "
                  "again, so that a run that was stopped goes on")
      ->required()
      ->type_name("DIR");
  verb.add_option("--size", o->size,
                  "height x width that images are cut and resized to, as training does; 240x320")
      ->type_name("HxW");
  verb.add_option("--homographies", o->label.homographies, "views of each image; 100")
      ->type_name("N")
      ->check(CLI::Range(1, 100000));
  verb.add_option("--aggregation", o->aggregation, "sum (the mean) or max over the views; sum")
      ->check(CLI::IsMember({"sum", "max"}))
      ->type_name("A");
  verb.add_option("--least-views", o->label.adaptation.least_count,
                  "no points where fewer views saw the pixel; 0")
      ->type_name("N")
      ->check(CLI::Range(0, 100000));
  verb.add_option("--overlay", o->overlay, "folder for pictures with the points")->type_name("DIR");
  add_detector_options(verb, o->detector);
  add_json_option(verb, o->json);
  verb.callback([o] { Labelling(*o).run(); });
}

}  // namespace cairn
