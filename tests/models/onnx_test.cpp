// The structure of exported graphs, read back from their bytes. That other runtimes agree on the
// numbers is shown by tools/check_onnx.py.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>

#include "layers/conv_norm.h"
#include "layers/functions_elementwise.h"
#include "layers/functions_softmax.h"
#include "layers/trace.h"
#include "models/onnx/export.h"
#include "models/onnx/graph.h"
#include "runtime/error.h"
#include "tests/caught.h"

namespace cairn {
namespace {

// A message of protobuf: its fields by number, integers and blocks apart.
struct Fields {
  std::multimap<int, int64_t> integers;
  std::multimap<int, std::string> blocks;

  explicit Fields(const std::string& bytes) {
    size_t at = 0;
    const auto varint = [&] {
      uint64_t v = 0;
      for (int shift = 0;; shift += 7) {
        const uint8_t b = uint8_t(bytes.at(at++));
        v |= uint64_t(b & 127) << shift;
        if (b < 128) return v;
      }
    };
    while (at < bytes.size()) {
      const uint64_t key = varint();
      const int field = int(key >> 3);
      if ((key & 7) == 0) integers.emplace(field, int64_t(varint()));
      if ((key & 7) == 5) at += 4;
      if ((key & 7) == 2) {
        const size_t length = varint();
        blocks.emplace(field, bytes.substr(at, length));
        at += length;
      }
    }
    EXPECT_EQ(at, bytes.size());
  }
  std::string text(int field) const { return blocks.find(field)->second; }
  std::vector<std::string> all(int field) const {
    std::vector<std::string> found;
    const auto [first, last] = blocks.equal_range(field);
    for (auto it = first; it != last; ++it) found.push_back(it->second);
    return found;
  }
};

// What a reader relies on: every value is made once, before it is used.
struct Parsed {
  std::map<std::string, int> ops;
  std::map<std::string, std::string> constants;                     // raw bytes by name
  std::map<std::string, std::vector<std::string>> inputs, outputs;  // dimensions as text
  std::map<std::string, std::string> metadata;

  explicit Parsed(const std::string& file) {
    const Fields model(file);
    EXPECT_EQ(model.integers.find(1)->second, 8);                   // IR version
    EXPECT_EQ(Fields(model.text(8)).integers.find(2)->second, 17);  // operator set
    for (const std::string& m : model.all(14)) metadata[Fields(m).text(1)] = Fields(m).text(2);
    const Fields graph(model.text(7));
    std::set<std::string> made;
    for (const std::string& i : graph.all(5)) {
      const Fields tensor(i);
      constants[tensor.text(8)] = tensor.text(9);
      EXPECT_TRUE(made.insert(tensor.text(8)).second) << tensor.text(8);
    }
    for (const std::string& i : graph.all(11)) declare(inputs, i);
    for (const auto& [name, shape] : inputs) EXPECT_TRUE(made.insert(name).second) << name;
    for (const std::string& n : graph.all(1)) {
      const Fields node(n);
      ++ops[node.text(4)];
      for (const std::string& i : node.all(1))
        EXPECT_TRUE(i.empty() || made.count(i)) << node.text(4) << " uses " << i;
      for (const std::string& o : node.all(2)) EXPECT_TRUE(made.insert(o).second) << o;
    }
    for (const std::string& o : graph.all(12)) declare(outputs, o);
    for (const auto& [name, shape] : outputs) EXPECT_TRUE(made.count(name)) << name;
  }

 private:
  static void declare(std::map<std::string, std::vector<std::string>>& to,
                      const std::string& info) {
    const Fields value(info);
    auto& dims = to[value.text(1)];
    for (const std::string& d : Fields(Fields(Fields(value.text(2)).text(1)).text(2)).all(1)) {
      const Fields dim(d);
      dims.push_back(dim.integers.count(1) ? std::to_string(dim.integers.find(1)->second)
                                           : dim.text(2));
    }
  }
};

using Dims = std::vector<std::string>;

struct Ready {
  std::unique_ptr<Model> model;
  Parameters parameters;
  explicit Ready(const std::string& name, const Options& options = {})
      : model(make_model(name, options)), parameters(*model, Device::cpu) {
    parameters.initialize(1);
  }
};

TEST(Onnx, TheNetworkHasItsLayersWeightsAndOpenSides) {
  const Ready r("superpoint");
  const Parsed p(onnx_network(*r.model, {}));
  EXPECT_EQ(p.ops.at("Conv"), 12);
  EXPECT_EQ(p.ops.at("Relu"), 10);
  EXPECT_EQ(p.ops.at("MaxPool"), 3);
  EXPECT_EQ(p.ops.at("LpNormalization"), 1);
  EXPECT_EQ(p.inputs.at("image"), (Dims{"batch", "1", "height", "width"}));
  EXPECT_EQ(p.outputs.at("semi"), (Dims{"batch", "65", "height/8", "width/8"}));
  EXPECT_EQ(p.outputs.at("desc"), (Dims{"batch", "256", "height/8", "width/8"}));
  EXPECT_EQ(p.constants.size(), 24u);
  EXPECT_EQ(p.constants.at("convDa.weight").size(), 4u * 256 * 128 * 9);
  EXPECT_EQ(p.metadata.at("cairn.architecture"), "superpoint");
  size_t bytes = 0;
  for (const auto& [name, raw] : p.constants) bytes += raw.size();
  EXPECT_EQ(bytes, 4u * 1300865);
}

TEST(Onnx, WeightsAreInPytorchsOrder) {
  const Ready r("superpoint");
  const Parsed p(onnx_network(*r.model, {}));
  for (const NamedTensor& t : named_tensors(*r.model)) {
    if (t.name != "conv2a.weight") continue;
    const Tensor& w = *t.tensor;  // [O,kh,kw,I]
    float stored;
    std::memcpy(&stored,
                p.constants.at("conv2a.weight").data() + 4 * (((5 * 64 + 7) * 3 + 2) * 3 + 1), 4);
    EXPECT_EQ(stored, w.data<float>()[((5 * 3 + 2) * 3 + 1) * 64 + 7]);
  }
}

TEST(Onnx, NormsAreFoldedOrStayWhereTheyStandBehindTheActivation) {
  for (const auto& [norm, left] : {std::pair{"pre", 0}, std::pair{"post", 10}}) {
    const Ready r("superpoint", {{"norm", norm}});
    Parsed p(onnx_network(*r.model, {}));
    EXPECT_EQ(p.ops["BatchNormalization"], left) << norm;
    EXPECT_EQ(p.ops["Conv"], 12) << norm;
  }
}

TEST(Onnx, OtherNetworksAreTracedTheSameWay) {
  const Ready mobile("superpoint-mnv2");
  Parsed p(onnx_network(*mobile.model, {64, 96}));
  EXPECT_EQ(p.inputs.at("image"), (Dims{"1", "3", "64", "96"}));
  EXPECT_EQ(p.outputs.at("semi"), (Dims{"1", "65", "8", "12"}));
  EXPECT_GT(p.ops["Clip"], 5);
  EXPECT_EQ(p.ops["Add"], 3);

  const Ready hourglass("stacked_hourglass", {{"stacks", "1"}, {"features", "8"}, {"joints", "3"}});
  Parsed h(onnx_network(*hourglass.model, {}));
  EXPECT_EQ(h.ops["Resize"], 4);
  EXPECT_EQ(h.outputs.at("heatmaps"), (Dims{"batch", "3", "height/4", "width/4"}));
}

TEST(Onnx, PointsHaveAFixedNumberAndACount) {
  const Ready r("superpoint");
  DetectOptions detect;
  detect.top_k = 100;
  Parsed p(onnx_keypoints(*r.model, {64, 96}, detect));
  EXPECT_EQ(p.outputs.at("keypoints"), (Dims{"1", "100", "2"}));
  EXPECT_EQ(p.outputs.at("scores"), (Dims{"1", "100"}));
  EXPECT_EQ(p.outputs.at("descriptors"), (Dims{"1", "100", "256"}));
  EXPECT_EQ(p.outputs.at("count"), Dims{"1"});
  for (const char* op : {"Softmax", "DepthToSpace", "TopK", "GridSample"})
    EXPECT_EQ(p.ops[op], 1) << op;
  const Ready corners("magicpoint");
  EXPECT_EQ(Parsed(onnx_keypoints(*corners.model, {}, detect)).outputs.count("descriptors"), 0u);
}

TEST(Onnx, WhatCannotBeExportedIsRefused) {
  const Ready r("superpoint"), hourglass("stacked_hourglass", {{"stacks", "1"}, {"features", "8"}});
  DetectOptions detect;
  EXPECT_THROW(onnx_network(*r.model, {60, 80}), UsageError);
  EXPECT_THROW(onnx_network(*r.model, {64, 0}), UsageError);
  EXPECT_THROW(onnx_keypoints(*hourglass.model, {}, detect), UsageError);
  detect.top_k = 56 * 88 + 1;
  EXPECT_THROW(onnx_keypoints(*r.model, {64, 96}, detect), UsageError);
  detect.top_k = 0;
  EXPECT_THROW(onnx_keypoints(*r.model, {}, detect), UsageError);
  const Ready landmarks("landmark_autoencoder", {{"size", "mini"}}), faces("factorized_embeddings");
  EXPECT_EQ(wrong([&] { onnx_network(*landmarks.model, {}); }),
            "conv2d_fused reads what a function without a form in ONNX has made");
  EXPECT_NE(wrong([&] {
              onnx_network(*faces.model, {});
            }).find("factorized_embeddings takes images of one size alone"),
            std::string::npos);
}

TEST(Trace, ListsCallsWithModulesAndAttributesWhileItLives) {
  Conv2d conv(2, 3, 3, {.stride = 2, .padding = 1, .dilation = 1, .groups = 1});
  Parameters parameters(conv, Device::cpu);
  conv.set_path("a.conv");
  Tape tape(false);
  const Var x = tape.constant(Tensor::full({1, 8, 8, 2}, 1));
  conv_norm(x, conv, nullptr, {NormOrder::none, Activation::relu, true});
  const Trace trace;
  conv_norm(x, conv, nullptr, {NormOrder::none, Activation::relu, true});
  ASSERT_EQ(trace.calls().size(), 1u);
  const TracedCall& c = trace.calls()[0];
  EXPECT_EQ(c.op, "conv2d_fused");
  EXPECT_EQ(c.module, "a.conv");
  EXPECT_EQ(c.attributes.at("stride"), 2);
  EXPECT_EQ(c.attributes.at("pool2"), 1);
  EXPECT_EQ(c.inputs[0].raw(), x.value().raw());
  EXPECT_EQ(c.output.shape(), (Shape{1, 2, 2, 3}));
}

}  // namespace
}  // namespace cairn
