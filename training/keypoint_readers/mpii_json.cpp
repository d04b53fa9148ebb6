// MPII persons as the public hourglass and HRNet code keeps them.
#include <map>

#include "runtime/error.h"
#include "training/keypoint_readers/formats.h"

namespace cairn {

using nlohmann::json;

namespace {

// The two numbers of a point, counted from 1 in the file.
std::optional<LabelledPoint> point(const json& xy) {
  if (!xy.is_array() || xy.size() != 2 || !number(xy[0]) || !number(xy[1])) return {};
  return LabelledPoint{*number(xy[0]) - 1, *number(xy[1]) - 1, Visibility::visible};
}

class MpiiReader {
 public:
  MpiiReader(const std::string& path, const json& root) : root_(root) {
    scanned_.data.source = path;
    scanned_.data.skeleton = mpii_skeleton();
  }

  ScannedDataset read() {
    for (size_t i = 0; i < root_.size(); ++i) read_person(root_[i], i);
    return std::move(scanned_);
  }

 private:
  void add(Problem kind, const std::string& place) {
    scanned_.problems.add(kind, place);
    good_ = false;
  }

  void read_person(const json& entry, size_t i) {
    const json& file = element(entry, "image");
    const std::string name = file.is_string() ? file.get<std::string>() : "";
    const std::string place = text("person ", i, " (", name, ")");
    good_ = true;
    if (name.empty()) add(Problem::bad_entry, text(place, ": image is ", shown(file)));
    Instance instance;
    instance.id = int64_t(i);
    read_joints(entry, place, instance);
    const std::optional<LabelledPoint> centre = point(element(entry, "center"));
    const double scale = number(element(entry, "scale")).value_or(0);
    if (!centre || !(scale > 0))
      add(Problem::bad_box, text(place, ": center is ", shown(element(entry, "center")),
                                 ", scale is ", shown(element(entry, "scale"))));
    else
      instance.box = {centre->x - 100 * scale, centre->y - 100 * scale, 200 * scale, 200 * scale};
    complete(instance);
    if (good_) image(name).instances.push_back(std::move(instance));
  }

  void read_joints(const json& entry, const std::string& place, Instance& instance) {
    const json &joints = element(entry, "joints"), &known = element(entry, "joints_vis");
    const size_t K = scanned_.data.skeleton.names.size();
    instance.points.resize(K);
    if (!joints.is_array() || joints.size() != K || !known.is_array() || known.size() != K)
      return add(Problem::keypoint_count, text(place, ": ", joints.size(), " joints and ",
                                               known.size(), " flags for ", K, " keypoints"));
    for (size_t k = 0; k < K; ++k) {
      const std::string where =
          text(place, ", keypoint ", k, " (", scanned_.data.skeleton.names[k], ")");
      const int64_t v = whole_number(known[k]).value_or(-1);
      if (v != 0 && v != 1) add(Problem::bad_visibility, text(where, ": ", shown(known[k])));
      if (v != 1) continue;
      if (const auto p = point(joints[k]))
        instance.points[k] = *p;
      else
        add(Problem::bad_coordinate, text(where, ": ", shown(joints[k])));
    }
  }

  AnnotatedImage& image(const std::string& name) {
    auto& images = scanned_.data.images;
    const auto [it, is_new] = index_.emplace(name, images.size());
    if (is_new) images.push_back({int64_t(images.size()) + 1, name, 0, 0, {}});
    return images[it->second];
  }

  const json& root_;
  ScannedDataset scanned_;
  std::map<std::string, size_t> index_;
  bool good_ = true;
};

}  // namespace

ScannedDataset scan_mpii_json(const std::string& path, const json& root) {
  return MpiiReader(path, root).read();
}

}  // namespace cairn
