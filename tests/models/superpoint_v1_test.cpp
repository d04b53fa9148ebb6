// Weights in the layout of the released SuperPoint v1: in and out, and against plain loops.
#include <gtest/gtest.h>

#include <cmath>

#include "layers/weights.h"
#include "models/model_file.h"
#include "models/superpoint.h"
#include "runtime/random.h"
#include "tests/temporary_folder.h"

namespace cairn {
namespace {

struct Layer {
  const char* name;
  int64_t in, out, kernel;
};
constexpr Layer layers[] = {
    {"conv1a", 1, 64, 3},    {"conv1b", 64, 64, 3},   {"conv2a", 64, 64, 3},
    {"conv2b", 64, 64, 3},   {"conv3a", 64, 128, 3},  {"conv3b", 128, 128, 3},
    {"conv4a", 128, 128, 3}, {"conv4b", 128, 128, 3}, {"convPa", 128, 256, 3},
    {"convPb", 256, 65, 1},  {"convDa", 128, 256, 3}, {"convDb", 256, 256, 1}};

using Weights = std::map<std::string, Tensor>;  // as PyTorch has them: O,I,kh,kw

Weights random_weights() {
  Weights w;
  Random random(2);
  for (const Layer& l : layers) {
    Tensor weight = Tensor::empty({l.out, l.in, l.kernel, l.kernel}), bias = Tensor::empty({l.out});
    const double scale = std::sqrt(2.0 / double(l.in * l.kernel * l.kernel));
    for (Tensor* t : {&weight, &bias})
      for (int64_t i = 0; i < t->count(); ++i)
        t->data<float>()[i] = float((t == &weight ? scale : 0.1) * random.normal());
    w[std::string(l.name) + ".weight"] = weight;
    w[std::string(l.name) + ".bias"] = bias;
  }
  return w;
}

// C x H x W in double.
struct Map {
  int64_t C, H, W;
  std::vector<double> v;
  Map(int64_t c, int64_t h, int64_t w) : C(c), H(h), W(w), v(size_t(c * h * w)) {}
  double& at(int64_t c, int64_t y, int64_t x) { return v[size_t((c * H + y) * W + x)]; }
  double get(int64_t c, int64_t y, int64_t x) const {
    return y < 0 || x < 0 || y >= H || x >= W ? 0 : v[size_t((c * H + y) * W + x)];
  }
};

Map conv(const Weights& weights, const std::string& name, const Map& x, bool relu) {
  const Tensor &w = weights.at(name + ".weight"), &b = weights.at(name + ".bias");
  const int64_t O = w.dim(0), k = w.dim(2), r = k / 2;
  Map y(O, x.H, x.W);
  for (int64_t o = 0; o < O; ++o)
    for (int64_t i = 0; i < x.H; ++i)
      for (int64_t j = 0; j < x.W; ++j) {
        double sum = b.data<float>()[o];
        for (int64_t c = 0; c < x.C; ++c)
          for (int64_t u = 0; u < k; ++u)
            for (int64_t v = 0; v < k; ++v)
              sum += double(w.data<float>()[((o * x.C + c) * k + u) * k + v]) *
                     x.get(c, i + u - r, j + v - r);
        y.at(o, i, j) = relu ? std::max(sum, 0.0) : sum;
      }
  return y;
}

Map pool(const Map& x) {
  Map y(x.C, x.H / 2, x.W / 2);
  for (int64_t c = 0; c < y.C; ++c)
    for (int64_t i = 0; i < y.H; ++i)
      for (int64_t j = 0; j < y.W; ++j)
        y.at(c, i, j) =
            std::max(std::max(x.get(c, 2 * i, 2 * j), x.get(c, 2 * i, 2 * j + 1)),
                     std::max(x.get(c, 2 * i + 1, 2 * j), x.get(c, 2 * i + 1, 2 * j + 1)));
  return y;
}

void expect_near(const Map& want, const Tensor& got, double tolerance) {  // got [1,H,W,C]
  ASSERT_EQ(got.shape(), (Shape{1, want.H, want.W, want.C}));
  double largest = 0;
  for (double v : want.v) largest = std::max(largest, std::abs(v));
  for (int64_t i = 0; i < got.count(); ++i) {
    const int64_t c = i % want.C, x = i / want.C % want.W, y = i / want.C / want.W;
    ASSERT_NEAR(got.data<float>()[i], want.get(c, y, x), tolerance * largest) << i;
  }
}

class SuperPointV1 : public testing::Test {
 protected:
  SuperPointV1() {
    write_safetensors(path_, {weights_.begin(), weights_.end()});
    for (int64_t i = 0; i < image_.count(); ++i)
      image_.data<float>()[i] = float((i * 37 % 101) / 101.0);
  }
  const TemporaryFolder folder_;
  const std::string path_ = folder_ / "v1.safetensors";
  const Weights weights_ = random_weights();
  Tensor image_ = Tensor::empty({1, 16, 24, 1});
};

TEST_F(SuperPointV1, WeightsGoInAndOutUnchangedAndSoDoTheOutputs) {
  const LoadedModel in = load_model(path_, "superpoint-v1", Device::cpu);
  EXPECT_EQ(in.model->options().at("sampling"), "compat_v1");
  EXPECT_EQ(in.parameters->count(), 1300865);
  save_model(folder_ / "ours.safetensors", *in.model);
  const SafetensorsFile out = read_safetensors(folder_ / "ours.safetensors");
  EXPECT_EQ(out.tensors.size(), 24u);
  for (const auto& [name, t] : weights_) {
    ASSERT_EQ(out.tensors.at(name).shape(), t.shape()) << name;
    EXPECT_EQ(out.tensors.at(name).values<float>(), t.values<float>()) << name;
  }
  const LoadedModel again = load_model(folder_ / "ours.safetensors", "", Device::cpu);
  EXPECT_EQ(again.model->options(), in.model->options());
  EXPECT_EQ(again.model->raw_outputs(image_).at("desc").values<float>(),
            in.model->raw_outputs(image_).at("desc").values<float>());
}

TEST_F(SuperPointV1, TheNetworkEqualsPlainLoops) {
  const LoadedModel loaded = load_model(path_, "superpoint-v1", Device::cpu);
  Map x(1, 16, 24);
  for (int64_t i = 0; i < image_.count(); ++i) x.v[size_t(i)] = image_.data<float>()[i];
  for (const char* stage : {"1", "2", "3", "4"}) {
    const std::string name = std::string("conv") + stage;
    x = conv(weights_, name + "b", conv(weights_, name + "a", x, true), true);
    if (*stage != '4') x = pool(x);
  }
  const auto raw = loaded.model->raw_outputs(image_);
  expect_near(conv(weights_, "convPb", conv(weights_, "convPa", x, true), false), raw.at("semi"),
              1e-5);
  Map desc = conv(weights_, "convDb", conv(weights_, "convDa", x, true), false);
  for (int64_t cell = 0; cell < desc.H * desc.W; ++cell) {
    double squares = 0;
    for (int64_t c = 0; c < desc.C; ++c)
      squares += std::pow(desc.v[size_t(c * desc.H * desc.W + cell)], 2);
    for (int64_t c = 0; c < desc.C; ++c)
      desc.v[size_t(c * desc.H * desc.W + cell)] /= std::sqrt(squares);
  }
  expect_near(desc, raw.at("desc"), 1e-5);
}

}  // namespace
}  // namespace cairn
