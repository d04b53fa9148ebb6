#include "training/oks_ap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "runtime/error.h"

namespace cairn {
namespace {

constexpr double tiny = std::numeric_limits<double>::epsilon();  // keeps quotients finite
constexpr int thresholds = 10;

struct AreaRange {
  double low, high;
  bool holds(double area) const { return area >= low && area <= high; }
};
constexpr AreaRange all_areas{0, 1e10}, medium{32 * 32, 96 * 96}, large{96 * 96, 1e10};

// Of the box that just holds all points.
double extent_area(const PredictedInstance& found) {
  Bounds bounds;
  for (const ScoredPoint& p : found.points) bounds.add({p.x, p.y});
  const Box box = bounds.box();
  return box.width * box.height;
}

// One image: its annotations, its best detections by falling score, and how similar they are.
struct Scene {
  std::span<const Instance> truths;
  std::vector<const PredictedInstance*> found;
  std::vector<double> similarity;  // [found, truths]
};

// A detection at each threshold: matched to an annotation, or to be ignored.
struct Judged {
  double score;
  std::array<bool, thresholds> matched{}, ignored{};
};

// Each detection, the surest first, takes the free annotation that is most similar to it and
// similar enough; an ignored one only if there is no other. The later of equally similar ones wins.
void judge(const Scene& scene, const AreaRange& range, std::vector<Judged>& judged,
           int64_t& annotated) {
  const size_t G = scene.truths.size();
  std::vector<bool> ignore(G);
  std::vector<size_t> order(G);
  for (size_t g = 0; g < G; ++g) {
    const Instance& t = scene.truths[g];
    ignore[g] = t.crowd || t.labelled_points() == 0 || !range.holds(t.area);
    annotated += !ignore[g];
  }
  std::iota(order.begin(), order.end(), 0);
  std::stable_partition(order.begin(), order.end(), [&](size_t g) { return !ignore[g]; });

  const size_t first = judged.size();
  for (const PredictedInstance* d : scene.found) judged.push_back({d->score});
  const std::array<double, thresholds> least = similarity_thresholds();
  for (size_t t = 0; t < thresholds; ++t) {
    std::vector<bool> taken(G);
    for (size_t d = 0; d < scene.found.size(); ++d) {
      double best = std::min(least[t], 1 - 1e-10);
      size_t match = G;
      for (size_t g : order) {
        if (taken[g] && !scene.truths[g].crowd) continue;
        if (match < G && !ignore[match] && ignore[g]) break;
        const double s = scene.similarity[d * G + g];
        if (s < best) continue;
        best = s;
        match = g;
      }
      Judged& j = judged[first + d];
      j.matched[t] = match < G;
      j.ignored[t] = match < G ? ignore[match] : !range.holds(extent_area(*scene.found[d]));
      if (match < G) taken[match] = true;
    }
  }
}

struct Curve {
  double precision = -1, recall = -1;
};

// Averages at each threshold over all scenes.
std::array<Curve, thresholds> curves(const std::vector<Scene>& scenes, const AreaRange& range) {
  std::vector<Judged> judged;
  int64_t annotated = 0;
  for (const Scene& scene : scenes) judge(scene, range, judged, annotated);
  std::stable_sort(judged.begin(), judged.end(),
                   [](const Judged& a, const Judged& b) { return a.score > b.score; });
  std::array<Curve, thresholds> result;
  if (annotated == 0) return result;
  for (size_t t = 0; t < thresholds; ++t) {
    std::vector<bool> correct;
    for (const Judged& j : judged)
      if (!j.ignored[t]) correct.push_back(j.matched[t]);
    result[t].precision = average_precision_101(correct, annotated);
    result[t].recall = double(std::count(correct.begin(), correct.end(), true)) / double(annotated);
  }
  return result;
}

Curve mean(const std::array<Curve, thresholds>& curves) {
  Curve sum{0, 0};
  for (const Curve& c : curves) {
    sum.precision += c.precision;
    sum.recall += c.recall;
  }
  return {sum.precision / thresholds, sum.recall / thresholds};
}

void check(const KeypointDataset& truth, std::span<const PredictedInstance> found,
           std::span<const double> sigmas, const std::map<int64_t, const AnnotatedImage*>& images) {
  const size_t K = size_t(truth.skeleton.keypoints());
  std::string wrong;
  if (sigmas.size() != K) wrong += text("\n  ", sigmas.size(), " sigmas for ", K, " keypoints");
  for (size_t k = 0; k < sigmas.size(); ++k)
    if (!(sigmas[k] > 0)) wrong += text("\n  sigma ", k, " is ", sigmas[k]);
  for (size_t i = 0; i < found.size(); ++i) {
    if (found[i].points.size() != K)
      wrong += text("\n  detection ", i, " has ", found[i].points.size(), " points, not ", K);
    if (!images.count(found[i].image))
      wrong +=
          text("\n  detection ", i, " is of image ", found[i].image, ", which is not annotated");
  }
  if (!wrong.empty())
    throw Error("average precision", "detections and annotations do not fit:" + wrong,
                text("one positive sigma and one point for each of ", K,
                     " keypoints, in the images of ", truth.source),
                "compare results with the annotations that they were made for");
}

}  // namespace

double object_similarity(const Instance& truth, std::span<const ScoredPoint> predicted,
                         std::span<const double> sigmas) {
  const bool labelled = truth.labelled_points() > 0;
  // Boxes in files count from the border of the first pixel, keypoints from its centre; the
  // distance to a box is taken between the numbers as they are written.
  const Box& b = truth.box;
  const auto outside = [](double v, double low, double extent) {
    return std::max(0.0, low - extent - v) + std::max(0.0, v - (low + 2 * extent));
  };
  double sum = 0;
  int64_t count = 0;
  for (size_t k = 0; k < predicted.size(); ++k) {
    const LabelledPoint& p = truth.points[k];
    if (labelled && p.v == Visibility::missing) continue;
    ++count;
    if (std::isnan(predicted[k].x + predicted[k].y)) continue;
    const double dx = labelled ? predicted[k].x - p.x : outside(predicted[k].x, b.x + 0.5, b.width);
    const double dy =
        labelled ? predicted[k].y - p.y : outside(predicted[k].y, b.y + 0.5, b.height);
    const double variance = 4 * sigmas[k] * sigmas[k];
    sum += std::exp(-(dx * dx + dy * dy) / variance / (truth.area + tiny) / 2);
  }
  return count ? sum / double(count) : 0;
}

std::array<double, 10> similarity_thresholds() {
  std::array<double, 10> t;
  const double step = (0.95 - 0.5) / 9;
  for (int i = 0; i < 10; ++i) t[size_t(i)] = i * step + 0.5;
  t[9] = 0.95;
  return t;
}

double average_precision_101(const std::vector<bool>& correct, int64_t annotated) {
  const size_t n = correct.size();
  std::vector<double> recall(n), precision(n);
  int64_t right = 0;
  for (size_t i = 0; i < n; ++i) {
    right += correct[i];
    recall[i] = double(right) / double(annotated);
    precision[i] = double(right) / (double(i + 1) + tiny);
  }
  for (size_t i = n; i-- > 1;) precision[i - 1] = std::max(precision[i - 1], precision[i]);
  double sum = 0;
  for (int r = 0; r <= 100; ++r) {
    // 70 x 0.01 is a little more than 7 / 10: as numpy computes them.
    const auto at = std::lower_bound(recall.begin(), recall.end(), r == 100 ? 1.0 : r * 0.01);
    if (at != recall.end()) sum += precision[size_t(at - recall.begin())];
  }
  return sum / 101;
}

ObjectPrecision object_precision(const KeypointDataset& truth,
                                 std::span<const PredictedInstance> found,
                                 std::span<const double> sigmas, int max_detections) {
  std::map<int64_t, const AnnotatedImage*> images;
  for (const AnnotatedImage& image : truth.images) images[image.id] = &image;
  check(truth, found, sigmas, images);
  std::map<int64_t, std::vector<const PredictedInstance*>> by_image;
  for (const PredictedInstance& d : found) by_image[d.image].push_back(&d);

  std::vector<Scene> scenes;
  for (const auto& [id, image] : images) {
    Scene scene{image->instances, by_image[id], {}};
    std::stable_sort(scene.found.begin(), scene.found.end(),
                     [](const auto* a, const auto* b) { return a->score > b->score; });
    scene.found.resize(std::min(scene.found.size(), size_t(max_detections)));
    for (const PredictedInstance* d : scene.found)
      for (const Instance& t : scene.truths)
        scene.similarity.push_back(object_similarity(t, d->points, sigmas));
    scenes.push_back(std::move(scene));
  }
  const auto all = curves(scenes, all_areas);
  const Curve mean_all = mean(all), mean_medium = mean(curves(scenes, medium)),
              mean_large = mean(curves(scenes, large));
  return {mean_all.precision,   all[0].precision, all[5].precision, mean_medium.precision,
          mean_large.precision, mean_all.recall,  all[0].recall,    all[5].recall,
          mean_medium.recall,   mean_large.recall};
}

}  // namespace cairn
