#include "models/stacked_hourglass.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "kernels/elementwise/cast.h"
#include "kernels/elementwise/scale.h"
#include "layers/weights.h"
#include "models/codecs/maps.h"
#include "runtime/error.h"
#include "tests/caught.h"
#include "tests/layers/gradient_check.h"

namespace cairn {
namespace {

int64_t count(const Options& options) {
  return Parameters(*make_model("stacked_hourglass", options), Device::cpu).count();
}
int64_t count(int stacks, int features, int joints = 16, const char* block = "bottleneck") {
  return count({{"stacks", std::to_string(stacks)},
                {"features", std::to_string(features)},
                {"joints", std::to_string(joints)},
                {"block", block}});
}

StackedHourglassOptions small(int stacks) {
  StackedHourglassOptions o;
  o.stacks = stacks;
  o.features = 16;
  o.joints = 5;
  return o;
}

TEST(StackedHourglass, HasThePapersParametersToTheLastOne) {
  EXPECT_EQ(count(1, 256), 3'426'448);
  EXPECT_EQ(count(2, 256), 6'570'400);
  EXPECT_EQ(count(4, 256), 12'858'304);
  EXPECT_EQ(count(8, 256), 25'434'112);
  EXPECT_EQ(count(2, 128), 1'744'544);
  EXPECT_EQ(count(1, 128), 950'800);
  EXPECT_EQ(count(2, 64), 545'248);
  EXPECT_EQ(count(1, 64), 342'928);
}

TEST(StackedHourglass, HasTheParametersOfTheOccludedHourglassFor68Points) {
  EXPECT_EQ(count(4, 256, 68), 12'951'696);
  EXPECT_EQ(count(8, 256, 68), 25'634'208);
}

TEST(StackedHourglass, WithHierarchicalBlocksHasFansParametersToTheLastOne) {
  EXPECT_EQ(count(1, 256, 68, "hierarchical"), 6'249'668);
  EXPECT_EQ(count(2, 256, 68, "hierarchical"), 12'106'504);
  EXPECT_EQ(count(3, 256, 68, "hierarchical"), 17'963'340);
  EXPECT_EQ(count(4, 256, 68, "hierarchical"), 23'820'176);
}

TEST(StackedHourglass, GivesOneSetOfHeatmapsPerStackAtAQuarterOfTheSize) {
  StackedHourglass network(small(2));
  Parameters parameters(network, Device::cpu);
  parameters.initialize(1);
  Tape tape(false);
  const auto heatmaps = network.forward(tape.constant(Tensor::full({1, 64, 128, 3}, 0.5)));
  ASSERT_EQ(heatmaps.size(), 2u);
  EXPECT_EQ(heatmaps[1].shape(), (Shape{1, 16, 32, 5}));
}

TEST(StackedHourglass, ASizeThatDoesNotFitNamesTheMultiple) {
  StackedHourglass network(small(1));
  Parameters parameters(network, Device::cpu);
  Tape tape(false);
  try {
    network.forward(tape.constant(Tensor::zeros({1, 96, 128, 3})));
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.expected.find("multiples of 64"), std::string::npos) << e.what();
  }
}

// Small networks with every codec, block and stem, and a batch of two images for them.
std::unique_ptr<Model> small_model(Options options) {
  options.merge(Options{{"features", "16"}, {"joints", "3"}, {"depth", "2"}});
  return make_model("stacked_hourglass", options);
}

Batch small_batch(const Model& model, int64_t height = 32, int64_t width = 48) {
  const Tensor points =
      Tensor::from<float>({2, 1, 3, 2}, {10, 5, 20, 20, 30, 9, 7, 8, 9, 10, 11, 12});
  const Tensor seen = Tensor::from<uint8_t>({2, 1, 3}, {2, 1, 2, 2, 0, 2});
  Batch batch = model.codec()->encode(points, seen, {height, width});
  batch["image"] = normal64({2, height, width, model.channels()}, 3).to(DType::f32);
  return batch;
}

const std::vector<Options> kinds = {{{"codec", "heatmap"}},
                                    {{"codec", "signed"}, {"block", "hierarchical"}},
                                    {{"codec", "offsets"}, {"stem", "light"}, {"channels", "1"}},
                                    {{"codec", "soft_argmax"}, {"stacks", "1"}},
                                    {{"codec", "coordinates"}}};

TEST(StackedHourglass, LearnsAndAnswersThroughEveryCodec) {
  for (const Options& options : kinds) {
    SCOPED_TRACE(options.at("codec"));
    const auto model = small_model(options);
    Parameters parameters(*model, Device::cpu);
    parameters.initialize(1);
    const Batch batch = small_batch(*model);
    parameters.begin_step();
    Tape tape;
    tape.training = true;
    const Loss loss = model->loss(tape, batch);
    tape.backward(loss.total);
    EXPECT_TRUE(std::isfinite(loss.total.value().item()));
    EXPECT_GT(loss.terms.at("zero_loss").item(), 0);
    for (const Segment& s : parameters.segments())
      EXPECT_TRUE(s.parameter->touched) << s.name << " got no gradient";
    const auto found = model->detect(batch.at("image"), {});
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].points.size(), 3u);
    EXPECT_EQ(found[0].scores.size(), 3u);
    for (const auto& [name, spec] : model->loss_inputs(2, 32, 48))
      EXPECT_EQ(spec.shape, batch.at(name).shape()) << name;
  }
}

TEST(StackedHourglass, TheLossIsTheMeanOverTheStacksTheirSumOrTheLastOne) {
  const auto model = small_model({});
  Parameters parameters(*model, Device::cpu);
  parameters.initialize(1);
  const Batch batch = small_batch(*model);
  const auto loss = [&] {
    Tape tape(false);
    return model->loss(tape, batch);
  };
  const Loss mean = loss();
  const double first = mean.terms.at("stack_1").item(), second = mean.terms.at("stack_2").item();
  EXPECT_NE(first, second);
  EXPECT_FLOAT_EQ(float(mean.total.value().item()), float((first + second) / 2));
  model->set_loss_options({{"stacks", "sum"}});
  EXPECT_FLOAT_EQ(float(loss().total.value().item()), float(first + second));
  model->set_loss_options({{"stacks", "last"}});
  EXPECT_EQ(loss().total.value().item(), second);
}

TEST(StackedHourglass, AnEarlierStackAnswersWithoutThoseAfterIt) {
  StackedHourglass model(small(2));
  Parameters parameters(model, Device::cpu);
  parameters.initialize(1);
  Tape tape(false);
  const Var image = tape.constant(normal64({1, 64, 64, 3}, 3).to(DType::f32));
  const std::vector<Var> first = model.forward(image, 1), both = model.forward(image);
  ASSERT_EQ(first.size(), 1u);
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(first[0].value().values<float>(), both[0].value().values<float>());
  DetectOptions one, three;
  one.stacks = 1;
  three.stacks = 3;
  EXPECT_EQ(model.detect(image.value(), one)[0].points,
            model.codec()->decode(first[0].value(), {64, 64})[0].points);
  EXPECT_NE(error_of([&] { model.detect(image.value(), three); }).find("network with 2"),
            std::string::npos);
}

// A network whose answer cannot depend on the side: its points swap and mirror with the image.
TEST(StackedHourglass, AnsweringWithTheMirrorImageIsSymmetric) {
  for (Options options : kinds) {
    SCOPED_TRACE(options.at("codec"));
    options["swap"] = "2,1,0";
    const auto model = small_model(options);
    Parameters parameters(*model, Device::cpu);
    parameters.initialize(2);
    DetectOptions flip;
    flip.flip = true;
    const Tensor image = small_batch(*model).at("image");
    std::vector<int> colours;
    for (int c = 0; c < model->channels(); ++c) colours.push_back(c);
    const auto a = model->detect(image, flip);
    const auto b = model->detect(mirrored_maps(image, colours), flip);
    for (size_t n = 0; n < 2; ++n)
      for (size_t k = 0; k < 3; ++k) {
        EXPECT_NEAR(a[n].points[k][0], 47 - b[n].points[2 - k][0], 1e-2);
        EXPECT_NEAR(a[n].points[k][1], b[n].points[2 - k][1], 1e-2);
      }
  }
}

// Every rounding to bf16 is 2^-9 of a value at the most; forty layers of them in sums of many. The
// heads are made large, so that points lie apart.
TEST(StackedHourglass, AnswersNearlyTheSameInBf16ButOnACpu) {
  for (const std::string block : {"bottleneck", "hierarchical"})
    for (const Device device : available_devices()) {
      const auto model = small_model(
          {{"block", block}, {"stem", "light"}, {"codec", "soft_argmax"}, {"swap", "2,1,0"}});
      EXPECT_EQ(model->computes_in(DType::bf16, device), device != Device::cpu);
      if (device == Device::cpu) continue;
      Parameters parameters(*model, device);
      parameters.initialize(2);
      for (const NamedTensor& n : named_tensors(*model))
        if (n.name.starts_with("outs.") || n.name.starts_with("l"))
          scale(*n.tensor, 1000, *n.tensor);
      const Tensor image = small_batch(*model).at("image").to(device),
                   rounded = as_type(image, DType::bf16);
      EXPECT_EQ(model->raw_outputs(rounded).at("heatmaps").dtype(), DType::f32);
      for (const bool flip : {false, true}) {
        DetectOptions options;
        options.flip = flip;
        const auto want = model->detect(image, options), got = model->detect(rounded, options);
        EXPECT_NE(want[0].points, got[0].points);
        for (size_t n = 0; n < 2; ++n)
          for (size_t k = 0; k < 3; ++k)
            for (int axis : {0, 1})
              EXPECT_NEAR(got[n].points[k][axis], want[n].points[k][axis], 0.3) << block;
      }
    }
}

TEST(StackedHourglass, TheMirrorImageNeedsToKnowWhatItExchanges) {
  const auto model = small_model({});
  Parameters parameters(*model, Device::cpu);
  DetectOptions flip;
  flip.flip = true;
  EXPECT_NE(error_of([&] {
              model->detect(Tensor::zeros({1, 16, 16, 3}), flip);
            }).find("swap"),
            std::string::npos);
}

// The public implementation makes a skip layer in every residual, used or not.
TEST(StackedHourglass, LoadsPublicWeightsWithTheirDeadSkipLayers) {
  const auto model = small_model({});
  Parameters parameters(*model, Device::cpu);
  parameters.initialize(1);
  SafetensorsFile file;
  for (const auto& [name, t] : export_weights(*model)) file.tensors[name] = t;
  file.tensors["hgs.0.0.low2.up1.skip_layer.conv.weight"] = Tensor::zeros({16, 16, 1, 1});
  file.tensors["features.1.0.skip_layer.conv.bias"] = Tensor::zeros({16});
  file.tensors["pre.0.bn.num_batches_tracked"] = Tensor::zeros({});
  EXPECT_NO_THROW(load_weights(*model, file, "public.safetensors"));
  file.tensors["features.1.0.other"] = Tensor::zeros({16});
  EXPECT_NE(error_of([&] {
              load_weights(*model, file, "public.safetensors");
            }).find("features.1.0.other"),
            std::string::npos);
}

TEST(StackedHourglass, PartsCarryThePublicNames) {
  const auto names = [](const Options& options) {
    const auto model = small_model(options);
    std::set<std::string> all;
    for (const NamedTensor& t : named_tensors(*model)) all.insert(t.name);
    return all;
  };
  const auto bottleneck = names({});
  for (const char* name :
       {"pre.0.conv.weight", "pre.4.skip_layer.conv.bias", "hgs.1.0.low2.low2.conv3.conv.weight",
        "features.0.1.bn.running_mean", "outs.1.conv.bias", "merge_features.0.conv.conv.weight",
        "merge_preds.0.conv.conv.weight"})
    EXPECT_TRUE(bottleneck.contains(name)) << name;
  const auto hierarchical = names({{"block", "hierarchical"}});
  for (const char* name :
       {"conv1.bias", "conv4.downsample.2.weight", "m0.b1_2.bn1.weight",
        "m1.b2_plus_1.conv3.weight", "m0.b3_1.conv2.weight", "top_m_1.conv1.weight",
        "conv_last0.bias", "bn_end1.running_var", "l0.weight", "bl0.weight", "al0.bias"})
    EXPECT_TRUE(hierarchical.contains(name)) << name;
}

TEST(StackedHourglass, KeepsWhatItsPointsAreCalledInItsOptions) {
  const Options options{{"names", "nose,left,right"}, {"swap", "0,2,1"}, {"bones", "0-1,0-2"}};
  const auto model = small_model(options);
  for (const auto& [key, value] : options) EXPECT_EQ(model->options().at(key), value);
  EXPECT_EQ(model->skeleton()->names[2], "right");
  EXPECT_EQ(model->skeleton()->bones[1], (std::array<int, 2>{0, 2}));
}

TEST(StackedHourglass, ASkeletonThatDoesNotFitIsNamedInFull) {
  const std::string message = error_of([] {
    small_model({{"names", "nose,left"}, {"swap", "1,2,x"}, {"bones", "0-3,1"}});
  });
  for (const char* part : {"2 names for 3 points", "the point 'x'", "bone '0-3'", "bone '1'"})
    EXPECT_NE(message.find(part), std::string::npos) << message;
  EXPECT_NE(error_of([] {
              small_model({{"swap", "1,2,0"}});
            }).find("swap takes 0 to 1 and that to 2"),
            std::string::npos);
}

}  // namespace
}  // namespace cairn
