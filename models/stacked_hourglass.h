#pragma once
// Stacked hourglass (Newell, Yang, Deng, ECCV 2016): where K points are, at a quarter of the input
// size, once per stack. What the network says of a point is its codec's matter: heatmaps in the
// paper.
#include <memory>
#include <vector>

#include "models/codecs/codec.h"
#include "models/crop_rule.h"
#include "models/model.h"

namespace cairn {

struct HourglassPart;
struct HourglassStack;

struct StackedHourglassOptions {
  int stacks = 2;
  int features = 256;  ///< width of the trunk, a multiple of 2 (hierarchical blocks: 4)
  int joints = 16;     ///< points
  int depth = 4;       ///< poolings inside one hourglass
  int channels = 3;    ///< of the image: 1 grey, 3 RGB
  enum class Block {
    bottleneck,    ///< the paper's residual, max pooling
    hierarchical,  ///< FAN's, average pooling
  } block = Block::bottleneck;
  enum class Stem {
    full,   ///< the paper's, or FAN's: nearly half of a network with one stack
    light,  ///< two strided convolutions
  } stem = Stem::full;
};

/// Parameter names are those of the public PyTorch implementations: of bottleneck blocks pre, hgs,
/// features, outs, merge_features, merge_preds; of hierarchical ones FAN's.
class StackedHourglass : public Model {
 public:
  /// `codec` null: heatmaps with the codec's defaults. `skeleton` has a name for each joint, or
  /// none.
  explicit StackedHourglass(const StackedHourglassOptions& options,
                            std::unique_ptr<Codec> codec = nullptr, const Skeleton& skeleton = {},
                            const CropRule& crop = {});
  ~StackedHourglass() override;
  void visit(Visitor& v) override;

  /// `image`: [N,H,W,channels()] in [0,1], H and W multiples of size_multiple().
  /// Returns one [N,H/4,W/4,C] per stack, C = codec()->channels(), the last one being the
  /// prediction; [N,1,1,C] where the codec is global. Stacks after the first `stacks` are not
  /// computed, unless that is 0.
  std::vector<Var> forward(const Var& image, int stacks = 0);

  std::string architecture() const override { return "stacked_hourglass"; }
  Options options() const override;
  int channels() const override { return options_.channels; }
  /// 2^(depth+2): every pooling halves the sides. A global head takes quarters of a map.
  int size_multiple() const override;
  /// bf16 on simt and cuda: all but the outputs of the stacks, from the layer that makes each on;
  /// those and their losses stay float32.
  bool computes_in(DType, Device) const override;
  const Codec* codec() const override { return codec_.get(); }
  const Skeleton* skeleton() const override { return &skeleton_; }
  const CropRule* crop_rule() const override { return &crop_; }

  std::map<std::string, InputSpec> loss_inputs(int64_t batch, int64_t height,
                                               int64_t width) const override;
  /// The codec's loss over the stacks. Batch: image, and what codec()->encode() makes of the
  /// points. Terms: stack_1 .. stack_S; zero_loss, which a prediction that says nothing would have.
  Loss loss(Tape& tape, const Batch& batch) override;
  /// stacks = mean | sum | last: what the stacks' losses are combined to.
  void set_loss_options(const Options& options) override;
  /// "heatmaps": the last stack's output.
  std::map<std::string, Tensor> raw_outputs(const Tensor& image) override;
  /// One point per joint, in joint order. Throws a UsageError on DetectOptions::flip without a
  /// skeleton that says which points a mirror image exchanges, and on more stacks than there are.
  std::vector<Tensor> detect_on_device(const Tensor& image, const DetectOptions&) override;
  std::vector<Keypoints> keypoints_from(const std::vector<Tensor>& found,
                                        const Shape& image) const override;

 private:
  Tensor predict(const Tensor& image, int stacks = 0);

  StackedHourglassOptions options_;
  std::unique_ptr<Codec> codec_;
  Skeleton skeleton_;
  CropRule crop_;
  std::string loss_of_stacks_ = "mean";
  std::unique_ptr<HourglassPart> stem_;
  std::vector<std::unique_ptr<HourglassStack>> stacks_;
};

}  // namespace cairn
