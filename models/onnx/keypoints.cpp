// SuperPoint's points inside of an ONNX graph: a fixed number of them, with a count.
#include <algorithm>
#include <limits>

#include "models/model_file.h"
#include "models/onnx/network.h"
#include "models/superpoint.h"
#include "runtime/error.h"

namespace cairn {
namespace onnx {
namespace {

using List = std::vector<int64_t>;
constexpr int suppression_rounds = 4;
constexpr int64_t as_f32 = 1, as_i64 = 7;  // of Cast

// The nodes behind the network, one step of models/superpoint/detect.cpp each.
class PointGraph {
 public:
  PointGraph(Graph& graph, const DetectOptions& options) : g_(graph), o_(options) {}

  // semi [N,65,h,w] -> [N,1,8h,8w]
  std::string heatmap(const std::string& semi) {
    const std::string p = g_.node("Softmax", {semi}, {{"axis", int64_t{1}}});
    const std::string cells = g_.node("Slice", {p, integers({0}), integers({64}), integers({1})});
    return g_.node("DepthToSpace", {cells}, {{"blocksize", int64_t{SuperPoint::cell}}});
  }

  // What is above the threshold, suppressed, with the border cut off.
  std::string peaks(const std::string& heat) {
    const std::string zero = g_.constant(0.f);
    const std::string above = g_.node("Greater", {heat, g_.constant(float(o_.threshold))});
    const std::string scores = g_.node("Where", {above, heat, zero});
    std::string open = scores, kept;
    for (int round = 0; round < suppression_rounds; ++round) {
      const std::string largest = g_.node("Equal", {open, window_maximum(open)});
      const std::string found = g_.node("And", {largest, g_.node("Greater", {open, zero})});
      kept = kept.empty() ? found : g_.node("Or", {kept, found});
      if (round + 1 == suppression_rounds) break;
      const std::string near = g_.node("Greater", {window_maximum(cast(kept, as_f32)), zero});
      open = g_.node("Where", {near, zero, scores});
    }
    std::string best = g_.node("Where", {kept, scores, zero});
    if (o_.border == 0) return best;
    const int64_t b = o_.border;
    return g_.node("Slice", {best, integers({b, b}), integers({-b, -b}), integers({2, 3})});
  }

  struct Points {
    std::string x, y, scores, valid;  // [N,K]; valid is 1 or 0
  };
  Points select(const std::string& peaks) {
    const std::string width =
        g_.node("Shape", {peaks}, {{"start", int64_t{3}}, {"end", int64_t{4}}});
    const std::string list = g_.node("Reshape", {peaks, integers({0, -1})});
    const auto [scores, index] = g_.top_k(list, integers({o_.top_k}));
    const std::string row = g_.node("Div", {index, width});
    const std::string column = g_.node("Sub", {index, g_.node("Mul", {row, width})});
    const std::string border = g_.constant(float(o_.border));
    return {g_.node("Add", {cast(column, as_f32), border}),
            g_.node("Add", {cast(row, as_f32), border}), scores,
            cast(g_.node("Greater", {scores, g_.constant(0.f)}), as_f32)};
  }

  std::string pairs(const std::string& x, const std::string& y) {
    return g_.node("Concat", {last_axis(x), last_axis(y)}, {{"axis", int64_t{2}}});
  }
  std::string where_valid(const std::string& values, const Points& p) {
    return g_.node("Mul", {values, last_axis(p.valid)});
  }
  std::string count(const Points& p) {
    return g_.node("ReduceSum", {cast(p.valid, as_i64), integers({1})}, {{"keepdims", int64_t{0}}});
  }

  // desc [N,C,h,w] at the points -> [N,K,C], unit length.
  std::string descriptors(const std::string& desc, const std::string& heat, const Points& p,
                          bool compat_v1) {
    const std::string grid =
        pairs(normalised(p.x, heat, 3, compat_v1), normalised(p.y, heat, 2, compat_v1));
    const std::string sampled = g_.node(
        "GridSample", {desc, g_.node("Unsqueeze", {grid, integers({1})})},
        {{"mode", "bilinear"}, {"padding_mode", "zeros"}, {"align_corners", int64_t{compat_v1}}});
    const std::string rows = g_.node("Transpose", {g_.node("Squeeze", {sampled, integers({2})})},
                                     {{"perm", List{0, 2, 1}}});
    return where_valid(
        g_.node("LpNormalization", {rows}, {{"axis", int64_t{2}}, {"p", int64_t{2}}}), p);
  }

 private:
  std::string integers(const List& values) { return g_.constant(values); }
  std::string cast(const std::string& x, int64_t type) {
    return g_.node("Cast", {x}, {{"to", type}});
  }
  std::string last_axis(const std::string& x) { return g_.node("Unsqueeze", {x, integers({2})}); }

  // The largest of the window around each pixel, one axis after the other.
  std::string window_maximum(const std::string& x) {
    const int64_t r = o_.nms_radius, side = 2 * r + 1;
    const std::string rows =
        g_.node("MaxPool", {x}, {{"kernel_shape", List{side, 1}}, {"pads", List{r, 0, r, 0}}});
    return g_.node("MaxPool", {rows},
                   {{"kernel_shape", List{1, side}}, {"pads", List{0, r, 0, r}}});
  }

  // A pixel as GridSample's coordinate on this axis of the heatmap, -1..1: (2 x + 1) / size - 1, or
  // with the v1 weights' sampling 2 x / size - 1 between the centres of the corner cells.
  std::string normalised(const std::string& pixel, const std::string& heat, int64_t axis,
                         bool compat_v1) {
    const std::string size =
        cast(g_.node("Shape", {heat}, {{"start", axis}, {"end", axis + 1}}), as_f32);
    std::string twice = g_.node("Mul", {pixel, g_.constant(2.f)});
    if (!compat_v1) twice = g_.node("Add", {twice, g_.constant(1.f)});
    return g_.node("Sub", {g_.node("Div", {twice, size}), g_.constant(1.f)});
  }

  Graph& g_;
  const DetectOptions& o_;
};

void check(const Model& model, const OnnxOptions& o, const DetectOptions& d) {
  if (model.architecture() != "superpoint")
    throw UsageError("--top-k", text("the model is a ", model.architecture()),
                     "superpoint or magicpoint", "leave --top-k out to export the network alone");
  const int64_t places = o.height > 0 ? std::max<int64_t>(o.height - 2 * d.border, 0) *
                                            std::max<int64_t>(o.width - 2 * d.border, 0)
                                      : std::numeric_limits<int64_t>::max();
  if (d.top_k < 1 || d.top_k > places)
    throw UsageError("--top-k", text("it is ", d.top_k),
                     "at least 1 and at most the pixels inside the border",
                     "choose a number that fits the size");
}

}  // namespace
}  // namespace onnx

std::string onnx_keypoints(Model& model, const OnnxOptions& options, const DetectOptions& detect) {
  onnx::check(model, options, detect);
  onnx::Graph graph;
  const onnx::Network network = onnx::add_network(graph, model, options);
  onnx::PointGraph points(graph, detect);
  const std::string heat = points.heatmap(network.at("semi").value);
  const auto selected = points.select(points.peaks(heat));

  const onnx::Dimension batch = network.at("semi").shape[0], k = int64_t{detect.top_k};
  graph.output("keypoints", points.where_valid(points.pairs(selected.x, selected.y), selected),
               onnx::Type::f32, {batch, k, int64_t{2}});
  graph.output("scores", selected.scores, onnx::Type::f32, {batch, k});
  if (network.count("desc")) {
    const bool compat_v1 = model.options().at("sampling") == "compat_v1";
    graph.output("descriptors",
                 points.descriptors(network.at("desc").value, heat, selected, compat_v1),
                 onnx::Type::f32, {batch, k, network.at("desc").shape[1]});
  }
  graph.output("count", points.count(selected), onnx::Type::i64, {batch});
  return graph.model(model_metadata(model));
}

}  // namespace cairn
