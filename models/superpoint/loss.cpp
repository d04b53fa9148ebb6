// What SuperPoint learns from: corner labels, and pairs of images with a known homography.
#include "layers/check.h"
#include "layers/functions_descriptor.h"
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

using Form = SuperPointLossOptions::Form;

// What the forms have in common, with the form's own defaults.
template <class Constants>
void read_constants(OptionReader& read, double weight, double positive_weight, Constants& c) {
  c.weight = read.real("weight", weight, 0, 1e12);
  c.positive_weight = read.real("positive_weight", positive_weight, 0, 1e12);
  c.positive_margin = read.real("positive_margin", 1, 0, 1);
  c.negative_margin = read.real("negative_margin", 0.2, 0, 1);
}

}  // namespace

void SuperPoint::set_loss_options(const Options& options) {
  if (!options_.descriptor) return Model::set_loss_options(options);
  OptionReader read("superpoint loss", options);
  SuperPointLossOptions o;
  const std::string form = read.choice("form", {"double_norm", "paper", "sparse"});
  if (form == "double_norm") {
    read_constants(read, 1e4, 0.05, o.hinge);
  } else if (form == "paper") {
    o.form = Form::paper;
    read_constants(read, 0.002, 250, o.hinge);
    o.hinge.radius = 1;
    const std::string reduction = read.choice("reduction", {"mean_n", "mean_n2", "sum"});
    o.hinge.reduction = reduction == "mean_n"    ? PairReduction::mean_n
                        : reduction == "mean_n2" ? PairReduction::mean_n2
                                                 : PairReduction::sum;
  } else {
    o.form = Form::sparse;
    read_constants(read, 1, 1, o.sparse);
    o.sampling.samples = read.integer("samples", 1000, 1, 1 << 20);
    o.sampling.negatives = read.integer("negatives", 100, 1, 1 << 16);
  }
  read.finish();
  loss_options_ = o;
}

namespace {

void check_pairs(const Batch& batch, bool has_descriptors) {
  const Tensor &image = batch.at("image"), &homography = batch.at("homography");
  Check check("superpoint loss");
  check.argument("image", image).argument("homography", homography);
  check.require(image.dim(0) % 2 == 0, "there are ", image.dim(0), " images");
  check.require(homography.shape() == Shape{image.dim(0) / 2, 9},
                "there is not one homography to two images");
  check.require(has_descriptors, "the network has no descriptors to learn");
  check.done("image [2N,H,W,C] and homography [N,9], for a network with descriptors",
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

DescriptorLoss SuperPoint::descriptor_loss(const Var& descriptors, const Batch& batch) const {
  const Tensor& valid = batch.at("valid");
  const PairGeometry pairs{batch.at("homography"), valid.rows(valid.dim(0) / 2, valid.dim(0)),
                           cell};
  const SuperPointLossOptions& o = loss_options_;
  const Var unit = l2_normalize(descriptors);
  switch (o.form) {
    case Form::double_norm:
      return descriptor_double_norm(unit, pairs, o.hinge);
    case Form::paper:
      return descriptor_hinge(unit, pairs, o.hinge);
    default:
      return descriptor_sparse(unit, pairs, o.sparse, o.sampling);
  }
}

Loss SuperPoint::loss(Tape& tape, const Batch& batch) {
  const bool pairs = batch.count("homography") != 0;
  if (pairs) check_pairs(batch, options_.descriptor);
  const Output out = forward(tape.constant(batch.at("image")));
  const Tensor &label = batch.at("label"), &valid = batch.at("valid");
  if (!pairs) return {softmax_cross_entropy(out.logits, label, valid)};
  const Var detector = pair_detector_loss(out.logits, label, valid);
  const DescriptorLoss descriptor = descriptor_loss(out.descriptors, batch);
  const auto term = [&](int64_t i) { return descriptor.terms.part(i, {1}); };
  return {add(detector, descriptor.total),
          {{"detector", detector.value()},
           {"descriptor", descriptor.total.value()},
           {"descriptor_positive", term(0)},
           {"descriptor_negative", term(1)},
           {"positive_cosine", term(2)},
           {"hardest_negative_cosine", term(3)}}};
}

}  // namespace cairn
