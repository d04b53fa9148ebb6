#pragma once
// An ONNX graph being built, node by node (onnx.ai: IR version 8, operator set 17). Values are
// known by name; constants are embedded.
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "models/onnx/protobuf.h"
#include "runtime/tensor.h"

namespace cairn::onnx {

/// A size that is known, or the name of one that is not.
using Dimension = std::variant<int64_t, std::string>;
enum class Type { f32 = 1, i64 = 7 };  // of TensorProto
/// Of a node: an integer, a list of them, a real number, or a text.
using Attribute = std::variant<int64_t, std::vector<int64_t>, float, std::string>;
using Attributes = std::vector<std::pair<std::string, Attribute>>;

class Graph {
 public:
  void input(const std::string& name, const std::vector<Dimension>& shape);
  /// Declares `value` as an output of this name.
  void output(const std::string& name, const std::string& value, Type type,
              const std::vector<Dimension>& shape);

  /// Adds a node with one output and returns that one's name; "" among the inputs is one left out.
  std::string node(const std::string& op, const std::vector<std::string>& inputs,
                   const Attributes& attributes = {});
  /// The two outputs of TopK.
  std::pair<std::string, std::string> top_k(const std::string& values, const std::string& k);

  /// Constants. `name` is made unique.
  std::string constant(const std::string& name, const Tensor& f32_values);
  std::string constant(float value);
  std::string constant(const std::vector<int64_t>& values);  ///< of rank 1

  /// The file: the model with `metadata`.
  std::string model(const std::map<std::string, std::string>& metadata) const;

 private:
  std::string unique(const std::string& name);
  void add_node(const std::string& op, const std::vector<std::string>& inputs,
                const std::vector<std::string>& outputs, const Attributes& attributes);
  void initializer(const std::string& name, const std::vector<int64_t>& shape, Type type,
                   std::string_view bytes);

  Message nodes_, initializers_, inputs_, outputs_;
  std::map<std::string, int> uses_;
};

}  // namespace cairn::onnx
