#include "models/detector.h"

#include <gtest/gtest.h>

#include "kernels/elementwise/cast.h"
#include "runtime/autotuner.h"
#include "runtime/error.h"
#include "runtime/memory.h"
#include "runtime/random.h"
#include "tests/caught.h"
#include "tests/devices_with_graphs.h"

namespace cairn {
namespace {

struct System {
  std::string name, model;
  Options options;
  DetectOptions detect = {};
  DType precision = DType::f32;
  int64_t side = 16;
};

struct Network {
  std::unique_ptr<Model> model;
  Parameters parameters;

  Network(const System& s, Device device)
      : model(make_model(s.model, s.options)), parameters(*model, device) {
    parameters.initialize(1);
  }
  Tensor image(int64_t side, uint64_t seed) const {
    Tensor t = Tensor::empty({1, side, side, model->channels()});
    Random random(seed);
    for (int64_t i = 0; i < t.count(); ++i) t.data<float>()[i] = float(random.uniform());
    return t;
  }
};

void expect_same(const std::vector<Keypoints>& a, const std::vector<Keypoints>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t n = 0; n < a.size(); ++n) {
    EXPECT_FALSE(a[n].points.empty());
    EXPECT_EQ(a[n].points, b[n].points);
    EXPECT_EQ(a[n].scores, b[n].scores);
    EXPECT_EQ(a[n].descriptors, b[n].descriptors);
    EXPECT_EQ(a[n].descriptor_size, b[n].descriptor_size);
    EXPECT_EQ(a[n].visible, b[n].visible);
  }
}

class CapturedDetection : public testing::TestWithParam<std::tuple<System, Device>> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CapturedDetection);

// While it lives, memory that is handed out holds NaN: what a replay forgot to write is seen.
struct PoisonedMemory {
  const Device device;
  explicit PoisonedMemory(Device d) : device(d) { memory(d).poison(true); }
  ~PoisonedMemory() { memory(device).poison(false); }
};

// Another image each time; the second one is the first replay.
TEST_P(CapturedDetection, FindsTheSameToTheBitAsEagerly) {
  const auto& [s, device] = GetParam();
  const PoisonedMemory poisoned(device);
  Network net(s, device);
  Detector detector(*net.model, s.detect, {device, s.precision});
  for (uint64_t i = 0; i < 3; ++i) {
    const Tensor image = as_type(net.image(s.side, i), s.precision);
    expect_same(detector.detect(i == 2 ? image.to(device) : image),
                net.model->detect(image.to(device), s.detect));
    EXPECT_EQ(detector.captured(image.shape()), i >= 1);
  }
}

System superpoint(const std::string& norm, Refinement refinement = Refinement::none,
                  DType precision = DType::f32) {
  const std::string type = precision == DType::bf16 ? "_bf16" : "";
  return {"superpoint_" + norm + type,
          "superpoint",
          {{"norm", norm}},
          {.threshold = 0.001, .border = 0, .refinement = refinement},
          precision};
}
System hourglass(const std::string& codec, const std::string& block = "bottleneck") {
  return {"hourglass_" + codec + "_" + block,
          "stacked_hourglass",
          {{"stacks", "2"},
           {"features", "8"},
           {"joints", "3"},
           {"depth", "1"},
           {"codec", codec},
           {"block", block}}};
}
INSTANTIATE_TEST_SUITE_P(
    Systems, CapturedDetection,
    testing::Combine(
        testing::Values(
            superpoint("none", Refinement::quadratic), superpoint("pre", Refinement::soft_argmax),
            superpoint("post"), superpoint("pre", Refinement::none, DType::bf16),
            System{"superpoint_scales",
                   "superpoint",
                   {{"scales", "1,0.5"}},
                   {.threshold = 0.001, .border = 0}},
            System{"superpoint_mnv2", "superpoint-mnv2", {}, {.threshold = 0.001, .border = 0}},
            System{"magicpoint",
                   "magicpoint",
                   {{"norm", "pre"}},
                   {.threshold = 0.001, .border = 0, .top_k = 5}},
            hourglass("heatmap"), hourglass("signed"), hourglass("offsets"),
            hourglass("soft_argmax"), hourglass("coordinates"),
            hourglass("heatmap", "hierarchical"),
            System{"landmark_autoencoder",
                   "landmark_autoencoder",
                   {{"size", "mini"}, {"landmarks", "3"}},
                   {},
                   DType::f32,
                   32},
            System{"factorized_embeddings",
                   "factorized_embeddings",
                   {{"size", "mini"}, {"landmarks", "3"}, {"border", "0"}},
                   {},
                   DType::f32,
                   32}),
        testing::ValuesIn(devices_with_graphs())),
    [](const auto& info) {
      return std::get<0>(info.param).name + "_" + name(std::get<1>(info.param));
    });

class DetectorOnGraphs : public testing::TestWithParam<Device> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DetectorOnGraphs);
INSTANTIATE_TEST_SUITE_P(Devices, DetectorOnGraphs, testing::ValuesIn(devices_with_graphs()),
                         [](const auto& info) { return name(info.param); });

TEST_P(DetectorOnGraphs, HasOneForEachSizeAndForgetsThoseBeforeTheFifth) {
  const System s{"mnv2", "superpoint-mnv2", {}, {.threshold = 0.001, .border = 0}};
  Network net(s, GetParam());
  Detector detector(*net.model, s.detect, {GetParam()});
  const auto expect = [&](int64_t side, uint64_t seed) {
    const Tensor image = net.image(side, seed).to(GetParam());
    expect_same(detector.detect(image), net.model->detect(image, s.detect));
  };
  const auto captured = [&](int64_t side) { return detector.captured({1, side, side, 3}); };
  for (uint64_t i = 0; i < 4; ++i) expect(i % 2 ? 8 : 16, i);
  EXPECT_TRUE(captured(8) && captured(16));
  expect(8, 4);
  for (int64_t side : {24, 32}) expect(side, 1);
  EXPECT_TRUE(captured(8) && !captured(24));
  expect(40, 1);
  EXPECT_FALSE(captured(8) || captured(16));
  expect(8, 2);
  expect(8, 3);
  EXPECT_TRUE(captured(8) && !captured(40));
}

TEST_P(DetectorOnGraphs, MeasuresAlgorithmsForItsFirstFourSizes) {
  if (GetParam() == Device::cuda) GTEST_SKIP() << "choices of this machine are not a test's to add";
  const System s{"mnv2", "superpoint-mnv2", {}, {.threshold = 0.001, .border = 0}};
  Network net(s, GetParam());
  Detector detector(*net.model, s.detect, {GetParam()});
  Autotuner& tuner = autotuner(GetParam());
  const auto measured = [&](int64_t width) {  // in a layer that sees the whole image
    int count = 0;
    for (const auto& [problem, choice] : tuner.choices())
      count += problem.find(text(" x[1,8,", width, ',')) != std::string::npos && choice.ms > 0;
    return count;
  };
  tuner.set_measuring(true);
  for (int64_t width : {8, 16, 24, 32, 40})
    detector.detect(Tensor::full({1, 8, width, 3}, 0.5, DType::f32, GetParam()));
  tuner.set_measuring(false);
  EXPECT_GT(measured(32), 0);
  EXPECT_EQ(measured(40), 0);
}

TEST_P(DetectorOnGraphs, LooksAtMirrorImagesEagerly) {
  System s = hourglass("heatmap");
  s.options["swap"] = "1,0,2";
  s.detect.flip = true;
  Network net(s, GetParam());
  Detector detector(*net.model, s.detect, {GetParam()});
  const Tensor image = net.image(32, 1).to(GetParam());
  for (int i = 0; i < 3; ++i)
    expect_same(detector.detect(image), net.model->detect(image, s.detect));
  EXPECT_FALSE(detector.captured(image.shape()));
}

TEST_P(DetectorOnGraphs, ABatchThatTheNetworkCannotTakeIsRefusedEachTime) {
  const System s = superpoint("none");
  Network net(s, GetParam());
  Detector detector(*net.model, s.detect, {GetParam()});
  for (int i = 0; i < 3; ++i) {
    const Error e = caught([&] { detector.detect(net.image(12, 1)); });
    EXPECT_NE(e.expected.find("multiples of 8"), std::string::npos) << e.what();
  }
  expect_same(detector.detect(net.image(16, 1)),
              net.model->detect(net.image(16, 1).to(GetParam()), s.detect));
}

// An untrained network's scores are near 1/65: none reach the threshold, all are more than faint.
void expect_least(Device device) {
  System s = superpoint("none");
  Network net(s, device);
  const auto images = [&](uint64_t seed) { return net.image(24, seed).to(device); };
  const auto best = [&](const Tensor& image, int count) {
    return net.model->detect(image, {.threshold = faint_score, .border = 0, .top_k = count});
  };
  s.detect = {.threshold = 0.9, .border = 0, .least = 5};
  Detector five(*net.model, s.detect, {device});
  for (uint64_t i = 0; i < 3; ++i) expect_same(five.detect(images(i)), best(images(i), 5));
  s.detect.top_k = 3;
  Detector three(*net.model, s.detect, {device});
  expect_same(three.detect(images(1)), best(images(1), 3));
  // Where enough are found, these are all.
  const Tensor image = images(2);
  s.detect = {.threshold = best(image, 7)[0].scores[6] * 0.9999, .border = 0, .least = 5};
  Detector enough(*net.model, s.detect, {device});
  expect_same(enough.detect(image), best(image, 7));
}

TEST(Detector, FindsFaintPointsWhereThereAreFewOnCpu) { expect_least(Device::cpu); }
TEST_P(DetectorOnGraphs, FindsFaintPointsWhereThereAreFew) { expect_least(GetParam()); }

TEST(Detector, RunsEagerlyOnCpu) {
  const System s = superpoint("pre");
  Network net(s, Device::cpu);
  Detector detector(*net.model, s.detect);
  for (uint64_t i = 0; i < 3; ++i)
    expect_same(detector.detect(net.image(16, i)), net.model->detect(net.image(16, i), s.detect));
  EXPECT_FALSE(detector.captured({1, 16, 16, 1}));
}

}  // namespace
}  // namespace cairn
