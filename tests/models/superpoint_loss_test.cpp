// The joint loss of SuperPoint: its terms, its options, and its gradient through whole networks.
#include <gtest/gtest.h>

#include <cmath>

#include "models/superpoint.h"
#include "runtime/error.h"
#include "tests/layers/gradient_check.h"

namespace cairn {
namespace {

// One pair of small images in float64, with random labels.
Batch small_pair(const Model& model, int64_t height = 24, int64_t width = 32) {
  Batch batch;
  Random random(3);
  for (const auto& [name, spec] : model.loss_inputs(1, height, width)) {
    Tensor t = Tensor::empty(spec.shape, DType::f64);
    for (int64_t i = 0; i < t.count(); ++i)
      t.data<double>()[i] =
          spec.row.empty() ? random.uniform(0, spec.limit) : spec.row[size_t(i) % spec.row.size()];
    const bool real = spec.dtype == DType::f32;
    batch[name] = real ? t : t.to(spec.dtype);
  }
  batch["valid"].fill(1);
  return batch;
}

struct Built {
  std::unique_ptr<Model> model;
  Parameters parameters;

  Built(const std::string& name, const Options& options, const Options& loss = {})
      : model(make_model(name, options)), parameters(*model, Device::cpu, DType::f64) {
    parameters.initialize(5);
    model->set_loss_options(loss);
  }
  double total(const Batch& batch) {
    Tape tape;
    tape.training = true;
    return model->loss(tape, batch).total.value().item();
  }
};

// The slope along a random direction of all parameters against the backward's.
void expect_slope(Built& b) {
  const Batch batch = small_pair(*b.model);
  b.parameters.begin_step();
  Tape tape;
  tape.training = true;
  tape.backward(b.model->loss(tape, batch).total);

  Tensor& values = b.parameters.values();
  const Tensor base = values.clone(), v = normal64(values.shape(), 11);
  double ours = 0;
  for (const Segment& s : b.parameters.segments()) {
    EXPECT_TRUE(s.parameter->touched) << s.name << " got no gradient";
    ours += dot64(s.parameter->grad.reshape({s.length}), v.part(s.offset, {s.length}));
  }
  const double h = 1e-8;  // small enough to keep nearly all units on their side of the kink
  const auto moved = [&](double step) {
    for (int64_t i = 0; i < v.count(); ++i)
      values.data<double>()[i] = base.data<double>()[i] + step * v.data<double>()[i];
    return b.total(batch);
  };
  const double slope = (moved(h) - moved(-h)) / (2 * h);
  EXPECT_NEAR(ours / slope, 1, 1e-4) << "slope " << slope << ", backward " << ours;
}

TEST(SuperPointLoss, TheGradientOfEachFormIsItsSlope) {
  for (const char* form : {"double_norm", "paper", "sparse"}) {
    SCOPED_TRACE(form);
    Built b("superpoint", {{"norm", "pre"}}, {{"form", form}});
    expect_slope(b);
  }
}

TEST(SuperPointLoss, EveryOrderOfTheNormsAndTheMobileBackboneLearn) {
  for (const Options& options :
       {Options{{"norm", "none"}}, Options{{"norm", "post"}}, Options{{"variant", "mnv2"}}}) {
    SCOPED_TRACE(options.begin()->second);
    Built b("superpoint", options);
    expect_slope(b);
  }
}

TEST(SuperPointLoss, ItsTermsAddUp) {
  Built b("superpoint", {{"norm", "pre"}});
  Tape tape;
  tape.training = true;
  const Loss loss = b.model->loss(tape, small_pair(*b.model));
  const auto term = [&](const char* name) { return loss.terms.at(name).item(); };
  EXPECT_EQ(loss.terms.size(), 6u);
  EXPECT_NEAR(term("detector") + term("descriptor"), loss.total.value().item(), 1e-9);
  EXPECT_NEAR(term("descriptor_positive") + term("descriptor_negative"), term("descriptor"), 1e-9);
  EXPECT_LE(std::abs(term("positive_cosine")), 1);
  EXPECT_LE(std::abs(term("hardest_negative_cosine")), 1);
}

TEST(SuperPointLoss, TheDetectorCountsImagesAndPartnersAlike) {
  Built b("superpoint", {{"norm", "none"}});
  Batch batch = small_pair(*b.model);
  const int64_t images = batch["image"].dim(0);
  batch["valid"].rows(images / 2, images).zero();  // nothing of the partner is seen
  Tape tape;
  const double half = b.model->loss(tape, batch).terms.at("detector").item();
  Batch alone;
  for (const char* name : {"image", "label", "valid"})
    alone[name] = batch[name].rows(0, images / 2);
  EXPECT_NEAR(half, b.total(alone), 1e-12);
}

template <class F>
std::string usage_error(F&& f) {
  try {
    f();
  } catch (const UsageError& e) {
    return e.what();
  }
  return "";
}

TEST(SuperPointLoss, RefusesOptionsThatAreUnknownOrOutOfRange) {
  const auto model = make_model("superpoint");
  const auto said = [&](const Options& o) {
    return usage_error([&] { model->set_loss_options(o); });
  };
  EXPECT_NE(said({{"form", "dense"}}).find("double_norm, paper, sparse"), std::string::npos);
  EXPECT_NE(said({{"reduction", "sum"}}).find("unknown option reduction"), std::string::npos);
  EXPECT_NE(said({{"form", "paper"}, {"reduction", "mean"}}).find("mean_n2"), std::string::npos);
  EXPECT_NE(said({{"weight", "-1"}}).find("a number from 0"), std::string::npos);
  EXPECT_NE(said({{"weight", "much"}}).find("'much'"), std::string::npos);
  EXPECT_NE(said({{"form", "sparse"}, {"samples", "0"}}).find("a whole number from 1"),
            std::string::npos);
  EXPECT_EQ(said({{"form", "sparse"}, {"samples", "500"}, {"negative_margin", "0.3"}}), "");
}

TEST(SuperPointLoss, ANetworkWithoutDescriptorsHasNoLossOptionsAndTakesNoPairs) {
  const auto model = make_model("magicpoint");
  EXPECT_NE(usage_error([&] {
              model->set_loss_options({{"form", "paper"}});
            }).find("form"),
            std::string::npos);
  Parameters parameters(*model, Device::cpu, DType::f64);
  parameters.initialize(1);
  Batch batch = small_pair(*make_model("superpoint"));
  Tape tape;
  EXPECT_THROW(model->loss(tape, batch), Error);
}

TEST(SuperPointLoss, RefusesImagesThatAreNotPairs) {
  const auto model = make_model("superpoint");
  Batch batch = small_pair(*model);
  batch["homography"] = Tensor::zeros({2, 9}, DType::f64);
  Tape tape;
  try {
    model->loss(tape, batch);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.wrong.find("one homography to two images"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace cairn
