#pragma once
// Factorized spatial embeddings (Thewlis, Bilen, Vedaldi, "Unsupervised Learning of Object
// Landmarks by Factorized Spatial Embeddings", ICCV 2017): K points that move with the image when
// it is warped. No labels, and no image is painted.
//
//   image I, its warped copy I'(v) = I(g(v)) -> their centres -> trunk, to half the size
//     -> a distribution over the places for each point, p and p'
//   alignment   E |u - g(v)|^2 over places u of p and v of p'
//   diversity   no two points have the same place
//
// That a point means the same on every instance of an object is not asked for: it follows from
// one bank of filters for all of them.
#include <memory>
#include <vector>

#include "layers/conv_norm.h"
#include "layers/functions_loss.h"
#include "layers/functions_warp.h"
#include "models/crop_rule.h"
#include "models/model.h"
#include "models/skeleton.h"

namespace cairn {

struct FactorizedEmbeddingsOptions {
  int landmarks = 10;
  int channels = 3;  ///< of the image: 1 grey, 3 RGB
  enum class Size {
    /// Of the dense successors of the paper (Thewlis et al., ICCV 2019): 20, 48, 64, 80 and 256
    /// channels, wider and wider dilation instead of more pooling.
    full,
    mini,  ///< 8, 16, 24, 32 and 64 channels, 3x3: for training on a CPU
  } size = Size::full;
  CropRule crop{96, 96, 0};
  /// Pixels on each side of the image that the network does not see: a warp brings some of what is
  /// beyond the image there, and that would be a landmark of its own.
  int border = 8;
};

class FactorizedEmbeddings : public Model {
 public:
  explicit FactorizedEmbeddings(const FactorizedEmbeddingsOptions& options);
  void visit(Visitor& v) override;

  std::string architecture() const override { return "factorized_embeddings"; }
  Options options() const override;
  int channels() const override { return options_.channels; }
  int size_multiple() const override { return 2; }
  const Skeleton* skeleton() const override { return &skeleton_; }
  const CropRule* crop_rule() const override { return &options_.crop; }

  std::map<std::string, InputSpec> loss_inputs(int64_t batch, int64_t height,
                                               int64_t width) const override;
  /// alignment = distribution (of all places) | mean (of the means alone, which do not draw the
  /// distributions together); diversity = linear | quadratic; diversity_weight; window: pixels of
  /// the maps over whose square they are averaged before, so that points keep apart.
  void set_loss_options(const Options& options) override;
  /// Batch: image; warp_control, warp_theta, warp_affine, the warp g of each (PointWarp). Squared
  /// distances are in unit coordinates. Terms: alignment and diversity, which add up to the total;
  /// spread, the mean variance of a map, and warp_error, the mean |g(p') - p|, in sides of the
  /// image.
  Loss loss(Tape& tape, const Batch& batch) override;
  /// "maps", the distributions over the centre of the image at half its size, and "points" [N,K,2]
  /// in unit coordinates of the image.
  std::map<std::string, Tensor> raw_outputs(const Tensor& image) override;
  /// The means, in the order of the channels; their score is the mean of p under itself.
  std::vector<Tensor> detect_on_device(const Tensor& image, const DetectOptions&) override;
  std::vector<Keypoints> keypoints_from(const std::vector<Tensor>& found,
                                        const Shape& image) const override;

 private:
  struct Layer {
    Conv2d conv;
    BatchNorm2d norm;
    ConvNormStep step;
  };
  Var maps(const Var& centres);
  Tensor places(const Tensor& image, int size) const;
  void check_image(const Tensor& image) const;

  FactorizedEmbeddingsOptions options_;
  Skeleton skeleton_;
  struct LossOptions {
    bool means_alone = false;
    DiversityForm diversity = DiversityForm::linear;
    double diversity_weight = 0.05;
    int window = 4;
  } loss_options_;
  std::vector<std::unique_ptr<Layer>> layers_;
};

}  // namespace cairn
