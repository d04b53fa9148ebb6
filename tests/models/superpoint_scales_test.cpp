// SuperPoint that looks at an image at several sizes, beside what single looks give.
#include <cmath>

#include "kernels/elementwise/cast.h"
#include "kernels/pool/upsample_bilinear.h"
#include "models/superpoint.h"
#include "runtime/random.h"
#include "tests/caught.h"
#include "tests/models/reference.h"

namespace cairn {
namespace {

struct Net {
  std::unique_ptr<Model> model;
  Parameters parameters;
  Net(Device device, const Options& options)
      : model(make_model("superpoint", options)), parameters(*model, device) {
    parameters.initialize(3);
  }
  SuperPoint& superpoint() { return dynamic_cast<SuperPoint&>(*model); }
};

Tensor noise(const Shape& shape, Device device) {
  Tensor t = Tensor::empty(shape);
  Random random(5);
  for (int64_t i = 0; i < t.count(); ++i) t.data<float>()[i] = float(random.uniform());
  return t.to(device);
}

Tensor resized(const Tensor& x, int64_t height, int64_t width) {
  Tensor y = x.empty_like({x.dim(0), height, width, x.dim(3)});
  upsample_bilinear(x, Align::edges, y);
  return y;
}

// Of a unit map [1,C,h,w] at pixel (x, y) of an image of `height` x `width`; unit.
std::vector<double> descriptor(const Tensor& map, const std::array<float, 2>& p, double height,
                               double width) {
  const int64_t h = map.dim(1), w = map.dim(2), C = map.dim(3);
  const double u = (p[0] + 0.5) / width * double(w) - 0.5;
  const double v = (p[1] + 0.5) / height * double(h) - 0.5;
  std::vector<double> sum(C);
  for (int64_t i : {0, 1})
    for (int64_t j : {0, 1}) {
      const int64_t r = int64_t(std::floor(v)) + i, c = int64_t(std::floor(u)) + j;
      if (r < 0 || c < 0 || r >= h || c >= w) continue;
      const double weight = (1 - std::abs(v - double(r))) * (1 - std::abs(u - double(c)));
      for (int64_t k = 0; k < C; ++k)
        sum[k] += weight * double(map.data<float>()[(r * w + c) * C + k]);
    }
  double length = 0;
  for (double x : sum) length += x * x;
  for (double& x : sum) x /= std::sqrt(length);
  return sum;
}

class SuperPointScales : public OnEachDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, SuperPointScales, ::testing::ValuesIn(available_devices()),
                         device_name);

TEST_P(SuperPointScales, PointsAreThoseOfTheMeanHeatmapDescriptorsTheMeanOfBothLooks) {
  const Device device = GetParam();
  Net several(device, {{"scales", "1,0.5"}}), once(device, {});
  const int64_t H = 48, W = 64;
  const Tensor image = noise({1, H, W, 1}, device), half = resized(image, 24, 32);
  const DetectOptions options{.threshold = 0, .top_k = 20};
  const Keypoints found = several.model->detect(image, options).at(0);

  const Tensor full = once.superpoint().heatmap(image).to(Device::cpu);
  const Tensor coarse = once.superpoint().heatmap(half).to(Device::cpu);
  const Tensor wide = resized(coarse.reshape({1, 24, 32, 1}), H, W);
  Tensor mean = Tensor::empty({1, H, W});
  for (int64_t i = 0; i < mean.count(); ++i)
    mean.data<float>()[i] = (full.data<float>()[i] + 0.5f * wide.data<float>()[i]) / 1.5f;
  const Keypoints want = superpoint_points(mean, options).at(0);
  ASSERT_EQ(found.points.size(), 20u);
  EXPECT_EQ(found.points, want.points);
  for (size_t i = 0; i < 20; ++i) EXPECT_NEAR(found.scores[i], want.scores[i], 1e-6);

  const Tensor one = once.model->raw_outputs(image).at("desc").to(Device::cpu);
  const Tensor two = once.model->raw_outputs(half).at("desc").to(Device::cpu);
  for (size_t i = 0; i < 20; ++i) {
    const auto a = descriptor(one, found.points[i], H, W);
    const auto b = descriptor(two, found.points[i], H, W);
    double length = 0, cosine = 0;
    for (size_t k = 0; k < a.size(); ++k) length += (a[k] + b[k]) * (a[k] + b[k]);
    for (size_t k = 0; k < a.size(); ++k)
      cosine += (a[k] + b[k]) / std::sqrt(length) * double(found.descriptors[i * a.size() + k]);
    EXPECT_NEAR(cosine, 1, 1e-6) << i;
  }
}

TEST_P(SuperPointScales, ActivationsMayBeBf16) {
  Net net(GetParam(), {{"scales", "1.5,0.5"}});
  const Tensor image = as_type(noise({2, 32, 40, 1}, GetParam()), DType::bf16);
  const auto found = net.model->detect(image, {.threshold = 0, .border = 0, .top_k = 5});
  ASSERT_EQ(found.size(), 2u);
  for (const Keypoints& k : found) EXPECT_EQ(k.points.size(), 5u);
}

TEST(SuperPointOptionsTest, ScalesAreKeptToTheLastDigit) {
  EXPECT_EQ(make_model("superpoint")->options().at("scales"), "1");
  const std::string third = "0.95,0.3333333333333333";
  EXPECT_EQ(make_model("superpoint", {{"scales", third}})->options().at("scales"), third);
}

TEST(SuperPointOptionsTest, ScalesThatNoImageCanHaveAreNamed) {
  for (const char* wrong :
       {"", "0.1", "3", "1,", "1;0.5", "nan", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"})
    EXPECT_EQ(
        error_of([&] {
          make_model("superpoint", {{"scales", wrong}});
        }),
        text("superpoint.scales: the value is '", wrong,
             "'\n  expected: up to 16 numbers from 0.25 to 2 with commas\n  to do: correct it"));
}

}  // namespace
}  // namespace cairn
