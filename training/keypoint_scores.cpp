#include "training/keypoint_scores.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "runtime/error.h"
#include "runtime/image.h"
#include "training/keypoint_metrics.h"
#include "training/reference_length.h"

namespace cairn {
namespace {

// For each annotation of an image the prediction that it is compared to, or null.
std::vector<const PredictedInstance*> paired(const AnnotatedImage& image,
                                             std::vector<const PredictedInstance*> found,
                                             std::span<const double> sigmas) {
  std::vector<const PredictedInstance*> pairs(image.instances.size());
  std::stable_sort(found.begin(), found.end(),
                   [](const auto* a, const auto* b) { return a->score > b->score; });
  for (const PredictedInstance* p : found) {
    size_t best = pairs.size();
    double most = -1;
    for (size_t i = 0; i < pairs.size(); ++i) {
      const Instance& truth = image.instances[i];
      if (pairs[i] || truth.crowd || (p->instance && *p->instance != truth.id)) continue;
      const double similarity = object_similarity(truth, p->points, sigmas);
      if (similarity <= most) continue;
      most = similarity;
      best = i;
    }
    if (best < pairs.size()) pairs[best] = p;
  }
  return pairs;
}

PointScores scores(const std::string& name, const KeypointErrors& errors,
                   const std::vector<int>& points, double threshold) {
  std::vector<double> pixels;
  for (int k : points)
    pixels.insert(pixels.end(), errors.pixels(k).begin(), errors.pixels(k).end());
  return {name, int64_t(pixels.size()), share_within(errors.points(points), threshold),
          finite_mean(pixels), median(pixels)};
}

}  // namespace

KeypointProtocol KeypointProtocol::usual(const KeypointDataset& data,
                                         const std::string& reference) {
  KeypointProtocol p;
  p.reference = reference.empty() ? usual_reference(data) : reference;
  p.thresholds = {0.02, 0.05, 0.1};
  p.alpha = 0.1;
  if (p.reference == "head") p.thresholds = {0.1, 0.2, 0.5};
  if (p.reference == "torso") p.thresholds = {0.05, 0.1, 0.2};
  if (p.reference == "interocular") p.alpha = 0.08;
  if (p.reference == "box") p.alpha = 0.07;
  if (p.reference == "pixels") {
    p.thresholds = {1, 2, 5, 10};
    p.alpha = 10;
  }
  return p;
}

std::vector<double> similarity_sigmas(const Skeleton& skeleton) {
  return skeleton.sigmas.empty() ? std::vector<double>(skeleton.names.size(), 0.05)
                                 : skeleton.sigmas;
}

KeypointScores evaluate(const KeypointDataset& truth, std::span<const PredictedInstance> found,
                        const KeypointProtocol& protocol) {
  const Skeleton& skeleton = truth.skeleton;
  const std::vector<double> sigmas = similarity_sigmas(skeleton);
  const ReferenceLength reference(protocol.reference, skeleton);
  KeypointScores s;
  s.oks = object_precision(truth, found, sigmas);

  std::map<int64_t, std::vector<const PredictedInstance*>> by_image;
  for (const PredictedInstance& p : found) by_image[p.image].push_back(&p);
  KeypointErrors all(skeleton.keypoints()), visible = all, hidden = all;
  const std::vector<ScoredPoint> nothing(skeleton.names.size(), ScoredPoint{NAN, NAN, 0});
  for (const AnnotatedImage& image : truth.images) {
    ++s.images;
    const auto pairs = paired(image, by_image[image.id], sigmas);
    for (size_t i = 0; i < pairs.size(); ++i) {
      const Instance& instance = image.instances[i];
      if (instance.crowd) continue;
      ++s.instances;
      const std::vector<ScoredPoint>& points = pairs[i] ? pairs[i]->points : nothing;
      const double length = reference.of(instance);
      all.add(instance, points, length);
      visible.add(only(instance, Visibility::visible), points, length);
      hidden.add(only(instance, Visibility::hidden), points, length);
    }
  }
  const std::vector<double> pixels = all.pixels();
  s.labelled = int64_t(pixels.size());
  if (s.labelled == 0)
    throw Error(truth.source, text(s.instances, " instances, but no point is labelled"),
                "points to compare with", "choose annotations that have keypoints");
  s.unpredicted = std::count(pixels.begin(), pixels.end(), INFINITY);
  s.without_length = all.without_length();
  s.mean_pixels = finite_mean(pixels);
  s.median_pixels = median(pixels);

  const double last = protocol.thresholds.back();
  const std::vector<double> errors =
      protocol.reference == "head" ? all.points(pckh_points(skeleton)) : all.points();
  for (double t : protocol.thresholds) s.pck.push_back(share_within(errors, t));
  s.pck_area = area_within(errors, last);
  s.pck_visible = share_within(visible.points(), last);
  s.pck_hidden = share_within(hidden.points(), last);
  s.nme = finite_mean(all.instances());
  s.auc = area_within(all.instances(), protocol.alpha);
  s.failure_rate = 1 - share_within(all.instances(), protocol.alpha);
  s.ced = share_curve(all.instances(), protocol.alpha, 50);
  for (int k = 0; k < skeleton.keypoints(); ++k)
    s.keypoints.push_back(scores(skeleton.names[size_t(k)], all, {k}, last));
  for (const PointGroup& group : point_groups(skeleton))
    s.groups.push_back(scores(group.name, all, group.points, last));
  return s;
}

std::vector<PredictedInstance> predict_instances(
    Model& model, const KeypointDataset& data, const CropRule& rule, const DetectOptions& options,
    const InferencePlace& place, const std::function<void(const AnnotatedImage&)>& done) {
  Detector detector(model, options, place);
  std::vector<PredictedInstance> found;
  for (const AnnotatedImage& annotated : data.images) {
    const Tensor image = read_image(annotated.path, model.channels());
    std::vector<Box> boxes;
    std::vector<int64_t> ids;
    for (const Instance& instance : annotated.instances)
      if (!instance.crowd) {
        boxes.push_back(instance.box);
        ids.push_back(instance.id);
      }
    const std::vector<Keypoints> answers = detect_in_boxes(detector, image, boxes, rule);
    for (size_t i = 0; i < answers.size(); ++i) {
      PredictedInstance p{annotated.id, scored_points(answers[i]), 0, ids[i]};
      for (const ScoredPoint& point : p.points) p.score += point.score / double(p.points.size());
      found.push_back(std::move(p));
    }
    if (done) done(annotated);
  }
  return found;
}

}  // namespace cairn
