#pragma once
// The landmark autoencoder (Zhang, Guo, Jin, Luo, He, Lee, "Unsupervised Discovery of Object
// Landmarks as Structural Representations", CVPR 2018): an image is K points, what each looks like,
// and a background; no labels.
//
//   image -> padded -> detector -> softmax over K + 1 channels D -> points (x_k, y_k), spreads
//                   -> features F;  f_k = W_k (mean of F under D_k)                 the code
//   points, tau(W~_k f_k) -> Gaussians of several widths carry them back to their places
//                         -> decoder -> image
//
// Where the paper and its authors' code differ, the default is what converges best and the other
// form an option.
#include <memory>
#include <vector>

#include "kernels/loss/concentration.h"
#include "layers/functions_warp.h"
#include "models/crop_rule.h"
#include "models/landmark_autoencoder/hourglass.h"
#include "models/model.h"

namespace cairn {

struct LandmarkAutoencoderOptions {
  int landmarks = 10;
  int channels = 3;  ///< of the image: 1 grey, 3 RGB
  enum class Size {
    full,  ///< the paper's widths, 19.8 million parameters
    mini,  ///< 0.5 million, for training on a CPU
  } size = Size::full;
  CropRule crop{80, 80, 0};
  int padding = 8;  ///< pixels around the image that detector and features also see
  /// Of the Gaussians that carry descriptors back, in units of the square root of the image's area.
  std::vector<double> sigmas = {0.125, 0.17677669529663687, 0.25, 0.35355339059327373, 0.5};
  enum class Ground {
    paper,  ///< 1, beside densities of 1 / (2 pi s^2)
    code,   ///< s^2 H W: the maps carry a hundredth of the contrast
  } ground = Ground::paper;
  /// What descriptors are pooled with.
  enum class Masks {
    maps,      ///< the detector's maps (code): sharper
    gaussian,  ///< Gaussians fitted to them; the background's is its map (paper)
  } masks = Masks::maps;
  bool linear_descriptors = false;  ///< tau is the identity (code), not a leaky ReLU (paper)
};

class LandmarkAutoencoder : public Model {
 public:
  explicit LandmarkAutoencoder(const LandmarkAutoencoderOptions& options);
  void visit(Visitor& v) override;

  /// What an image is made of. Points are (x, y) in unit half-pixel coordinates of the image; those
  /// of objects that leave it lie outside of 0..1.
  struct Code {
    Tensor points;       ///< [N,K,2]
    Tensor descriptors;  ///< [N,K+1,C], the background's last
  };
  /// `image`: [N,H,W,channels()] in [0,1], H and W multiples of size_multiple().
  Code encode(const Tensor& image);
  /// [N,height,width,channels()] in [0,1].
  Tensor decode(const Code& code, int64_t height, int64_t width);
  /// The detector's softmax over the padded image, [N,H+2p,W+2p,K+1]; the background is last.
  Tensor maps(const Tensor& image);

  std::string architecture() const override { return "landmark_autoencoder"; }
  Options options() const override;
  int channels() const override { return options_.channels; }
  int size_multiple() const override;
  const Skeleton* skeleton() const override { return &skeleton_; }
  const CropRule* crop_rule() const override { return &options_.crop; }
  int padding() const { return options_.padding; }
  /// bf16 on simt and cuda: the three hourglasses up to the last layers of detector and decoder.
  /// Float32 are these, all maps, points, means and descriptors, and the losses; decode(), whose
  /// code is float32, altogether.
  bool computes_in(DType, Device) const override;

  std::map<std::string, InputSpec> loss_inputs(int64_t batch, int64_t height,
                                               int64_t width) const override;
  /// separation (20), separation_sigma (0.08), concentration (100), equivariance (10,000): weights
  /// of the constraints, 0 leaves one out; spread = variance | deviation (the authors' code).
  void set_loss_options(const Options& options) override;
  /// Batch: image; warp_control, warp_theta, warp_affine, the warp g of each (PointWarp) from the
  /// padded frame of the warped image to that of the image; reconstruction_weight [N,C]. Terms:
  /// the four losses, weighted; spread, the mean variance of a map, and warp_error, the mean
  /// |g(p') - p|, in sides of the image; squared_error, the mean over the elements of the image.
  Loss loss(Tape& tape, const Batch& batch) override;
  /// "maps", "points", "descriptors", "reconstruction".
  std::map<std::string, Tensor> raw_outputs(const Tensor& image) override;
  /// The K points in the order of their channels; their score is the mean of D_k under itself.
  std::vector<Tensor> detect_on_device(const Tensor& image, const DetectOptions&) override;
  std::vector<Keypoints> keypoints_from(const std::vector<Tensor>& found,
                                        const Shape& image) const override;

 private:
  struct Detected {
    Var maps, point, variance;  ///< in the padded frame
  };
  Tensor exact(const Tensor& image) const;
  Var padded(Tape& tape, const Tensor& image) const;
  Detected find(const Var& padded);
  Var masks(const Detected& d) const;
  Var describe(const Var& padded, const Var& masks);
  Var paint(const Var& points, const Var& descriptors, int64_t height, int64_t width,
            DType activations);
  Var in_image(const Var& points, const Tensor& image) const;
  bool takes(int64_t height, int64_t width) const;
  void check_image(const Tensor& image) const;

  LandmarkAutoencoderOptions options_;
  Skeleton skeleton_;
  struct Weights {
    double separation = 20, separation_sigma = 0.08, concentration = 100, equivariance = 1e4;
    Spread spread = Spread::variance;
  } weights_;

  LandmarkHourglass detector_, features_, decoder_;
  Parameter describe_weight_, describe_bias_, paint_weight_, paint_bias_;
};

}  // namespace cairn
