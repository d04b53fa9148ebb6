#include "training/keypoint_evaluation.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "layers/prepared_weights.h"
#include "runtime/error.h"
#include "training/draw_skeleton.h"
#include "training/grey_image.h"

namespace cairn {
namespace {

// The model's loss on the crops, in inference.
struct LossPair {
  double loss, zero_loss;
};
LossPair losses(Model& model, Device device, const KeypointCrops& crops) {
  Batch batch = encoded(crops, *model.codec());
  for (auto& [name, tensor] : batch) tensor = tensor.to(device);
  Tape tape(false);
  const Loss loss = model.loss(tape, batch);
  return {loss.total.value().item(), loss.terms.at("zero_loss").item()};
}

Tile overlay(const KeypointCrops& crops, int64_t i, const Skeleton& skeleton,
             const Keypoints& found) {
  const Tensor crop = crops.image.rows(i, i + 1);
  Canvas canvas(grey_bytes(crop.reshape({crop.dim(1), crop.dim(2), crop.dim(3)})),
                int(std::clamp<int64_t>(384 / std::max(crop.dim(1), crop.dim(2)), 1, 4)));
  const int K = skeleton.keypoints();
  std::vector<LabelledPoint> truth, predicted;
  double sum = 0;
  int labelled = 0;
  for (int k = 0; k < K; ++k) {
    const float* p = crops.points.data<float>() + (i * K + k) * 2;
    const auto v = Visibility(crops.visibility.data<uint8_t>()[i * K + k]);
    truth.push_back({p[0], p[1], v == Visibility::missing ? v : Visibility::hidden});  // a ring
    const auto& q = found.points[size_t(k)];
    predicted.push_back({q[0], q[1], Visibility::visible});
    if (v == Visibility::missing) continue;
    sum += std::hypot(double(q[0] - p[0]), double(q[1] - p[1]));
    ++labelled;
  }
  const Colour green{90, 235, 120};
  const double dot = K > 20 ? 1.6 : 2.4;
  draw_skeleton(canvas, skeleton, truth, {dot + 2.2, 1.2, &green});
  draw_skeleton(canvas, skeleton, predicted, {dot, 1.4, nullptr});
  char caption[32];
  std::snprintf(caption, sizeof caption, "%.1f px", labelled ? sum / labelled : 0.0);
  return {canvas.image(), caption};
}

}  // namespace

KeypointResults evaluate_keypoints(Model& model, Device device, const KeypointExamples& examples,
                                   const ReferenceLength& reference, const KeypointEvaluation& o) {
  if (!model.codec() || !model.skeleton())
    throw Error(model.architecture(), "it does not say where named points are",
                "a network with a codec", "evaluate a stacked hourglass, for example");
  const Skeleton& skeleton = *model.skeleton();
  const KeypointErrors none(examples.skeleton().keypoints());
  KeypointResults results{none, none, none, 0, 0, {}};
  DetectOptions detect;
  detect.flip = o.flip;
  InferenceWeights weights;
  const InferenceWeights::Use use(weights);
  for (int64_t first = 0; first < o.images; first += o.batch) {
    const int size = int(std::min<int64_t>(o.batch, o.images - first));
    const KeypointCrops crops = plain_crops(examples, o.height, o.width, first, size);
    const std::vector<Keypoints> found = model.detect(crops.image.to(device), detect);
    const LossPair loss = losses(model, device, crops);
    results.loss += loss.loss * size / double(o.images);
    results.zero_loss += loss.zero_loss * size / double(o.images);
    for (int64_t i = 0; i < size; ++i) {
      const Instance truth = examples.example(first + i).instance;
      const std::vector<ScoredPoint> points =
          in_image(scored_points(found[size_t(i)]), crops.to_crop[size_t(i)]);
      const double length = reference.of(truth);
      results.errors.add(truth, points, length);
      results.visible.add(only(truth, Visibility::visible), points, length);
      results.hidden.add(only(truth, Visibility::hidden), points, length);
      if (first + i < o.pictures)
        results.pictures.push_back(overlay(crops, i, skeleton, found[size_t(i)]));
    }
  }
  return results;
}

}  // namespace cairn
