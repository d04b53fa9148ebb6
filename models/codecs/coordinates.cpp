// Two numbers for each point, -1..1 across the image, from a head that looks at the whole map: the
// baseline that maps have to beat (Feng et al., "Wing Loss for Robust Facial Landmark
// Localisation", CVPR 2018, for its loss).
#include "layers/functions_elementwise.h"
#include "layers/functions_loss.h"
#include "models/codecs/codec.h"
#include "runtime/error.h"

namespace cairn {
namespace {

class CoordinatesCodec : public Codec {
 public:
  explicit CoordinatesCodec(OptionReader& read)
      : wing_(read.choice("loss", {"wing", "smooth_l1"}) == "wing") {}

  Options options() const override {
    return {{"codec", "coordinates"}, {"loss", wing_ ? "wing" : "smooth_l1"}};
  }
  int channels(int points) const override { return 2 * points; }
  bool global() const override { return true; }

  /// coordinates and weights, both [N,1,1,2K]; 0 for a point that is missing.
  Batch annotate(const Tensor& points, const Tensor& visibility,
                 const InputSize& size) const override {
    const OneInstance one(points, visibility);
    const int64_t N = points.dim(0), K = points.dim(2);
    Tensor coordinates = Tensor::zeros({N, 1, 1, 2 * K}), weights = coordinates.clone();
    for (int64_t i = 0; i < 2 * N * K; ++i) {
      if (!one.visibility.data<uint8_t>()[i / 2]) continue;
      const double side = double(i % 2 == 0 ? size.width : size.height);
      coordinates.data<float>()[i] =
          float(2 * (double(one.points.data<float>()[i]) + 0.5) / side - 1);
      weights.data<float>()[i] = 1;
    }
    return {{"coordinates", coordinates}, {"weights", weights}};
  }
  /// The mean over the coordinates of all points that are not missing. The Wing loss is in pixels
  /// of a 256 x 256 image.
  Var loss(const Var& output, const Batch& targets) const override {
    const Var wanted = output.tape().constant(targets.at("coordinates"));
    const Tensor& weights = targets.at("weights");
    if (!wing_) return smooth_l1(output, wanted, weights, beta_, LossMean::weights);
    return wing(scale(output, 128), scale(wanted, 128), weights, {}, LossMean::weights);
  }

  /// The network does not say how certain it is: all scores are 1.
  std::vector<Keypoints> decode(const Tensor& output, const InputSize& size) const override {
    const Tensor numbers = output.to(Device::cpu);
    const int64_t K = numbers.dim(3) / 2;
    const auto pixel = [](float c, int64_t side) {
      return float((double(c) + 1) / 2 * double(side) - 0.5);
    };
    std::vector<Keypoints> found(size_t(numbers.dim(0)));
    for (int64_t i = 0; i < numbers.dim(0) * K; ++i) {
      const float* c = numbers.data<float>() + 2 * i;
      found[size_t(i / K)].points.push_back({pixel(c[0], size.width), pixel(c[1], size.height)});
      found[size_t(i / K)].scores.push_back(1);
    }
    return found;
  }
  Tensor mirrored(const Tensor& output, const std::vector<int>& swap) const override {
    const Tensor numbers = output.to(Device::cpu);
    Tensor y = numbers.empty_like();
    const int64_t K = int64_t(swap.size());
    for (int64_t i = 0; i < numbers.dim(0) * K; ++i) {
      const float* from = numbers.data<float>() + 2 * (i / K * K + swap[size_t(i % K)]);
      y.data<float>()[2 * i] = -from[0];
      y.data<float>()[2 * i + 1] = from[1];
    }
    return y;
  }

 private:
  static constexpr double beta_ = 0.02;  // in halves of the image: below, the loss is quadratic
  const bool wing_;
};

}  // namespace

std::unique_ptr<Codec> make_coordinates_codec(OptionReader& read) {
  return std::make_unique<CoordinatesCodec>(read);
}

}  // namespace cairn
