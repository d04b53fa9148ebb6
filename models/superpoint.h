#pragma once
// SuperPoint (DeTone, Malisiewicz, Rabinovich, CVPRW 2018): interest points and descriptors of a
// grey image in one pass. MagicPoint is the same network without the descriptor head.
#include <memory>

#include "layers/conv_norm.h"
#include "layers/functions_descriptor_loss.h"
#include "models/model.h"

namespace cairn {

struct SuperPointOptions {
  enum class Backbone {
    /// The paper's eight 3x3 convolutions, grey input, parameter names of the released v1 weights
    /// (which "superpoint-v1" loads: without norm, Sampling::compat_v1).
    vgg,
    mnv2,  ///< MobileNetV2 (width 1.4) up to stride 8, RGB input: light, for embedded use
  };
  Backbone backbone = Backbone::vgg;
  NormOrder norm = NormOrder::none;  ///< of the vgg backbone and heads; mnv2 always has pre
  bool descriptor = true;            ///< false: MagicPoint
  /// Where a pixel lies in the descriptor map.
  enum class Sampling {
    exact,      ///< u = (x + 0.5) / 8 - 0.5: the pixel-centre geometry
    compat_v1,  ///< u = x (W/8 - 1) / W: the released v1 weights, and others made like them
  } sampling = Sampling::exact;
  /// The sizes at which detect() looks at an image, over its own, each of weight in proportion to
  /// itself: points are those of the mean heatmap, a descriptor is the mean of the views'. One look
  /// repeats points that a zoom moved or blurred less well than several do (docs/superpoint.md).
  std::vector<double> scales = {1};
};

/// The descriptor's part of the joint loss.
struct SuperPointLossOptions {
  enum class Form {
    double_norm,  ///< products normalised twice: known to converge
    paper,        ///< all products, as published
    sparse,       ///< some cells, each with its match and a hundred others
  } form = Form::double_norm;
  HingeOptions hinge;  ///< of the first two
  SparseOptions sparse;
  SparseSampling sampling;
};

/// The network. Parameters: 1,300,865 (vgg), 939,905 without the descriptor head; batch norm adds
/// two per normalised channel.
class SuperPoint : public Model {
 public:
  static constexpr int cell = 8;  ///< stride of both heads, in pixels

  explicit SuperPoint(const SuperPointOptions& options);
  ~SuperPoint() override;
  void visit(Visitor& v) override;

  struct Output {
    /// [N,H/8,W/8,65]; channel 8 dy + dx is pixel (dy, dx) of the cell, 64 the dustbin.
    Var logits;
    /// [N,H/8,W/8,256], not normalised; undefined without the head.
    Var descriptors;
  };
  /// `image`: [N,H,W,C] in [0,1], C = channels(); H and W multiples of 8. Activations have its
  /// type.
  Output forward(const Var& image);
  /// The detector alone: the probability of an interest point at each pixel, [N,H,W], without
  /// gradient.
  Tensor heatmap(const Tensor& image);

  std::string architecture() const override { return "superpoint"; }
  Options options() const override;
  int channels() const override;
  int size_multiple() const override { return cell; }
  /// bf16: everything up to the last layer of each head; those and all that follows stay float32.
  bool computes_in(DType, Device) const override;

  std::map<std::string, InputSpec> loss_inputs(int64_t batch, int64_t height,
                                               int64_t width) const override;
  /// The detector loss of MagicPoint, for a batch of
  ///   image [N,H,W,C];  label i32 [N,H/8,W/8] in 0..64;  valid [N,H/8,W/8] of 0 and 1:
  /// the mean over valid cells of the 65-way cross entropy. Or the joint loss, if there is also a
  ///   homography [N,9]: then `image` holds 2N, N images and their N partners in the same order;
  ///   row n, a 3x3 matrix row by row, takes a pixel of image n to its place in partner n;
  ///   `valid` is 1 for the images and says which cells of a partner show some of its image:
  /// the detector loss of the images, that of their partners, and the loss of the descriptors,
  /// brought to unit length. Its terms: detector and descriptor, which add up to the total;
  /// descriptor_positive and descriptor_negative, which add up to descriptor; positive_cosine and
  /// hardest_negative_cosine (kernels/loss/descriptor_pairs.h).
  Loss loss(Tape& tape, const Batch& batch) override;
  /// form = double_norm, paper or sparse; weight, positive_weight, positive_margin,
  /// negative_margin; of paper also reduction = mean_n, mean_n2 or sum; of sparse also samples,
  /// negatives. A network without descriptors has none of them.
  void set_loss_options(const Options& options) override;
  /// logits as "semi", and "desc" (unit length) if there is a descriptor head.
  std::map<std::string, Tensor> raw_outputs(const Tensor& image) override;
  /// Points by falling score, with unit descriptors if the network has them. The only call that
  /// looks at all of `scales`; raw_outputs() and heatmap() look once.
  std::vector<Tensor> detect_on_device(const Tensor& image, const DetectOptions&) override;
  std::vector<Keypoints> keypoints_from(const std::vector<Tensor>& found,
                                        const Shape& image) const override;

 private:
  struct Backbone;
  struct Vgg;
  struct MobileNet;
  void check(const Shape& image) const;
  Var features(const Var& image);
  Var logits(const Var& features);
  Var head(const Var& features, Conv2d& first, BatchNorm2d* first_norm, Conv2d& last,
           BatchNorm2d* last_norm);

  DescriptorLoss descriptor_loss(const Var& descriptors, const Batch& batch) const;

  SuperPointOptions options_;
  SuperPointLossOptions loss_options_;
  std::unique_ptr<Backbone> backbone_;
  Conv2d convPa_, convPb_;
  std::unique_ptr<BatchNorm2d> bnPa_, bnPb_;
  std::unique_ptr<Conv2d> convDa_, convDb_;
  std::unique_ptr<BatchNorm2d> bnDa_, bnDb_;
};

/// The probability of an interest point at each pixel, [N,H,W], from logits [N,H/8,W/8,65].
Tensor superpoint_heatmap(const Tensor& logits);

/// The points of heatmaps [N,H,W], best first, without descriptors.
std::vector<Keypoints> superpoint_points(const Tensor& heat, const DetectOptions& options);

}  // namespace cairn
