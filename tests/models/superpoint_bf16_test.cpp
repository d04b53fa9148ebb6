// SuperPoint with bf16 activations beside itself in float32.
#include <cmath>

#include "kernels/elementwise/cast.h"
#include "models/model_file.h"
#include "runtime/memory.h"
#include "runtime/random.h"
#include "tests/caught.h"
#include "tests/models/reference.h"
#include "tests/source_path.h"
#include "training/synthetic_shapes.h"

namespace cairn {
namespace {

class SuperPointBf16 : public OnEachDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, SuperPointBf16, ::testing::ValuesIn(available_devices()),
                         device_name);

// How many of `a` have a point of `b` within a pixel.
int64_t found_again(const Keypoints& a, const Keypoints& b) {
  return std::count_if(a.points.begin(), a.points.end(), [&](const auto& p) {
    return std::any_of(b.points.begin(), b.points.end(), [&](const auto& q) {
      return std::max(std::abs(p[0] - q[0]), std::abs(p[1] - q[1])) <= 1;
    });
  });
}

// The middle of a u8 [H,W,1] as a network's image.
Tensor cut(const Tensor& bytes, int64_t height, int64_t width) {
  Tensor t = Tensor::empty({1, height, width, 1});
  const int64_t top = (bytes.dim(0) - height) / 2, left = (bytes.dim(1) - width) / 2;
  float* to = t.data<float>();
  for (int64_t r = top; r < top + height; ++r)
    for (int64_t c = left; c < left + width; ++c)
      *to++ = float(bytes.data<uint8_t>()[r * bytes.dim(1) + c]) / 255;
  return t;
}

TEST_P(SuperPointBf16, FindsThePointsOfFloat32) {
  const LoadedModel m = load_model(source_path("weights/magicpoint.safetensors"), "", GetParam());
  const bool emulated = GetParam() == Device::simt;
  int64_t points = 0, again = 0;
  for (int seed = 1; seed <= (emulated ? 1 : 8); ++seed) {
    const Tensor drawn = synthetic_shape({}, Primitive::checkerboard, 1, seed).image;
    const Tensor image = (emulated ? cut(drawn, 64, 80) : cut(drawn, 120, 160)).to(GetParam());
    const Keypoints exact = m.model->detect(image, {}).at(0);
    const Keypoints rounded = m.model->detect(as_type(image, DType::bf16), {}).at(0);
    points += int64_t(exact.points.size() + rounded.points.size());
    again += found_again(exact, rounded) + found_again(rounded, exact);
  }
  RecordProperty("points", int(points));
  RecordProperty("again", int(again));
  EXPECT_GE(points, emulated ? 8 : 200);
  EXPECT_GE(double(again), 0.95 * double(points));
}

struct Untrained {
  std::unique_ptr<Model> model;
  Parameters parameters;
  explicit Untrained(Device device, const Options& options = {})
      : model(make_model("superpoint", options)), parameters(*model, device) {
    parameters.initialize(3);
  }
};

Tensor noise(const Shape& shape) {
  Tensor t = Tensor::empty(shape);
  Random random(5);
  for (int64_t i = 0; i < t.count(); ++i) t.data<float>()[i] = float(random.uniform());
  return t;
}

// Every rounding to bf16 is 2^-9 of a value at the most; ten layers of them in sums of many.
TEST_P(SuperPointBf16, OutputsAreThoseOfFloat32WithinTwoPercent) {
  for (const char* norm : {"none", "pre", "post"}) {
    Untrained net(GetParam(), {{"norm", norm}});
    const Tensor image = noise({1, 32, 40, 1}).to(GetParam());
    const auto exact = net.model->raw_outputs(image);
    for (const auto& [name, rounded] : net.model->raw_outputs(as_type(image, DType::bf16))) {
      EXPECT_EQ(rounded.dtype(), DType::f32);
      const auto want = exact.at(name).values<float>(), got = rounded.values<float>();
      double worst = 0, largest = 0;
      for (size_t i = 0; i < want.size(); ++i) {
        worst = std::max(worst, std::abs(double(got[i]) - want[i]));
        largest = std::max(largest, std::abs(double(want[i])));
      }
      EXPECT_LE(worst, 0.02 * largest) << name << ", norm " << norm;
      EXPECT_GT(worst, 0) << name;
    }
  }
}

TEST(SuperPointPrecision, Bf16TakesLittleMoreThanHalfTheMemory) {
  Untrained net(Device::cpu);
  const Tensor image = noise({1, 480, 640, 1}), rounded = as_type(image, DType::bf16);
  Memory& pool = memory(Device::cpu);
  const auto peak = [&](const Tensor& x) {
    const size_t before = pool.use().in_use;
    pool.reset_peak();
    net.model->detect(x, {});
    return double(pool.use().peak - before);
  };
  EXPECT_LT(peak(rounded), 0.65 * peak(image));
}

TEST(SuperPointPrecision, AModelThatDoesNotInferInBf16SaysSo) {
  const auto mobile = make_model("superpoint-mnv2");
  for (const Device device : available_devices())
    EXPECT_EQ(mobile->computes_in(DType::bf16, device), device != Device::cpu);
  EXPECT_EQ(error_of([&] { require_computing_in(DType::bf16, Device::cpu, *mobile); }),
            "superpoint: it does not compute in bf16 on cpu\n  expected: float32\n  to do: run it "
            "with --precision fp32");
}

}  // namespace
}  // namespace cairn
