#include "training/dataset_report.h"

#include <algorithm>
#include <filesystem>

#include "runtime/error.h"
#include "runtime/image.h"
#include "runtime/threads.h"
#include "training/flip_check.h"

namespace cairn {
namespace {

struct ImageFile {
  int64_t width = 0, height = 0;  // 0: it cannot be read
  bool there = false;
  std::string wrong;
};

ImageFile look_at(const std::string& path, ImageCheck check) {
  ImageFile file;
  std::error_code ignored;
  file.there = std::filesystem::is_regular_file(path, ignored);
  if (!file.there) return file;
  try {
    const ImageInfo info = read_image_info(path);
    if (check == ImageCheck::whole) read_image(path, 1);
    file.width = info.width;
    file.height = info.height;
  } catch (const Error& e) {
    file.wrong = e.wrong;
  }
  return file;
}

class Inspector {
 public:
  Inspector(ScannedDataset& scanned, ImageCheck check)
      : data_(scanned.data), problems_(scanned.problems) {
    report_.keypoints.resize(size_t(data_.skeleton.keypoints()));
    report_.images = int64_t(data_.images.size());
    std::vector<ImageFile> files(data_.images.size());
    parallel_for(report_.images, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        files[size_t(i)] = look_at(data_.images[size_t(i)].path, check);
    });
    for (size_t i = 0; i < files.size(); ++i) see_file(data_.images[i], files[i]);
  }

  DatasetReport report() {
    for (const AnnotatedImage& image : data_.images) count(image);
    judge_totals();
    check_flip_pairs(data_, problems_);
    return std::move(report_);
  }

 private:
  void see_file(AnnotatedImage& image, const ImageFile& file) {
    report_.can_be_read.push_back(file.width > 0);
    report_.readable += file.width > 0;
    const std::string name = text("image ", image.id, " (", image.path, ")");
    if (!file.there) problems_.add(Problem::image_missing, name);
    if (!file.wrong.empty()) problems_.add(Problem::image_unreadable, name + ": " + file.wrong);
    if (file.width == 0) return;
    if ((image.width > 0 && image.width != file.width) ||
        (image.height > 0 && image.height != file.height))
      problems_.add(Problem::image_size,
                    text(name, ": annotated as ", image.width, " x ", image.height,
                         ", the file is ", file.width, " x ", file.height));
    image.width = int(file.width);
    image.height = int(file.height);
  }

  void count(const AnnotatedImage& image) {
    const int64_t before = report_.labelled;
    for (const Instance& instance : image.instances) {
      if (instance.crowd) {
        ++report_.crowds;
        continue;
      }
      ++report_.instances;
      sizes_.push_back(std::max(instance.box.width, instance.box.height));
      for (size_t k = 0; k < instance.points.size(); ++k)
        count(image, instance, k, report_.keypoints[k]);
    }
    if (report_.labelled > before) return;
    ++report_.unlabelled_images;
    problems_.add(Problem::image_without_labels, text("image ", image.id, " (", image.path, ")"));
  }

  void count(const AnnotatedImage& image, const Instance& instance, size_t k, KeypointCounts& n) {
    const LabelledPoint& p = instance.points[k];
    n.missing += p.v == Visibility::missing;
    n.hidden += p.v == Visibility::hidden;
    n.visible += p.v == Visibility::visible;
    if (p.v == Visibility::missing) return;
    ++report_.labelled;
    if (image.width == 0 || image.height == 0) return;  // nobody knows
    if (p.x >= -0.5 && p.y >= -0.5 && p.x <= image.width - 0.5 && p.y <= image.height - 0.5) return;
    ++n.outside;
    ++report_.outside;
    problems_.add(Problem::label_outside,
                  text("image ", image.id, " (", image.path, "), annotation ", instance.id, ", ",
                       data_.skeleton.names[k], ": (", p.x, ", ", p.y, ") in ", image.width, " x ",
                       image.height));
  }

  void judge_totals() {
    if (report_.labelled == 0)
      problems_.add(Problem::no_labels,
                    text(report_.images, " images, ", report_.instances, " annotations"));
    if (report_.images > 0 && report_.readable == 0)
      problems_.add(Problem::no_images, text("all ", report_.images, " are missing or damaged; ",
                                             data_.images[0].path, " is the first"));
    if (2 * report_.outside > report_.labelled)
      problems_.add(Problem::mostly_outside,
                    text(report_.outside, " of ", report_.labelled, " labels"));
    if (report_.labelled > 0) judge_keypoints();
    if (sizes_.empty()) return;
    std::nth_element(sizes_.begin(), sizes_.begin() + std::ptrdiff_t(sizes_.size() / 2),
                     sizes_.end());
    report_.median_size = sizes_[sizes_.size() / 2];
  }

  void judge_keypoints() {
    const auto& all = report_.keypoints;
    const bool none_visible =
        std::all_of(all.begin(), all.end(), [](const KeypointCounts& n) { return n.visible == 0; });
    if (none_visible)  // the file does not tell hidden from visible
      problems_.add(Problem::never_visible, text("all ", all.size(), " keypoints"));
    for (size_t k = 0; k < all.size(); ++k) {
      const std::string name = text("keypoint ", k, " (", data_.skeleton.names[k], ")");
      if (all[k].visible + all[k].hidden == 0)
        problems_.add(Problem::never_labelled, name);
      else if (all[k].visible == 0 && !none_visible)
        problems_.add(Problem::never_visible, text(name, ": hidden ", all[k].hidden, " times"));
    }
  }

  KeypointDataset& data_;
  Problems& problems_;
  DatasetReport report_;
  std::vector<double> sizes_;
};

}  // namespace

DatasetReport inspect(ScannedDataset& scanned, ImageCheck check) {
  return Inspector(scanned, check).report();
}

KeypointDataset read_training_dataset(const std::string& path, std::vector<std::string>& remarks) {
  ScannedDataset scanned = scan_keypoint_dataset(path);
  const DatasetReport report = inspect(scanned, ImageCheck::header);
  require_no_errors(scanned.data.source, scanned.problems);
  for (const auto& [kind, places] : scanned.problems.places()) {
    const bool each = kind == Problem::image_missing || kind == Problem::image_unreadable;
    const std::string start = text(scanned.data.source, ": ", facts(kind).what, ": ");
    for (size_t i = 0; i < (each ? places.size() : 1); ++i)
      remarks.push_back(
          start + places[i] +
          (each || places.size() == 1 ? "" : text(" and ", places.size() - 1, " more")));
  }
  std::vector<AnnotatedImage> readable;
  for (size_t i = 0; i < scanned.data.images.size(); ++i)
    if (report.can_be_read[i]) readable.push_back(std::move(scanned.data.images[i]));
  scanned.data.images = std::move(readable);
  return std::move(scanned.data);
}

}  // namespace cairn
