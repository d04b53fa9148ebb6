// A Gaussian for every point, drawn at its exact place and not at a cell's centre, so that decoding
// can find the fraction of a cell again (Tompson et al. 2014; Newell et al. 2016); with a sign that
// says whether the point can be seen (Yuen and Trivedi, "An Occluded Stacked Hourglass Approach to
// Facial Landmark Localization and Occlusion Estimation", 2017).
#include <algorithm>
#include <cmath>

#include "layers/functions_heatmap.h"
#include "layers/functions_loss.h"
#include "models/codecs/decoders.h"
#include "models/codecs/maps.h"
#include "runtime/error.h"

namespace cairn {
namespace {

class HeatmapCodec : public Codec {
 public:
  HeatmapCodec(OptionReader& read, bool with_sign)
      : signed_(with_sign), decoder_(Decoder(read.index("decoder", decoder_names()))) {
    targets_.sigma = read.real("sigma", 1.5, 0.3, 20);
    targets_.half_width = 6 * targets_.sigma;  // beyond, a Gaussian is below the last digit of 1
    if (signed_)
      targets_.hidden = -1;
    else if (read.index("overlap", {"max", "mean"}) == 1) {
      targets_.overlap = TargetOverlap::mean;
      targets_.half_width = 3 * targets_.sigma + 1;  // who is further away has no part in the mean
    }
  }

  Options options() const override {
    Options o{{"codec", signed_ ? "signed" : "heatmap"},
              {"sigma", text(targets_.sigma)},
              {"decoder", decoder_names()[size_t(decoder_)]}};
    if (!signed_) o["overlap"] = targets_.overlap == TargetOverlap::mean ? "mean" : "max";
    return o;
  }
  int channels(int points) const override { return points; }

  /// cells [N,M,K,2], the points in cells of the map; visibility; and weights [N,K]: 0 for a point
  /// that is missing.
  Batch annotate(const Tensor& points, const Tensor& visibility, const InputSize&) const override {
    return {{"cells", in_cells(points)},
            {"visibility", visibility},
            {"weights", labelled_points(visibility)}};
  }
  /// heatmaps [N,h,w,K], and the weights.
  Batch targets(const Batch& annotations, const InputSize& size) const override {
    return {{"heatmaps", gaussian_targets(annotations.at("cells"), annotations.at("visibility"),
                                          size.height / stride, size.width / stride, targets_)},
            {"weights", annotations.at("weights")}};
  }
  /// The mean squared error of the maps of all points that are not missing.
  Var loss(const Var& output, const Batch& targets) const override {
    const auto weights = targets.find("weights");
    return mse(output, output.tape().constant(targets.at("heatmaps")),
               weights == targets.end() ? Tensor() : weights->second, LossMean::weights);
  }

  std::vector<Keypoints> decode(const Tensor& output, const InputSize&) const override {
    const Tensor maps = output.to(Device::cpu);
    const int64_t h = maps.dim(1), w = maps.dim(2);
    std::vector<Keypoints> found(size_t(maps.dim(0)));
    for (int64_t n = 0; n < maps.dim(0); ++n) {
      std::vector<float> planes = planes_of(maps, n);
      for (int64_t k = 0; k < maps.dim(3); ++k) {
        float* plane = planes.data() + k * h * w;
        const bool visible = !signed_ || make_positive(plane, h * w);
        const Peak p = find_peak(plane, h, w, decoder_, targets_.sigma);
        found[size_t(n)].points.push_back({float(to_pixel(p.x)), float(to_pixel(p.y))});
        found[size_t(n)].scores.push_back(p.value);
        if (signed_) found[size_t(n)].visible.push_back(visible && p.value >= least_peak_);
      }
    }
    return found;
  }
  Tensor mirrored(const Tensor& output, const std::vector<int>& swap) const override {
    return mirrored_maps(output, swap);
  }

 private:
  // A map that is flat says nothing of visibility.
  static constexpr float least_peak_ = 0.1f;

  // Turns the map over if its largest magnitude is negative; returns whether it was positive.
  static bool make_positive(float* plane, int64_t cells) {
    const float top = *std::max_element(plane, plane + cells,
                                        [](float a, float b) { return std::abs(a) < std::abs(b); });
    if (top < 0) std::transform(plane, plane + cells, plane, std::negate<>());
    return top > 0;
  }

  const bool signed_;
  Decoder decoder_;
  TargetOptions targets_;
};

}  // namespace

std::unique_ptr<Codec> make_heatmap_codec(OptionReader& read) {
  return std::make_unique<HeatmapCodec>(read, false);
}

std::unique_ptr<Codec> make_signed_codec(OptionReader& read) {
  return std::make_unique<HeatmapCodec>(read, true);
}

}  // namespace cairn
