// A Gaussian for every point (Tompson et al. 2014; Newell et al. 2016), drawn at its exact place and
// not at a cell's centre, so that decoding can find the fraction of a cell again.
#include "layers/functions_heatmap.h"
#include "layers/functions_loss.h"
#include "models/codecs/decoders.h"
#include "models/codecs/maps.h"
#include "runtime/error.h"

namespace cairn {
namespace {

class HeatmapCodec : public Codec {
 public:
  explicit HeatmapCodec(OptionReader& read)
      : sigma_(read.real("sigma", 1.5, 0.3, 20)),
        decoder_(Decoder(read.index("decoder", decoder_names()))) {}

  Options options() const override {
    return {{"codec", "heatmap"},
            {"sigma", text(sigma_)},
            {"decoder", decoder_names()[size_t(decoder_)]}};
  }
  int channels(int points) const override { return points; }

  /// heatmaps [N,h,w,K], and weights [N,K]: 0 for a point that is missing.
  Batch make_targets(const Tensor& points, const Tensor& visibility,
                     const InputSize& size) const override {
    TargetOptions o;
    o.sigma = sigma_;
    o.half_width = 6 * sigma_;  // beyond, a Gaussian is less than the last digit of 1
    return {{"heatmaps", gaussian_targets(in_cells(points), visibility, size.height / stride,
                                          size.width / stride, o)},
            {"weights", labelled_points(visibility)}};
  }
  /// The mean squared error of the maps of all points that are not missing.
  Var loss(const Var& output, const Batch& targets) const override {
    const auto weights = targets.find("weights");
    return mse(output, output.tape().constant(targets.at("heatmaps")),
               weights == targets.end() ? Tensor() : weights->second, LossMean::weights);
  }

  std::vector<Keypoints> decode(const Tensor& output) const override {
    const Tensor maps = output.to(Device::cpu);
    const int64_t h = maps.dim(1), w = maps.dim(2);
    std::vector<Keypoints> found(size_t(maps.dim(0)));
    for (int64_t n = 0; n < maps.dim(0); ++n) {
      const std::vector<float> planes = planes_of(maps, n);
      for (int64_t k = 0; k < maps.dim(3); ++k) {
        const Peak p = find_peak(planes.data() + k * h * w, h, w, decoder_, sigma_);
        found[size_t(n)].points.push_back({float(to_pixel(p.x)), float(to_pixel(p.y))});
        found[size_t(n)].scores.push_back(p.value);
      }
    }
    return found;
  }
  Tensor mirrored(const Tensor& output, const std::vector<int>& swap) const override {
    return mirrored_maps(output, swap);
  }

 private:
  double sigma_;
  Decoder decoder_;
};

}  // namespace

std::unique_ptr<Codec> make_heatmap_codec(OptionReader& read) {
  return std::make_unique<HeatmapCodec>(read);
}

}  // namespace cairn
