// COCO keypoints.
#include <algorithm>
#include <map>
#include <set>

#include "runtime/error.h"
#include "training/keypoint_readers/formats.h"

namespace cairn {

using nlohmann::json;

namespace {

// Standard deviations of COCO's seventeen points, relative to sqrt(area) (cocoeval.py).
const std::map<std::string, double> coco_sigmas = {
    {"nose", .026},        {"left_eye", .025},      {"right_eye", .025},      {"left_ear", .035},
    {"right_ear", .035},   {"left_shoulder", .079}, {"right_shoulder", .079}, {"left_elbow", .072},
    {"right_elbow", .072}, {"left_wrist", .062},    {"right_wrist", .062},    {"left_hip", .107},
    {"right_hip", .107},   {"left_knee", .087},     {"right_knee", .087},     {"left_ankle", .089},
    {"right_ankle", .089}};

// Edges counted from the border of the first pixel, not from its centre.
std::optional<Box> box_of(const json& list) {
  if (!list.is_array() || list.size() != 4) return {};
  std::optional<double> v[4];
  for (size_t i = 0; i < 4; ++i) v[i] = number(list[i]);
  if (!v[0] || !v[1] || !v[2] || !v[3] || *v[2] < 0 || *v[3] < 0) return {};
  return Box{*v[0] - 0.5, *v[1] - 0.5, *v[2], *v[3]};
}

class CocoReader {
 public:
  CocoReader(const std::string& path, const json& root) : root_(root) {
    scanned_.data.source = path;
  }

  ScannedDataset read() {
    require_schema();
    read_categories();
    read_images();
    const json& annotations = root_["annotations"];
    for (size_t i = 0; i < annotations.size(); ++i) read_annotation(annotations[i], i);
    return std::move(scanned_);
  }

 private:
  void add(Problem kind, const std::string& place) {
    scanned_.problems.add(kind, place);
    good_ = good_ && !facts(kind).error;
  }

  void require_schema() const {
    std::string wrong;
    for (const char* key : {"images", "annotations"})
      if (!element(root_, key).is_array())
        wrong += text(wrong.empty() ? "" : ", ", "'", key, "' is no list");
    if (wrong.empty()) return;
    std::string keys;
    for (const auto& [key, value] : root_.items())
      keys += text(keys.empty() ? "" : ", ", key.substr(0, 40));
    throw Error(scanned_.data.source, text("another schema: ", wrong, "; it has ", keys),
                "COCO keypoints: an object with the lists images, annotations and categories",
                "docs/your_own_images.md shows a file");
  }

  // The skeleton is that of the categories with keypoints; those with other ones are an error.
  void read_categories() {
    const json* chosen = nullptr;
    const json& categories = element(root_, "categories");
    if (!categories.is_null() && !categories.is_array())
      add(Problem::bad_entry, text("categories is ", shown(categories)));
    for (size_t i = 0; i < categories.size() && categories.is_array(); ++i) {
      const json &c = categories[i], &names = element(c, "keypoints");
      const std::optional<int64_t> id = whole_number(element(c, "id"));
      const std::string place = text("categories[", i, "]");
      if (!id) {
        add(Problem::bad_id, text(place, ": id is ", shown(element(c, "id"))));
        continue;
      }
      if (!categories_.emplace(*id, names.is_array()).second)
        add(Problem::duplicate_id, text(place, ": id ", *id));
      if (!names.is_array()) continue;
      if (!chosen)
        chosen = &c;
      else if (names != element(*chosen, "keypoints"))
        add(Problem::two_skeletons, text(place, ": ", shown(names)));
    }
    static const json none = json::object();
    read_skeleton(chosen ? *chosen : none);
  }

  void read_skeleton(const json& category) {
    Skeleton& s = scanned_.data.skeleton;
    for (const json& name : element(category, "keypoints"))
      s.names.push_back(name.is_string() ? name.get<std::string>() : "");
    const std::optional<Skeleton> beside =
        read_keypoints_txt(scanned_.data.source, scanned_.problems);
    if (s.names.empty()) {
      if (beside)
        s.names = beside->names;
      else
        number_the_points();
    }
    if (const json& flip = element(category, "flip_indices"); !flip.is_null())
      for (const json& to : flip) s.swap.push_back(index(to));
    read_bones(element(category, "skeleton"));
    if (beside && beside->names != s.names)
      add(Problem::keypoints_txt, text("it names ", beside->keypoints(), " keypoints, ",
                                       scanned_.data.source, " others: ", s.keypoints()));
    else if (beside && s.swap.empty())
      s.swap = beside->swap;
    if (beside && s.bones.empty()) s.bones = beside->bones;
    check_skeleton(s, scanned_.problems);
    read_sigmas(element(category, "sigmas"));
  }

  // Some files leave the names out: as many as the first annotation has points.
  void number_the_points() {
    size_t K = 0;
    for (const json& a : root_["annotations"])
      if (const json& list = element(a, "keypoints"); list.is_array() && !list.empty()) {
        K = list[0].is_array() ? list.size() : list.size() / 3;
        break;
      }
    for (size_t k = 0; k < K; ++k) scanned_.data.skeleton.names.push_back(std::to_string(k));
    if (K > 0) add(Problem::no_names, text(K, " keypoints"));
  }

  static int index(const json& value) {  // -1 where it is none
    return int(std::clamp<int64_t>(whole_number(value).value_or(-1), -1, 1'000'000));
  }

  void read_bones(const json& pairs) {
    auto& bones = scanned_.data.skeleton.bones;
    bool from_zero = false;
    for (const json& pair : pairs) {
      const auto end = [&](size_t i) {
        return pair.is_array() && pair.size() == 2 ? index(pair[i]) : -1;
      };
      bones.push_back({end(0), end(1)});
      from_zero = from_zero || end(0) == 0 || end(1) == 0;
    }
    for (auto& bone : bones)
      for (int& end : bone) end -= !from_zero;
  }

  void read_sigmas(const json& list) {
    Skeleton& s = scanned_.data.skeleton;
    if (!list.is_null()) {
      for (const json& v : list) s.sigmas.push_back(number(v).value_or(0));
      const bool positive =
          std::all_of(s.sigmas.begin(), s.sigmas.end(), [](double v) { return v > 0; });
      if (positive && int(s.sigmas.size()) == s.keypoints()) return;
      add(Problem::bad_entry,
          text("sigmas of the category: ", shown(list), " for ", s.keypoints(), " keypoints"));
      s.sigmas.clear();
    } else if (std::all_of(s.names.begin(), s.names.end(),
                           [](const auto& name) { return coco_sigmas.contains(name); })) {
      for (const std::string& name : s.names) s.sigmas.push_back(coco_sigmas.at(name));
    }
  }

  void read_images() {
    const json& images = root_["images"];
    for (size_t i = 0; i < images.size(); ++i) {
      const json &entry = images[i], &name = element(entry, "file_name");
      const std::optional<int64_t> id = whole_number(element(entry, "id"));
      const std::string place = id ? text("image ", *id) : text("images[", i, "]");
      if (!id) add(Problem::bad_id, text(place, ": id is ", shown(element(entry, "id"))));
      if (!name.is_string() || name.get_ref<const std::string&>().empty())
        add(Problem::bad_entry, text(place, ": file_name is ", shown(name)));
      else if (id && !image_index_.emplace(*id, scanned_.data.images.size()).second)
        add(Problem::duplicate_id, text(place, " (", name.get<std::string>(), ")"));
      else if (id)
        scanned_.data.images.push_back({*id,
                                        name.get<std::string>(),
                                        side(entry, "width", place),
                                        side(entry, "height", place),
                                        {}});
    }
  }

  // 0 where it is absent.
  int side(const json& entry, const char* key, const std::string& place) {
    const json& value = element(entry, key);
    if (value.is_null()) return 0;
    const int64_t n = whole_number(value).value_or(-1);
    if (n >= 1 && n <= 1'000'000) return int(n);
    add(Problem::bad_entry, text(place, ": ", key, " is ", shown(value)));
    return 0;
  }

  void read_annotation(const json& a, size_t i) {
    const std::optional<int64_t> id = whole_number(element(a, "id")),
                                 image = whole_number(element(a, "image_id"));
    std::string place = id ? text("annotation ", *id) : text("annotations[", i, "]");
    if (image) place += text(" (image ", *image, ")");
    good_ = true;
    if (!id)
      add(Problem::bad_id, text(place, ": id is ", shown(element(a, "id"))));
    else if (!annotation_ids_.insert(*id).second)
      add(Problem::duplicate_id, place);
    if (!image || !image_index_.contains(*image))
      add(Problem::unknown_image, text(place, ": image_id is ", shown(element(a, "image_id"))));
    if (!of_skeleton(a, place)) return;
    Instance instance;
    instance.id = id.value_or(0);
    read_points(a, place, instance);
    read_extent(a, place, instance);
    complete(instance);
    if (good_ && instance.area > 0)
      scanned_.data.images[image_index_[*image]].instances.push_back(std::move(instance));
  }

  // Whether its category is one with keypoints; where no category lists any, all are.
  bool of_skeleton(const json& a, const std::string& place) {
    const json& value = element(a, "category_id");
    if (value.is_null() && categories_.size() <= 1) return true;
    const std::optional<int64_t> id = whole_number(value);
    const auto it = id ? categories_.find(*id) : categories_.end();
    if (it == categories_.end()) {
      if (categories_.empty()) return true;
      add(Problem::unknown_category, text(place, ": category_id is ", shown(value)));
      return true;
    }
    const bool listed =
        std::any_of(categories_.begin(), categories_.end(), [](const auto& c) { return c.second; });
    if (it->second || !listed) return true;
    add(Problem::other_category, text(place, ": category ", *id));
    return false;
  }

  void read_points(const json& a, const std::string& place, Instance& instance) {
    const Skeleton& s = scanned_.data.skeleton;
    const json& list = element(a, "keypoints");
    instance.points.resize(size_t(s.keypoints()));
    if (list.is_null()) return;  // a box alone
    std::vector<const json*> values;
    const bool nested = list.is_array() && !list.empty() && list[0].is_array();
    for (const json& entry : list) {
      if (!nested)
        values.push_back(&entry);
      else
        for (const json& v : entry) values.push_back(&v);
    }
    const bool triples = !nested || std::all_of(list.begin(), list.end(), [](const json& entry) {
      return entry.is_array() && entry.size() == 3;
    });
    if (!list.is_array() || !triples || values.size() != 3 * instance.points.size())
      return add(Problem::keypoint_count,
                 text(place, ": ", values.size(), " numbers", triples ? "" : ", not in threes",
                      " for ", s.keypoints(), " keypoints"));
    if (nested) add(Problem::nested_keypoints, place);
    int64_t labelled = 0;
    for (size_t k = 0; k < instance.points.size(); ++k)
      labelled += read_point(&values[3 * k], text(place, ", keypoint ", k, " (", s.names[k], ")"),
                             instance.points[k]);
    const json& said = element(a, "num_keypoints");
    if (good_ && !said.is_null() && whole_number(said) != labelled)
      add(Problem::label_count, text(place, ": ", shown(said), ", counted ", labelled));
  }

  bool read_point(const json* const* xyv, const std::string& place, LabelledPoint& point) {
    const int64_t v = whole_number(*xyv[2]).value_or(-1);
    if (v < 0 || v > 2) add(Problem::bad_visibility, text(place, ": v is ", shown(*xyv[2])));
    if (v <= 0) return false;
    const std::optional<double> x = number(*xyv[0]), y = number(*xyv[1]);
    if (!x) add(Problem::bad_coordinate, text(place, ": x is ", shown(*xyv[0])));
    if (!y) add(Problem::bad_coordinate, text(place, ": y is ", shown(*xyv[1])));
    point = {x.value_or(0), y.value_or(0), Visibility(v)};
    return true;
  }

  void read_extent(const json& a, const std::string& place, Instance& instance) {
    const json &box = element(a, "bbox"), &area = element(a, "area");
    const json& crowd = element(a, "iscrowd");
    instance.crowd = crowd.is_boolean() ? crowd.get<bool>() : whole_number(crowd).value_or(0) != 0;
    const bool labelled = instance.labelled_points() > 0;
    const std::string without = place + (labelled ? "" : ", and no labelled point: left out");
    const std::optional<Box> whole = box_of(box);
    if (box.is_null())
      add(Problem::no_box, without);
    else if (!whole)
      add(Problem::bad_box, text(place, ": bbox is ", shown(box)));
    else if (whole->width * whole->height == 0)
      add(Problem::empty_box, text(without, ": bbox is ", shown(box)));
    else
      instance.box = *whole;
    const json& head = element(a, "head_bbox");
    instance.head = box_of(head);
    if (!head.is_null() && !instance.head)
      add(Problem::bad_box, text(place, ": head_bbox is ", shown(head)));
    const double value = number(area).value_or(area.is_null() ? 0 : -1);
    if (value < 0) add(Problem::bad_entry, text(place, ": area is ", shown(area)));
    if (value == 0) add(Problem::no_area, place);
    instance.area = value;
  }

  const json& root_;
  ScannedDataset scanned_;
  std::map<int64_t, bool> categories_;     // whether they have a list of keypoints
  std::map<int64_t, size_t> image_index_;  // id -> index in data.images
  std::set<int64_t> annotation_ids_;
  bool good_ = true;  // nothing wrong with the entry being read
};

}  // namespace

ScannedDataset scan_coco_json(const std::string& path, const json& root) {
  return CocoReader(path, root).read();
}

}  // namespace cairn
