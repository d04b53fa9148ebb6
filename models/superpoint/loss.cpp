// What SuperPoint learns from: corner labels, alone or on pairs of images with a known homography.
#include "layers/check.h"
#include "layers/functions_elementwise.h"
#include "layers/functions_softmax.h"
#include "models/superpoint.h"

namespace cairn {

std::map<std::string, Model::InputSpec> SuperPoint::loss_inputs(int64_t batch, int64_t height,
                                                                int64_t width) const {
  const int64_t images = options_.descriptor ? 2 * batch : batch;
  const Shape cells{images, height / cell, width / cell};
  std::map<std::string, InputSpec> inputs{
      {"image", {{images, height, width, channels()}, DType::f32, 1}},
      {"label", {cells, DType::i32, 65}},
      {"valid", {cells, DType::u8, 2}}};
  // A shift that no cell's centre is hit by.
  if (options_.descriptor)
    inputs["homography"] = {{batch, 9}, DType::f32, 0, {1, 0, 3.25, 0, 1, -2.5, 0, 0, 1}};
  return inputs;
}

namespace {

void check_pairs(const Batch& batch) {
  const Tensor &image = batch.at("image"), &homography = batch.at("homography");
  Check check("superpoint loss");
  check.argument("image", image).argument("homography", homography);
  check.require(image.dim(0) % 2 == 0, "there are ", image.dim(0), " images");
  check.require(homography.shape() == Shape{image.dim(0) / 2, 9},
                "there is not one homography to two images");
  check.done("image [2N,H,W,C] and homography [N,9]",
             "batch N images, then their N partners in the same order");
}

// The sum of the means over the images and over their partners.
Var pair_detector_loss(const Var& logits, const Tensor& label, const Tensor& valid) {
  const int64_t n = label.dim(0) / 2;
  const auto [images, partners] = halves(logits);
  return add(softmax_cross_entropy(images, label.rows(0, n), valid.rows(0, n)),
             softmax_cross_entropy(partners, label.rows(n, 2 * n), valid.rows(n, 2 * n)));
}

}  // namespace

Loss SuperPoint::loss(Tape& tape, const Batch& batch) {
  const bool pairs = batch.count("homography") != 0;
  if (pairs) check_pairs(batch);
  const Output out = forward(tape.constant(batch.at("image")));
  const Tensor &label = batch.at("label"), &valid = batch.at("valid");
  if (!pairs) return {softmax_cross_entropy(out.logits, label, valid)};
  const Var detector = pair_detector_loss(out.logits, label, valid);
  return {detector, {{"detector", detector.value()}}};
}

}  // namespace cairn
