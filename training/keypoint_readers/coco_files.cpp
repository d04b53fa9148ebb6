#include "training/keypoint_readers/coco_files.h"

#include <cmath>
#include <filesystem>

#include "runtime/atomic_file.h"
#include "runtime/error.h"
#include "training/keypoint_readers/json_values.h"

namespace cairn {
namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

json category(const Skeleton& s) {
  json bones = json::array();
  for (const auto& [a, b] : s.bones) bones.push_back({a + 1, b + 1});
  json c{{"id", 1},
         {"name", "object"},
         {"keypoints", s.names},
         {"skeleton", bones},
         {"flip_indices", s.swap}};
  if (!s.sigmas.empty()) c["sigmas"] = s.sigmas;
  return c;
}

json annotation(const Instance& instance, int64_t image) {
  json points = json::array();
  for (const LabelledPoint& p : instance.points) {
    for (const double v : {p.x, p.y}) points.push_back(v);
    points.push_back(int(p.v));
  }
  const auto edges = [](const Box& b) { return json{b.x + 0.5, b.y + 0.5, b.width, b.height}; };
  json a{{"id", instance.id},
         {"image_id", image},
         {"category_id", 1},
         {"keypoints", points},
         {"num_keypoints", instance.labelled_points()},
         {"bbox", edges(instance.box)},
         {"area", instance.area},
         {"iscrowd", int(instance.crowd)}};
  if (instance.head) a["head_bbox"] = edges(*instance.head);
  return a;
}

std::string name_of(const AnnotatedImage& image, const fs::path& folder) {
  const fs::path relative = fs::path(image.path).lexically_relative(folder);
  return relative.empty() || *relative.begin() == ".." ? image.path : relative.string();
}

// What is wrong with an entry of a results file; "" if `found` holds it now.
std::string take(const nlohmann::json& entry, size_t keypoints, PredictedInstance& found) {
  const auto image = whole_number(element(entry, "image_id"));
  const auto score = number(element(entry, "score"));
  const auto& list = element(entry, "keypoints");
  if (!image) return "image_id is " + shown(element(entry, "image_id"));
  if (!score) return "score is " + shown(element(entry, "score"));
  if (!list.is_array() || list.size() != 3 * keypoints)
    return text(list.size(), " numbers for ", keypoints, " keypoints");
  found = {*image, {}, *score};
  for (size_t k = 0; k < keypoints; ++k) {
    const auto &x = list[3 * k], &y = list[3 * k + 1];
    if (x.is_null() && y.is_null())
      found.points.push_back({NAN, NAN, 0});  // not found
    else if (!number(x) || !number(y))
      return text("keypoint ", k, " is at ", shown(x), ", ", shown(y));
    else
      found.points.push_back({*number(x), *number(y), number(list[3 * k + 2]).value_or(0)});
  }
  return "";
}

}  // namespace

void write_coco_keypoints(const std::string& path, const KeypointDataset& data) {
  json images = json::array(), annotations = json::array();
  for (const AnnotatedImage& image : data.images) {
    json entry{{"id", image.id}, {"file_name", name_of(image, fs::path(path).parent_path())}};
    if (image.width > 0) entry["width"] = image.width;
    if (image.height > 0) entry["height"] = image.height;
    images.push_back(entry);
    for (const Instance& i : image.instances) annotations.push_back(annotation(i, image.id));
  }
  const json root{{"images", images},
                  {"annotations", annotations},
                  {"categories", json::array({category(data.skeleton)})}};
  write_file(path, root.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
}

void write_coco_results(const std::string& path, const std::vector<PredictedInstance>& found) {
  json root = json::array();
  for (const PredictedInstance& f : found) {
    json points = json::array();
    for (const ScoredPoint& p : f.points)
      for (const double v : {p.x, p.y, p.score}) points.push_back(v);
    root.push_back(
        {{"image_id", f.image}, {"category_id", 1}, {"keypoints", points}, {"score", f.score}});
  }
  write_file(path, root.dump() + "\n");
}

std::vector<PredictedInstance> read_coco_results(const std::string& path, int keypoints) {
  const nlohmann::json root = read_json_file(path);
  std::vector<PredictedInstance> found;
  std::string wrong;
  if (!root.is_array()) wrong = "\n  it is no list, but " + shown(root);
  for (size_t i = 0; root.is_array() && i < root.size(); ++i) {
    PredictedInstance one;
    const std::string what = take(root[i], size_t(keypoints), one);
    if (what.empty())
      found.push_back(std::move(one));
    else
      wrong += text("\n  result ", i, ": ", what);
  }
  if (!wrong.empty())
    throw Error(
        path, "it is not a results file for these annotations:" + wrong,
        text("a list of {image_id, category_id, keypoints (3 x ", keypoints, " numbers), score}"),
        "write it with the annotations' list of keypoints");
  return found;
}

}  // namespace cairn
