#include "models/onnx/graph.h"

namespace cairn::onnx {
namespace {

// Field numbers of onnx.proto.
namespace model_field {
constexpr int ir_version = 1, producer = 2, graph = 7, opset = 8, metadata = 14;
}
namespace graph_field {
constexpr int node = 1, name = 2, initializer = 5, input = 11, output = 12;
}
namespace node_field {
constexpr int input = 1, output = 2, name = 3, op = 4, attribute = 5;
}
namespace attribute_field {
constexpr int name = 1, real = 2, integer = 3, text = 4, integers = 8, type = 20;
}
namespace tensor_field {
constexpr int dims = 1, type = 2, name = 8, raw = 9;
}

constexpr int64_t ir_version = 8, opset = 17;

Message attribute(const std::string& name, const Attribute& value) {
  Message m;
  m.block(attribute_field::name, name);
  int64_t type = 0;  // of AttributeProto
  if (const auto* v = std::get_if<int64_t>(&value)) {
    m.integer(attribute_field::integer, *v);
    type = 2;
  } else if (const auto* v = std::get_if<std::vector<int64_t>>(&value)) {
    for (int64_t i : *v) m.integer(attribute_field::integers, i);
    type = 7;
  } else if (const auto* v = std::get_if<float>(&value)) {
    m.real(attribute_field::real, *v);
    type = 1;
  } else {
    m.block(attribute_field::text, std::get<std::string>(value));
    type = 3;
  }
  m.integer(attribute_field::type, type);
  return m;
}

Message value_info(const std::string& name, Type type, const std::vector<Dimension>& shape) {
  Message dimensions, tensor, of_type, info;
  for (const Dimension& d : shape) {
    Message one;
    if (const auto* size = std::get_if<int64_t>(&d))
      one.integer(1, *size);
    else
      one.block(2, std::get<std::string>(d));
    dimensions.message(1, one);
  }
  tensor.integer(1, int64_t(type));
  tensor.message(2, dimensions);
  of_type.message(1, tensor);
  info.block(1, name);
  info.message(2, of_type);
  return info;
}

}  // namespace

void Graph::input(const std::string& name, const std::vector<Dimension>& shape) {
  inputs_.message(graph_field::input, value_info(unique(name), Type::f32, shape));
}

void Graph::output(const std::string& name, const std::string& value, Type type,
                   const std::vector<Dimension>& shape) {
  add_node("Identity", {value}, {name}, {});
  outputs_.message(graph_field::output, value_info(unique(name), type, shape));
}

std::string Graph::unique(const std::string& name) {
  const int use = uses_[name]++;
  return use == 0 ? name : unique(name + "_" + std::to_string(use));
}

void Graph::add_node(const std::string& op, const std::vector<std::string>& inputs,
                     const std::vector<std::string>& outputs, const Attributes& attributes) {
  Message n;
  for (const std::string& i : inputs) n.block(node_field::input, i);
  for (const std::string& o : outputs) n.block(node_field::output, o);
  n.block(node_field::name, outputs[0]);
  n.block(node_field::op, op);
  for (const auto& [name, value] : attributes)
    n.message(node_field::attribute, attribute(name, value));
  nodes_.message(graph_field::node, n);
}

std::string Graph::node(const std::string& op, const std::vector<std::string>& inputs,
                        const Attributes& attributes) {
  std::string output = unique(op);
  add_node(op, inputs, {output}, attributes);
  return output;
}

std::pair<std::string, std::string> Graph::top_k(const std::string& values, const std::string& k) {
  const std::string best = unique("TopK"), index = unique("TopK_index");
  add_node("TopK", {values, k}, {best, index}, {});
  return {best, index};
}

void Graph::initializer(const std::string& name, const std::vector<int64_t>& shape, Type type,
                        std::string_view bytes) {
  Message t;
  t.integers(tensor_field::dims, shape);
  t.integer(tensor_field::type, int64_t(type));
  t.block(tensor_field::name, name);
  t.block(tensor_field::raw, bytes);
  initializers_.message(graph_field::initializer, t);
}

std::string Graph::constant(const std::string& name, const Tensor& values) {
  std::string own = unique(name);
  const Tensor host = values.to(DType::f32).to(Device::cpu);
  initializer(own, {host.shape().begin(), host.shape().end()}, Type::f32,
              {static_cast<const char*>(host.raw()), host.bytes()});
  return own;
}

std::string Graph::constant(float value) {
  return constant("number", Tensor::full(Shape{}, value));
}

std::string Graph::constant(const std::vector<int64_t>& values) {
  std::string own = unique("integers");
  initializer(own, {int64_t(values.size())}, Type::i64,
              {reinterpret_cast<const char*>(values.data()), 8 * values.size()});
  return own;
}

std::string Graph::model(const std::map<std::string, std::string>& metadata) const {
  Message graph;
  graph.block(graph_field::name, "cairn");
  std::string bytes = graph.bytes();
  for (const Message* part : {&nodes_, &initializers_, &inputs_, &outputs_}) bytes += part->bytes();

  Message model, domain;
  model.integer(model_field::ir_version, ir_version);
  model.block(model_field::producer, "cairn");
  domain.block(1, "");
  domain.integer(2, opset);
  model.message(model_field::opset, domain);
  for (const auto& [key, value] : metadata) {
    Message entry;
    entry.block(1, key);
    entry.block(2, value);
    model.message(model_field::metadata, entry);
  }
  model.block(model_field::graph, bytes);
  return model.bytes();
}

}  // namespace cairn::onnx
