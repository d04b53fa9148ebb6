// A SLEAP bottom-up network (Pereira et al., Nature Methods 2022), built from its own graph file
// with the layers as an example, against its authors' maps and points.
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "layers/functions_elementwise.h"
#include "layers/functions_pool.h"
#include "layers/modules.h"
#include "tests/models/reference.h"

namespace cairn {
namespace {

using nlohmann::json;

json read_json(const std::string& path) {
  std::ifstream in(path);
  return json::parse(in);
}

// TensorFlow's "same" for a 3x3 transposed convolution of stride 2: exactly twice the input, the
// last row and column of the full output dropped.
Var without_last_row_and_column(const Var& x) {
  const int64_t n = x.dim(0), h = x.dim(1) - 1, w = x.dim(2) - 1, c = x.dim(3);
  const Tensor full = x.value().to(Device::cpu);
  Tensor cut = Tensor::empty({n, h, w, c});
  for (int64_t i = 0; i < n * h; ++i) {
    const float* row = full.data<float>() + (i / h * (h + 1) + i % h) * (w + 1) * c;
    std::copy_n(row, w * c, cut.data<float>() + i * w * c);
  }
  return x.tape().constant(cut.to(x.device()));
}

// A network as a list of layers: name, operation, inputs.
class GraphNetwork : public Module {
 public:
  GraphNetwork(const json& graph, const SafetensorsFile& weights) : layers_(graph.at("layers")) {
    for (const json& layer : layers_) {
      const std::string name = layer.at("name"), op = layer.at("op");
      if (op != "conv2d" && op != "conv_transpose2d") continue;
      const Shape s = weights.tensors.at(name + ".weight").shape();
      const int a = int(s[0]), b = int(s[1]), kernel = int(s[2]);
      if (op == "conv2d")
        convs_[name] = std::make_unique<Conv2d>(
            b, a, kernel,
            Conv2dOptions{.stride = 1, .padding = kernel / 2, .dilation = 1, .groups = 1});
      else
        transposed_[name] =
            std::make_unique<ConvTranspose2d>(a, b, kernel, ConvTranspose2dOptions{.stride = 2});
    }
  }
  void visit(Visitor& v) override {
    for (auto& [name, conv] : convs_) v(name, *conv);
    for (auto& [name, conv] : transposed_) v(name, *conv);
  }
  std::map<std::string, Var> operator()(const Var& image) {
    std::map<std::string, Var> values;
    for (const json& layer : layers_) values[layer.at("name")] = run(layer, image, values);
    return values;
  }

 private:
  Var run(const json& layer, const Var& image, const std::map<std::string, Var>& values) {
    const std::string name = layer.at("name"), op = layer.at("op");
    std::vector<Var> in;
    for (const std::string input : layer.at("inputs")) in.push_back(values.at(input));
    if (op == "input") return image;
    if (op == "conv2d") return (*convs_.at(name))(in[0]);
    if (op == "conv_transpose2d")
      return without_last_row_and_column((*transposed_.at(name))(in[0]));
    if (op == "relu") return relu(in[0]);
    if (op == "maxpool2x2") return max_pool(in[0], 2, 2);
    if (op == "concat") return concat(in);
    ADD_FAILURE() << "unknown operation " << op;
    return {};
  }

  const json layers_;
  std::map<std::string, std::unique_ptr<Conv2d>> convs_;
  std::map<std::string, std::unique_ptr<ConvTranspose2d>> transposed_;
};

// Peaks: 3x3 local maxima of a confidence map above 0.2, moved by the offsets found there, times 2.
std::vector<std::array<double, 2>> decode(const Tensor& confidence, const Tensor& offsets) {
  const int64_t h = confidence.dim(1), w = confidence.dim(2), nodes = confidence.dim(3);
  std::vector<std::array<double, 2>> points;
  const auto at = [&](int64_t y, int64_t x, int64_t k) {
    return confidence.data<float>()[(y * w + x) * nodes + k];
  };
  for (int64_t k = 0; k < nodes; ++k)
    for (int64_t y = 1; y + 1 < h; ++y)
      for (int64_t x = 1; x + 1 < w; ++x) {
        bool peak = at(y, x, k) > 0.2f;
        for (int64_t v = y - 1; v <= y + 1; ++v)
          for (int64_t u = x - 1; u <= x + 1; ++u) peak = peak && at(v, u, k) <= at(y, x, k);
        if (!peak) continue;
        const float* offset = offsets.data<float>() + (y * w + x) * 2 * nodes + 2 * k;
        points.push_back({2.0 * (double(x) + offset[0]), 2.0 * (double(y) + offset[1])});
      }
  return points;
}

class Sleap : public OnEachDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, Sleap, ::testing::ValuesIn(available_devices()), device_name);

TEST_P(Sleap, ReproducesTheRecordedMapsAndPoints) {
  CAIRN_NEED_DATA(folder, "reference-networks/sleap-flies-bottomup");
  const SafetensorsFile weights = read_safetensors(folder + "/weights.safetensors");
  GraphNetwork network(read_json(folder + "/graph.json"), weights);
  Parameters parameters(network, GetParam());
  load_weights(network, weights, "weights.safetensors");

  Tape tape(false);
  auto values = network(tape.constant(reference_image(folder + "/frame0.png", 1, GetParam())));
  const Tensor confidence = values.at("MultiInstanceConfmapsHead_0").value().to(Device::cpu);
  const Tensor offsets = values.at("OffsetRefinementHead_0").value().to(Device::cpu);
  const SafetensorsFile golden = read_safetensors(folder + "/frame0.golden.safetensors");
  EXPECT_LE(largest_difference(confidence, golden.tensors.at("confmaps")), 2e-5);
  EXPECT_LE(largest_difference(offsets, golden.tensors.at("offsets")), 2e-5);
  EXPECT_LE(
      largest_difference(values.at("PartAffinityFieldsHead_0").value(), golden.tensors.at("pafs")),
      2e-5);

  const auto points = decode(confidence, offsets);
  const json recorded =
      read_json(folder + "/frame0.golden.json").at("official_predictions_x_y_score");
  ASSERT_EQ(points.size(), recorded.size());
  for (const json& want : recorded) {
    double nearest = INFINITY;
    for (const auto& p : points)
      nearest =
          std::min(nearest, std::hypot(p[0] - want[0].get<double>(), p[1] - want[1].get<double>()));
    EXPECT_LE(nearest, 1e-3) << "no point near " << want.dump();
  }
}

}  // namespace
}  // namespace cairn
