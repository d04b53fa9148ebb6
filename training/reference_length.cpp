#include "training/reference_length.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"

namespace cairn {
namespace {

// "Right Shoulder", "right-shoulder" and "r_shoulder" are right_shoulder.
std::string plain(const std::string& name) {
  std::string s;
  for (char c : name) s += c == ' ' || c == '-' ? '_' : char(std::tolower(uint8_t(c)));
  if (s.starts_with("r_")) return "right" + s.substr(1);
  return s.starts_with("l_") ? "left" + s.substr(1) : s;
}

int index_of(const Skeleton& skeleton, const std::string& name) {
  for (int k = 0; k < skeleton.keypoints(); ++k)
    if (plain(skeleton.names[size_t(k)]) == plain(name)) return k;
  return -1;
}

std::vector<int> range(int first, int last) {
  std::vector<int> r;
  for (int k = first; k <= last; ++k) r.push_back(k);
  return r;
}

// The mean of these points; NaN if one of them is missing.
Point mean(const Instance& instance, const std::vector<int>& points) {
  Point sum;
  for (int k : points) {
    const LabelledPoint& p = instance.points[size_t(k)];
    sum = p.v == Visibility::missing ? Point{NAN, NAN} : sum + Point{p.x, p.y};
  }
  return 1.0 / double(points.size()) * sum;
}

double tight_box(const Instance& instance) {
  const Box box = bounds(instance).box();
  return std::sqrt(box.width * box.height);
}

}  // namespace

ReferenceLength::ReferenceLength(const std::string& name, const Skeleton& skeleton) : name_(name) {
  const auto refuse = [&](const std::string& wrong, const std::string& expected) {
    throw UsageError("reference length", wrong, expected,
                     "choose another: torso, head, side, box, interocular, interpupil, pixels, or "
                     "two points as NAME:NAME");
  };
  const auto point = [&](const std::string& called) {
    const int k = index_of(skeleton, called);
    if (k < 0)
      refuse(text(name, " needs the point '", called, "', which the data set has not"),
             "keypoints of that name");
    return k;
  };
  const auto need_68 = [&] {
    if (skeleton.keypoints() != 68)
      refuse(text(name, " of ", skeleton.keypoints(), " points"), "the 68 points of a face");
  };
  kind_ = Kind::between_points;
  if (name == "torso") {
    from_ = {point("right_shoulder")};
    to_ = {point("left_hip")};
  } else if (name == "interocular") {
    need_68();
    from_ = {36};
    to_ = {45};
  } else if (name == "interpupil") {
    need_68();
    from_ = range(36, 41);
    to_ = range(42, 47);
  } else if (const size_t colon = name.find(':'); colon != std::string::npos) {
    from_ = {point(name.substr(0, colon))};
    to_ = {point(name.substr(colon + 1))};
  } else if (name == "head") {
    kind_ = Kind::head;
  } else if (name == "side") {
    kind_ = Kind::side;
  } else if (name == "box") {
    kind_ = Kind::box;
  } else if (name == "pixels") {
    kind_ = Kind::pixels;
  } else {
    refuse("'" + name + "' is none", "a length that the data set has");
  }
}

double ReferenceLength::of(const Instance& instance) const {
  double length = 1;
  switch (kind_) {
    case Kind::between_points: {
      const Point d = mean(instance, from_) - mean(instance, to_);
      length = std::hypot(d.x, d.y);
      break;
    }
    case Kind::head:
      length = instance.head ? 0.6 * std::hypot(instance.head->width, instance.head->height) : NAN;
      break;
    case Kind::side:
      length = std::max(instance.box.width, instance.box.height);
      break;
    case Kind::box:
      length = tight_box(instance);
      break;
    case Kind::pixels:
      break;
  }
  return length > 0 ? length : NAN;
}

std::optional<std::array<int, 2>> ReferenceLength::ends() const {
  if (kind_ != Kind::between_points || from_.size() != 1 || to_.size() != 1) return {};
  return std::array{from_[0], to_[0]};
}

std::string usual_reference(const KeypointDataset& data) {
  if (data.skeleton.keypoints() == 68) return "interocular";
  for (const AnnotatedImage& image : data.images)
    for (const Instance& instance : image.instances)
      if (instance.head) return "head";
  const bool torso =
      index_of(data.skeleton, "right_shoulder") >= 0 && index_of(data.skeleton, "left_hip") >= 0;
  return torso ? "torso" : "side";
}

}  // namespace cairn
