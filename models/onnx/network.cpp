#include "models/onnx/network.h"

#include "kernels/activation_kind.h"
#include "layers/trace.h"
#include "models/model_file.h"
#include "runtime/error.h"
#include "runtime/layout.h"

namespace cairn::onnx {
namespace {

using List = std::vector<int64_t>;

// Follows the calls of a trace: which value of the graph is which tensor.
class Translation {
 public:
  Translation(Graph& graph, const Tensor& image) : graph_(graph) { names_[image.raw()] = "image"; }

  void add(const TracedCall& c) {
    const auto translate = functions().find(c.op);
    if (translate == functions().end())
      throw Error("onnx", text("the network calls ", c.op, ", which has no form in ONNX here"),
                  "convolutions, norms, activations, sums, pooling and upsampling",
                  "export another model");
    names_[c.output.raw()] = (this->*translate->second)(c);
  }

  const std::string& name(const Tensor& t, const std::string& of) const {
    const auto found = names_.find(t.raw());
    if (found == names_.end())
      throw Error("onnx", text(of, " reads what a function without a form in ONNX has made"),
                  "a network made of functions that have one", "export another model");
    return found->second;
  }

 private:
  using Function = std::string (Translation::*)(const TracedCall&);
  static const std::map<std::string, Function>& functions() {
    static const std::map<std::string, Function> table = {
        {"conv2d", &Translation::conv2d},
        {"conv2d_fused", &Translation::conv2d},
        {"batch_norm", &Translation::batch_norm},
        {"bias_activation", &Translation::bias_activation},
        {"add", &Translation::sum},
        {"max_pool", &Translation::max_pool},
        {"upsample_nearest", &Translation::upsample_nearest},
        {"l2_normalize", &Translation::l2_normalize}};
    return table;
  }

  static double value(const TracedCall& c, const char* key, double fallback = 0) {
    const auto found = c.attributes.find(key);
    return found == c.attributes.end() ? fallback : found->second;
  }
  std::string input(const TracedCall& c, size_t i = 0) const { return name(c.inputs[i], c.op); }
  std::string parameter(const TracedCall& c, const char* name, const Tensor& t) {
    return graph_.constant(c.module.empty() ? name : c.module + "." + name, t);
  }

  std::string activated(const std::string& x, const TracedCall& c) {
    switch (Activation(int(value(c, "activation")))) {
      case Activation::none:
        return x;
      case Activation::relu:
        return graph_.node("Relu", {x});
      case Activation::leaky_relu:
        return graph_.node("LeakyRelu", {x}, {{"alpha", float(value(c, "slope"))}});
      case Activation::relu6:
        return graph_.node("Clip", {x, graph_.constant(0.f), graph_.constant(6.f)});
      case Activation::sigmoid:
        return graph_.node("Sigmoid", {x});
      case Activation::softplus:
        return graph_.node("Softplus", {x});
    }
    return x;
  }

  std::string pooled(const std::string& x, int64_t size, int64_t stride, int64_t padding) {
    return graph_.node("MaxPool", {x},
                       {{"kernel_shape", List{size, size}},
                        {"strides", List{stride, stride}},
                        {"pads", List(4, padding)}});
  }

  std::string conv2d(const TracedCall& c) {
    const Tensor& w = c.inputs[1];
    std::vector<std::string> inputs{input(c), parameter(c, "weight", channels_first(w))};
    if (c.inputs[2].defined()) inputs.push_back(parameter(c, "bias", c.inputs[2]));
    const int64_t stride = int64_t(value(c, "stride")), dilation = int64_t(value(c, "dilation"));
    const std::string y = graph_.node("Conv", inputs,
                                      {{"kernel_shape", List{w.dim(1), w.dim(2)}},
                                       {"strides", List{stride, stride}},
                                       {"pads", List(4, int64_t(value(c, "padding")))},
                                       {"dilations", List{dilation, dilation}},
                                       {"group", int64_t(value(c, "groups"))}});
    const std::string z = activated(y, c);
    return value(c, "pool2") != 0 ? pooled(z, 2, 2, 0) : z;
  }

  std::string batch_norm(const TracedCall& c) {
    std::vector<std::string> inputs{input(c)};
    const char* names[] = {"weight", "bias", "running_mean", "running_var"};
    for (size_t i = 0; i < 4; ++i) inputs.push_back(parameter(c, names[i], c.inputs[i + 1]));
    return activated(
        graph_.node("BatchNormalization", inputs, {{"epsilon", float(value(c, "eps"))}}), c);
  }

  std::string bias_activation(const TracedCall& c) {
    if (!c.inputs[1].defined()) return activated(input(c), c);
    const Tensor bias = c.inputs[1].reshape({1, c.inputs[1].dim(0), 1, 1});
    return activated(graph_.node("Add", {input(c), parameter(c, "bias", bias)}), c);
  }

  std::string sum(const TracedCall& c) { return graph_.node("Add", {input(c), input(c, 1)}); }

  std::string max_pool(const TracedCall& c) {
    return pooled(input(c), int64_t(value(c, "size")), int64_t(value(c, "stride")),
                  int64_t(value(c, "padding")));
  }

  std::string upsample_nearest(const TracedCall& c) {
    const float factor = float(value(c, "factor"));
    const Tensor scales = Tensor::from<float>({4}, {1, 1, factor, factor});
    return graph_.node("Resize", {input(c), "", graph_.constant("scales", scales)},
                       {{"mode", "nearest"},
                        {"nearest_mode", "floor"},
                        {"coordinate_transformation_mode", "asymmetric"}});
  }

  std::string l2_normalize(const TracedCall& c) {
    return graph_.node("LpNormalization", {input(c)}, {{"axis", int64_t{1}}, {"p", int64_t{2}}});
  }

  Graph& graph_;
  std::map<const void*, std::string> names_;
};

// The side of an output that has `output` pixels where the traced input has `traced`.
Dimension side(int64_t input, const char* symbol, int64_t traced, int64_t output) {
  if (input > 0) return input * output / traced;
  return traced == output ? text(symbol) : text(symbol, '/', traced / output);
}

}  // namespace

Network add_network(Graph& graph, Model& model, const OnnxOptions& o) {
  const int64_t multiple = model.size_multiple(), traced = 2 * multiple;
  if (o.height % multiple || o.width % multiple || (o.height > 0) != (o.width > 0))
    throw UsageError("--size", text(o.height, "x", o.width), text("multiples of ", multiple),
                     "round the sides up");
  const Device device = named_tensors(model).front().tensor->device();
  const Tensor image = Tensor::full({1, traced, traced, model.channels()}, 0.5, DType::f32, device);
  const Trace trace;
  const std::map<std::string, Tensor> raw = [&] {
    try {
      return model.raw_outputs(image);
    } catch (const Error& e) {
      throw Error("onnx", text(model.architecture(), " takes images of one size alone: ", e.wrong),
                  "a network for images of any size", "export another model");
    }
  }();

  Network network;
  const bool open = o.height == 0;
  const Dimension batch = open ? Dimension("batch") : Dimension(int64_t{1});
  graph.input("image", {batch, int64_t{model.channels()}, open ? Dimension("height") : o.height,
                        open ? Dimension("width") : o.width});
  Translation translation(graph, image);
  for (const TracedCall& call : trace.calls()) translation.add(call);
  for (const auto& [name, t] : raw)
    network[name] = {translation.name(t, name),
                     {batch, t.dim(3), side(o.height, "height", traced, t.dim(1)),
                      side(o.width, "width", traced, t.dim(2))}};
  return network;
}

}  // namespace cairn::onnx

namespace cairn {

std::string onnx_network(Model& model, const OnnxOptions& options) {
  onnx::Graph graph;
  const onnx::Network network = onnx::add_network(graph, model, options);
  for (const auto& [name, output] : network)
    graph.output(name, output.value, onnx::Type::f32, output.shape);
  return graph.model(model_metadata(model));
}

}  // namespace cairn
