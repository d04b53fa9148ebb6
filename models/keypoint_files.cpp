#include "models/keypoint_files.h"

#include <cmath>
#include <cstdio>

#include "runtime/atomic_file.h"
#include "runtime/error.h"
#include "runtime/npz.h"

namespace cairn {
namespace {

// Collects what is wrong with a file, so that all of it is said at once.
class Arrays {
 public:
  explicit Arrays(const std::string& path) : path_(path), arrays_(read_npz(path)) {}

  bool has(const std::string& name) const { return arrays_.count(name) > 0; }
  void complain(const std::string& what) { wrong_ += (wrong_.empty() ? "" : "; ") + what; }

  /// The array if it has this rank and finite values.
  std::vector<float> real(const std::string& name, int rank, Shape& shape) {
    if (!has(name)) {
      complain(text("no array '", name, "'"));
      return {};
    }
    const Tensor t = arrays_.at(name).to(DType::f32);
    shape = t.shape();
    if (t.rank() != rank) {
      complain(text(name, " has shape ", shape));
      return {};
    }
    std::vector<float> values = t.values<float>();
    int64_t bad = 0;
    for (float v : values) bad += !std::isfinite(v);
    if (bad) complain(text(bad, " of ", values.size(), " numbers in ", name, " are not finite"));
    return values;
  }

  void done() const {
    if (!wrong_.empty())
      throw Error(path_, wrong_,
                  "keypoints [K,2] inside the image, with scores [K], descriptors [K,D] and "
                  "image_size [2] where they are present",
                  "write the file again, with points as (x, y) in pixels of the image it is for");
  }

 private:
  const std::string& path_;
  std::map<std::string, Tensor> arrays_;
  std::string wrong_;
};

void read_points(Arrays& arrays, ImageKeypoints& found) {
  Shape shape;
  const std::vector<float> xy = arrays.real("keypoints", 2, shape);
  if (shape.rank() == 2 && shape[1] != 2)
    return arrays.complain(text("keypoints has shape ", shape));
  int64_t outside = 0;
  for (size_t i = 0; i + 1 < xy.size(); i += 2) {
    const float x = xy[i], y = xy[i + 1];
    found.keypoints.points.push_back({x, y});
    outside += found.width > 0 && (x < -0.5f || y < -0.5f || x >= float(found.width) - 0.5f ||
                                   y >= float(found.height) - 0.5f);
  }
  if (outside)
    arrays.complain(text(outside, " of ", shape[0], " points are outside of the image, ",
                         found.width, " x ", found.height));
}

void read_size(Arrays& arrays, ImageKeypoints& found) {
  if (!arrays.has("image_size")) return;
  Shape shape;
  const std::vector<float> size = arrays.real("image_size", 1, shape);
  if (size.size() != 2 || !(size[0] >= 1) || !(size[1] >= 1) || size[0] > 1e6f || size[1] > 1e6f)
    return arrays.complain("image_size is not a width and a height");
  found.width = int64_t(size[0]);
  found.height = int64_t(size[1]);
}

}  // namespace

void write_keypoints_npz(const std::string& path, const Keypoints& k, int64_t width,
                         int64_t height) {
  const int64_t count = int64_t(k.points.size());
  Tensor points = Tensor::empty({count, 2});
  for (int64_t i = 0; i < count; ++i)
    for (int axis = 0; axis < 2; ++axis) points.data<float>()[2 * i + axis] = k.points[i][axis];
  std::vector<std::pair<std::string, Tensor>> arrays{
      {"keypoints", points}, {"scores", Tensor::from<float>({count}, k.scores)}};
  if (k.descriptor_size > 0)
    arrays.emplace_back("descriptors",
                        Tensor::from<float>({count, k.descriptor_size}, k.descriptors));
  arrays.emplace_back("image_size", Tensor::from<int32_t>({2}, {int32_t(width), int32_t(height)}));
  write_npz(path, arrays);
}

ImageKeypoints read_keypoints_npz(const std::string& path) {
  Arrays arrays(path);
  ImageKeypoints found;
  Keypoints& k = found.keypoints;
  read_size(arrays, found);
  read_points(arrays, found);
  const int64_t count = int64_t(k.points.size());
  k.scores.assign(size_t(count), 1);
  if (arrays.has("scores")) {
    Shape shape;
    k.scores = arrays.real("scores", 1, shape);
    if (shape.rank() == 1 && shape[0] != count)
      arrays.complain(text(shape[0], " scores for ", count, " points"));
  }
  if (arrays.has("descriptors")) {
    Shape shape;
    k.descriptors = arrays.real("descriptors", 2, shape);
    if (shape.rank() == 2 && shape[0] != count)
      arrays.complain(text(shape[0], " descriptors for ", count, " points"));
    else if (shape.rank() == 2)
      k.descriptor_size = int(shape[1]);
  }
  arrays.done();
  return found;
}

void write_keypoints_colmap(const std::string& path, const Keypoints& keypoints) {
  constexpr int descriptor = 128;
  std::string no_descriptor;
  for (int i = 0; i < descriptor; ++i) no_descriptor += " 0";
  AtomicFile file(path);
  file.write(text(keypoints.points.size(), ' ', descriptor, '\n'));
  for (const auto& [x, y] : keypoints.points) {
    char place[64];
    std::snprintf(place, sizeof place, "%.4f %.4f 1 0", x + 0.5, y + 0.5);
    file.write(place + no_descriptor + '\n');
  }
  file.commit();
}

}  // namespace cairn
