#pragma once
// Stacked hourglass (Newell, Yang, Deng, ECCV 2016): K heatmaps at a quarter of the input size,
// once per stack.
#include <memory>
#include <vector>

#include "layers/residual.h"
#include "models/model.h"

namespace cairn {

struct StackedHourglassOptions {
  int stacks = 2;
  int features = 256;  ///< width of the trunk, a multiple of 2
  int joints = 16;     ///< heatmaps
  int depth = 4;       ///< poolings inside one hourglass
};

/// Parameter names are those of the public PyTorch implementation (pre, hgs, features, outs,
/// merge_features, merge_preds).
class StackedHourglass : public Model {
 public:
  explicit StackedHourglass(const StackedHourglassOptions& options);
  ~StackedHourglass() override;
  void visit(Visitor& v) override;

  /// `image`: [N,H,W,3] in [0,1], H and W multiples of 2^(depth+2).
  /// Returns one [N,H/4,W/4,joints] per stack, the last one being the prediction.
  std::vector<Var> forward(const Var& image);

  std::string architecture() const override { return "stacked_hourglass"; }
  Options options() const override;
  int channels() const override { return 3; }
  int size_multiple() const override { return 4 << options_.depth; }

  std::map<std::string, InputSpec> loss_inputs(int64_t batch, int64_t height,
                                               int64_t width) const override;
  /// Sum over stacks of the mean squared error. Batch: image, heatmaps [N,H/4,W/4,joints].
  Loss loss(Tape& tape, const Batch& batch) override;
  /// "heatmaps" of the last stack.
  std::map<std::string, Tensor> raw_outputs(const Tensor& image) override;
  /// The largest value of each heatmap, one point per joint, in joint order.
  std::vector<Keypoints> detect(const Tensor& image, const DetectOptions& options) override;

 private:
  struct Stem;
  struct Stack;
  StackedHourglassOptions options_;
  std::unique_ptr<Stem> stem_;
  std::vector<std::unique_ptr<Stack>> stacks_;
};

}  // namespace cairn
