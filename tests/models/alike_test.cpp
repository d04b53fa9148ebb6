// ALIKE-T (Zhao et al., IEEE TMM 2022), put together from the layers as an example, against its
// authors' outputs.
#include "layers/conv_norm.h"
#include "layers/functions_elementwise.h"
#include "layers/functions_pool.h"
#include "tests/models/reference.h"

namespace cairn {
namespace {

const Conv2dOptions same3x3{.stride = 1, .padding = 1, .dilation = 1, .groups = 1};
const ConvNormStep norm_relu{NormOrder::pre, Activation::relu};

// Two 3x3 convolutions with batch norm; with a skip through a 1x1 convolution if `residual`.
class Block : public Module {
 public:
  Block(int in, int out, bool residual)
      : conv1_(in, out, 3, same3x3, false),
        bn1_(out),
        conv2_(out, out, 3, same3x3, false),
        bn2_(out),
        downsample_(residual ? std::make_unique<Conv2d>(in, out, 1) : nullptr) {}

  void visit(Visitor& v) override {
    v("conv1", conv1_);
    v("bn1", bn1_);
    v("conv2", conv2_);
    v("bn2", bn2_);
    if (downsample_) v("downsample", *downsample_);
  }

  Var operator()(const Var& x) {
    const Var y = conv_norm(x, conv1_, &bn1_, norm_relu);
    if (!downsample_) return conv_norm(y, conv2_, &bn2_, norm_relu);
    const Var z = conv_norm(y, conv2_, &bn2_, {NormOrder::pre, Activation::none});
    return relu(add(z, (*downsample_)(x)));
  }

 private:
  Conv2d conv1_;
  BatchNorm2d bn1_;
  Conv2d conv2_;
  BatchNorm2d bn2_;
  std::unique_ptr<Conv2d> downsample_;
};

class AlikeT : public Module {
 public:
  void visit(Visitor& v) override {
    v("block1", block1_);
    v("block2", block2_);
    v("block3", block3_);
    v("block4", block4_);
    v("conv1", conv1_);
    v("conv2", conv2_);
    v("conv3", conv3_);
    v("conv4", conv4_);
    v("convhead2", head_);
  }

  // [1,H,W,3] -> [1,H,W,65]: 64 descriptor channels and the score logits.
  Var operator()(const Var& image) {
    const int64_t h = image.dim(1), w = image.dim(2);
    const Var x1 = block1_(image);
    const Var x2 = block2_(max_pool(x1, 2, 2));
    const Var x3 = block3_(max_pool(x2, 4, 4));
    const Var x4 = block4_(max_pool(x3, 4, 4));
    const auto enlarged = [&](Conv2d& conv, const Var& x) {
      return upsample_bilinear(relu(conv(x)), h, w, Align::corners);
    };
    return head_(concat(
        {relu(conv1_(x1)), enlarged(conv2_, x2), enlarged(conv3_, x3), enlarged(conv4_, x4)}));
  }

 private:
  Block block1_{3, 8, false}, block2_{8, 16, true}, block3_{16, 32, true}, block4_{32, 64, true};
  Conv2d conv1_{8, 16, 1, {}, false}, conv2_{16, 16, 1, {}, false}, conv3_{32, 16, 1, {}, false},
      conv4_{64, 16, 1, {}, false}, head_{64, 65, 1, {}, false};
};

struct Point {
  int x, y;
  float score;
};

// The rule that came with the recording: the largest of its 5x5 neighbourhood, above 0.2, the 300
// best.
std::vector<Point> peaks(const Tensor& map, int64_t h, int64_t w) {
  const float* s = map.data<float>();
  std::vector<Point> found;
  for (int64_t y = 0; y < h; ++y)
    for (int64_t x = 0; x < w; ++x) {
      bool peak = s[y * w + x] > 0.2f;
      for (int64_t v = std::max<int64_t>(0, y - 2); v <= std::min(h - 1, y + 2); ++v)
        for (int64_t u = std::max<int64_t>(0, x - 2); u <= std::min(w - 1, x + 2); ++u)
          peak = peak && s[v * w + u] <= s[y * w + x];
      if (peak) found.push_back({int(x), int(y), s[y * w + x]});
    }
  std::sort(found.begin(), found.end(),
            [](const Point& a, const Point& b) { return a.score > b.score; });
  if (found.size() > 300) found.resize(300);
  return found;
}

class Alike : public OnEachDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, Alike, ::testing::ValuesIn(available_devices()), device_name);

TEST_P(Alike, ReproducesTheRecordedMapsAndKeypoints) {
  CAIRN_NEED_DATA(folder, "reference-networks/alike-t");
  AlikeT network;
  Parameters parameters(network, GetParam());
  load_weights(network, folder + "/weights.safetensors");
  const Tensor image = reference_image(folder + "/graf1.png", 3, GetParam());
  const int64_t h = image.dim(1), w = image.dim(2);
  const SafetensorsFile golden = read_safetensors(folder + "/graf1.golden.safetensors");

  Tape tape(false);
  const Var out = network(tape.constant(image));
  const Var scores = activation(slice_channels(out, 64, 1), Activation::sigmoid);
  const Tensor map = scores.value().reshape({1, h, w}).to(Device::cpu);
  EXPECT_LE(largest_difference(map, golden.tensors.at("scores_map")), 2e-5);

  // Descriptors, at every eighth pixel.
  const Tensor features = out.value().to(Device::cpu);
  const Tensor grid = golden.tensors.at("desc_grid8");
  double worst = 0;
  for (int64_t i = 0; i < h / 8; ++i)
    for (int64_t j = 0; j < w / 8; ++j) {
      const float* f = features.data<float>() + (8 * i * w + 8 * j) * 65;
      double norm = 0;
      for (int c = 0; c < 64; ++c) norm += double(f[c]) * f[c];
      for (int c = 0; c < 64; ++c)
        worst = std::max(worst, std::abs(f[c] / std::sqrt(norm) -
                                         grid.data<float>()[(c * (h / 8) + i) * (w / 8) + j]));
    }
  EXPECT_LE(worst, 2e-5);

  const std::vector<Point> found = peaks(map, h, w);
  const Tensor points = golden.tensors.at("keypoints");
  ASSERT_EQ(int64_t(found.size()), points.dim(0));
  for (int64_t i = 0; i < points.dim(0); ++i) {
    const float x = points.data<float>()[2 * i], y = points.data<float>()[2 * i + 1];
    EXPECT_TRUE(std::any_of(found.begin(), found.end(),
                            [&](const Point& p) { return p.x == x && p.y == y; }))
        << "no point at (" << x << ", " << y << ")";
  }
}

}  // namespace
}  // namespace cairn
