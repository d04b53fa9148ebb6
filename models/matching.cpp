#include "models/matching.h"

#include <algorithm>
#include <cmath>

#include "kernels/descriptor/nearest_descriptors.h"
#include "runtime/error.h"
#include "runtime/profile_range.h"

namespace cairn {
namespace {

std::string fault(const char* name, const Keypoints& k) {
  if (k.points.empty()) return "";
  if (k.descriptor_size == 0) return text("set ", name, " has no descriptors; ");
  const size_t size = size_t(k.descriptor_size);
  if (k.descriptors.size() == k.points.size() * size) return "";
  return text("set ", name, " has ", k.points.size(), " points and ", k.descriptors.size(),
              " numbers of descriptors of size ", size, "; ");
}

void check(const Keypoints& a, const Keypoints& b, const MatchOptions& o) {
  std::string wrong = fault("a", a) + fault("b", b);
  if (wrong.empty() && !a.points.empty() && !b.points.empty() &&
      a.descriptor_size != b.descriptor_size)
    wrong = text("descriptors of sizes ", a.descriptor_size, " and ", b.descriptor_size, "; ");
  if (!(o.max_ratio >= 0)) wrong += text("max_ratio is ", o.max_ratio, "; ");
  if (!(o.max_distance >= 0)) wrong += text("max_distance is ", o.max_distance, "; ");
  if (wrong.empty()) return;
  throw Error("match_keypoints", wrong.substr(0, wrong.size() - 2),
              "one descriptor per point, of one size in both sets, and limits of at least 0",
              "take both sets from one network that has a descriptor head");
}

struct Nearest {
  std::vector<int32_t> index;
  std::vector<float> similarity;  // of the nearest and the second nearest, in turn

  explicit Nearest(const NearestDescriptors& n)
      : index(n.index.values<int32_t>()), similarity(n.similarity.values<float>()) {}
};

// Between unit descriptors; none is at an infinite distance.
double distance(float cosine) { return std::sqrt(std::max(0.0, 2 - 2 * double(cosine))); }

}  // namespace

std::vector<Match> match_keypoints(const Keypoints& a, const Keypoints& b, const MatchOptions& o,
                                   Device device) {
  const ProfileRange range(Work::host, "match");
  check(a, b, o);
  std::vector<Match> matches;
  if (a.points.empty() || b.points.empty()) return matches;
  const auto descriptors = [&](const Keypoints& k) {
    return Tensor::from<float>({int64_t(k.points.size()), k.descriptor_size}, k.descriptors,
                               device);
  };
  const auto nearest = [&](const Keypoints& k) {
    const int64_t count = int64_t(k.points.size());
    return NearestDescriptors{Tensor::empty({count}, DType::i32, device),
                              Tensor::empty({count, 2}, DType::f32, device)};
  };
  NearestDescriptors device_a = nearest(a), device_b = nearest(b);
  nearest_descriptors(descriptors(a), descriptors(b), device_a, device_b);
  const Nearest of_a(device_a), of_b(device_b);

  for (size_t i = 0; i < of_a.index.size(); ++i) {
    const int32_t j = of_a.index[i];
    if (j < 0 || (o.mutual && of_b.index[j] != int32_t(i))) continue;
    const float cosine = of_a.similarity[2 * i];
    const double d = distance(cosine), second = distance(of_a.similarity[2 * i + 1]);
    if (o.max_distance > 0 && !(d < o.max_distance)) continue;
    if (o.max_ratio > 0 && !(d < o.max_ratio * second)) continue;
    matches.push_back({int(i), j, cosine});
  }
  return matches;
}

}  // namespace cairn
