#pragma once
// The part that both forms of the export share: the traced network in a graph.
#include "models/model.h"
#include "models/onnx/export.h"
#include "models/onnx/graph.h"

namespace cairn::onnx {

struct NetworkOutput {
  std::string value;             ///< its name in the graph
  std::vector<Dimension> shape;  ///< N,C,H,W
};
using Network = std::map<std::string, NetworkOutput>;  ///< by the names of Model::raw_outputs()

/// Adds the input "image" and the network's nodes.
Network add_network(Graph& graph, Model& model, const OnnxOptions& options);

}  // namespace cairn::onnx
