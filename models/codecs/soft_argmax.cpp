// The mean of a distribution over the cells: DSNT (Nibali et al., "Numerical Coordinate Regression
// with Convolutional Neural Networks", 2018) or, with the distance l1 and no regulariser, integral
// regression (Sun et al., ECCV 2018).
#include <algorithm>
#include <cmath>

#include "layers/constant_rows.h"
#include "layers/functions_elementwise.h"
#include "layers/functions_heatmap.h"
#include "layers/functions_loss.h"
#include "models/codecs/maps.h"
#include "runtime/error.h"

namespace cairn {
namespace {

class SoftArgmaxCodec : public Codec {
 public:
  explicit SoftArgmaxCodec(OptionReader& read)
      : sigma_(read.real("sigma", 1, 0.3, 20)),
        regularizer_(read.real("regularizer", 1, 0, 1000)),
        l1_(read.choice("distance", {"euclidean", "l1"}) == "l1") {}

  Options options() const override {
    return {{"codec", "soft_argmax"},
            {"sigma", text(sigma_)},
            {"regularizer", text(regularizer_)},
            {"distance", l1_ ? "l1" : "euclidean"}};
  }
  int channels(int points) const override { return points; }

  /// points [N,K,2], 0..1 across the image; weights [N,K]: 0 for a point that is missing or, since
  /// no distribution has its mean there, outside of the image; amplitudes [N,K], with which a
  /// point's Gaussian has the sum 1: 0 where the weight is.
  Batch annotate(const Tensor& all, const Tensor& seen, const InputSize& size) const override {
    const OneInstance one(all, seen);
    const int64_t N = all.dim(0), K = all.dim(2);
    Tensor points = one.points.reshape({N, K, 2}).clone(),
           weights = labelled_points(one.visibility), amplitudes = Tensor::zeros(weights.shape());
    for (int64_t i = 0; i < N * K; ++i) {
      float *p = points.data<float>() + 2 * i, &weight = weights.data<float>()[i];
      p[0] = (p[0] + 0.5f) / float(size.width);
      p[1] = (p[1] + 0.5f) / float(size.height);
      if (!(p[0] >= 0 && p[0] <= 1 && p[1] >= 0 && p[1] <= 1)) weight = 0;
      if (weight != 0)
        amplitudes.data<float>()[i] = float(
            1 / (sum_along(p[0], size.width / stride) * sum_along(p[1], size.height / stride)));
    }
    return {{"points", points}, {"weights", weights}, {"amplitudes", amplitudes}};
  }
  /// points and weights, and distributions [N,h,w,K] to be near to.
  Batch targets(const Batch& annotations, const InputSize& size) const override {
    const Tensor &points = annotations.at("points"), &amplitudes = annotations.at("amplitudes");
    const int64_t h = size.height / stride, w = size.width / stride;
    const Tensor sigmas =
        constant_rows(amplitudes.shape(), {sigma_ / std::sqrt(double(h * w))}, amplitudes);
    Tape tape(false);
    const Var maps =
        gaussian(tape.constant(points), tape.constant(sigmas), tape.constant(amplitudes), h, w);
    return {{"points", points},
            {"distributions", maps.value()},
            {"weights", annotations.at("weights")}};
  }

  /// How far the mean is from the point, in halves of the image's sides, + regularizer x the
  /// Jensen-Shannon divergence from a Gaussian about the point.
  Var loss(const Var& output, const Batch& targets) const override {
    Tape& tape = output.tape();
    const Tensor& weights = targets.at("weights");
    const Var mean = soft_argmax(output).point, point = tape.constant(targets.at("points"));
    Var total =
        scale(l1_ ? absolute_error(mean, point, weights) : distance(mean, point, weights), 2);
    if (regularizer_ == 0) return total;
    const Var divergence =
        js_divergence(spatial_softmax(output), tape.constant(targets.at("distributions")), weights,
                      LossMean::weights);
    const double cells = double(output.dim(1) * output.dim(2));  // the sum over a map, not its mean
    return add(total, scale(divergence, regularizer_ * cells));
  }

  std::vector<Keypoints> decode(const Tensor& output, const InputSize& size) const override {
    Tape tape(false);
    const Var logits = tape.constant(output);
    const Tensor mean = soft_argmax(logits).point.value().to(Device::cpu);
    const Tensor p = spatial_softmax(logits).value().to(Device::cpu);
    const int64_t K = output.dim(3);
    std::vector<Keypoints> found(size_t(output.dim(0)));
    for (int64_t i = 0; i < output.dim(0) * K; ++i) {
      const float* at = mean.data<float>() + 2 * i;
      Keypoints& k = found[size_t(i / K)];
      k.points.push_back({at[0] * float(size.width) - 0.5f, at[1] * float(size.height) - 0.5f});
      k.scores.push_back(weight_near(p, i / K, i % K, at[0] * double(output.dim(2)) - 0.5,
                                     at[1] * double(output.dim(1)) - 0.5));
    }
    return found;
  }
  Tensor mirrored(const Tensor& output, const std::vector<int>& swap) const override {
    return mirrored_maps(output, swap);
  }

 private:
  // The sum of a Gaussian of peak 1 about u, 0..1, over the cells of one axis: that over a map is
  // the product of both axes'.
  double sum_along(double u, int64_t cells) const {
    double sum = 0;
    for (int64_t i = 0; i < cells; ++i) {
      const double d = (double(i) + 0.5 - u * double(cells)) / sigma_;
      sum += std::exp(-0.5 * d * d);
    }
    return sum;
  }

  // |ex| + |ey|, the weighted mean over the points.
  static Var absolute_error(const Var& mean, const Var& point, const Tensor& weights) {
    const Var w = mean.tape().constant(weights.reshape({weights.dim(0), weights.dim(1), 1}));
    return scale(smooth_l1(mean, point, concat({w, w}).value(), 0, LossMean::weights), 2);
  }

  // How much of the distribution lies within three sigma of (x, y): low where it has several modes.
  float weight_near(const Tensor& p, int64_t image, int64_t point, double x, double y) const {
    const int64_t h = p.dim(1), w = p.dim(2), K = p.dim(3);
    double sum = 0;
    for (int64_t i = 0; i < h * w; ++i)
      if (std::hypot(double(i % w) - x, double(i / w) - y) <= 3 * sigma_)
        sum += double(p.data<float>()[(image * h * w + i) * K + point]);
    return float(sum);
  }

  const double sigma_, regularizer_;
  const bool l1_;
};

}  // namespace

std::unique_ptr<Codec> make_soft_argmax_codec(OptionReader& read) {
  return std::make_unique<SoftArgmaxCodec>(read);
}

}  // namespace cairn
