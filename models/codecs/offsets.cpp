// A disk about every point and, in each of its cells, the way to the point; the cells vote
// (Papandreou et al., "Towards Accurate Multi-person Pose Estimation in the Wild", CVPR 2017).
#include <algorithm>
#include <cmath>

#include "layers/constant_rows.h"
#include "layers/functions_elementwise.h"
#include "layers/functions_heatmap.h"
#include "layers/functions_loss.h"
#include "models/codecs/decoders.h"
#include "models/codecs/maps.h"
#include "runtime/error.h"

namespace cairn {
namespace {

constexpr double disk_weight = 4, offset_weight = 1;  // of the two parts of the loss

// Votes for one point. A frame of cells about the map takes those that fall outside, so that the
// window about the most voted cell is whole.
class Votes {
 public:
  Votes(int64_t height, int64_t width)
      : height_(height + 2 * frame_),
        width_(width + 2 * frame_),
        votes_(size_t(height_ * width_)) {}

  void add(double x, double y, double vote) {
    x += frame_;
    y += frame_;
    const double left = std::floor(x), top = std::floor(y);
    if (!(left >= 0 && top >= 0 && left + 1 < double(width_) && top + 1 < double(height_))) return;
    const double u = x - left, v = y - top;
    float* at = votes_.data() + int64_t(top) * width_ + int64_t(left);
    at[0] += float(vote * (1 - u) * (1 - v));
    at[1] += float(vote * u * (1 - v));
    at[width_] += float(vote * (1 - u) * v);
    at[width_ + 1] += float(vote * u * v);
  }

  /// The most voted cell alone is right to a cell; the centroid of the votes about it is exact. Its
  /// value is the sum of the votes there: the cells that agree share them by where in a cell they
  /// meet.
  Peak peak() const {
    Peak p = find_peak(votes_.data(), height_, width_, Decoder::soft_argmax, 0);
    const int64_t best = std::max_element(votes_.begin(), votes_.end()) - votes_.begin();
    const int64_t x = best % width_, y = best / width_;
    p.value = 0;
    for (int64_t r = std::max<int64_t>(0, y - 1); r <= std::min(height_ - 1, y + 1); ++r)
      for (int64_t q = std::max<int64_t>(0, x - 1); q <= std::min(width_ - 1, x + 1); ++q)
        p.value += votes_[size_t(r * width_ + q)];
    return {p.x - frame_, p.y - frame_, p.value};
  }

 private:
  static constexpr int64_t frame_ = 4;
  int64_t height_, width_;
  std::vector<float> votes_;
};

class OffsetsCodec : public Codec {
 public:
  explicit OffsetsCodec(OptionReader& read) : radius_(read.real("radius", 3, 1, 50)) {}

  Options options() const override { return {{"codec", "offsets"}, {"radius", text(radius_)}}; }
  /// K logits of the disks, then (x, y) of the offsets of each point, in cells.
  int channels(int points) const override { return 3 * points; }

  /// cells [N,M,K,2], the points in cells of the map; and visibility.
  Batch annotate(const Tensor& points, const Tensor& visibility, const InputSize&) const override {
    return {{"cells", in_cells(points)}, {"visibility", visibility}};
  }
  /// disks, disk_weights, offset_weights [N,h,w,K] and offsets [N,h,w,2K]. The point of the first
  /// instance counts; the disks of the others are left out of the loss.
  Batch targets(const Batch& annotations, const InputSize& size) const override {
    const DiskTargets t = disk_targets(annotations.at("cells"), annotations.at("visibility"),
                                       size.height / stride, size.width / stride, radius_);
    return {{"disks", t.disks},
            {"disk_weights", t.weights},
            {"offsets", t.offsets},
            {"offset_weights", t.disks}};
  }
  /// 4 x the binary cross entropy of the disks + Huber's loss of the offsets inside of them, each a
  /// mean over the cells that count.
  Var loss(const Var& output, const Batch& targets) const override {
    const int64_t K = output.dim(3) / 3;
    Tape& tape = output.tape();
    const Var disks =
        bce_with_logits(slice_channels(output, 0, K), tape.constant(targets.at("disks")),
                        targets.at("disk_weights"), LossMean::weights);
    const Var offsets =
        distance(slice_channels(output, K, 2 * K), tape.constant(targets.at("offsets")),
                 targets.at("offset_weights"), 1);
    return add(scale(disks, disk_weight), scale(offsets, offset_weight));
  }

  std::vector<Keypoints> decode(const Tensor& output, const InputSize&) const override {
    const Tensor maps = output.to(Device::cpu);
    const int64_t h = maps.dim(1), w = maps.dim(2), K = maps.dim(3) / 3;
    std::vector<Keypoints> found(size_t(maps.dim(0)));
    for (int64_t n = 0; n < maps.dim(0); ++n)
      for (int64_t k = 0; k < K; ++k) {
        Votes votes(h, w);
        for (int64_t i = 0; i < h * w; ++i) {
          const float* cell = maps.data<float>() + (n * h * w + i) * 3 * K;
          const double vote = 1 / (1 + std::exp(-double(cell[k]))) / (M_PI * radius_ * radius_);
          votes.add(double(i % w) + cell[K + 2 * k], double(i / w) + cell[K + 2 * k + 1], vote);
        }
        const Peak p = votes.peak();
        found[size_t(n)].points.push_back({float(to_pixel(p.x)), float(to_pixel(p.y))});
        found[size_t(n)].scores.push_back(p.value);
      }
    return found;
  }

  Tensor mirrored(const Tensor& output, const std::vector<int>& swap) const override {
    std::vector<int> from = swap;
    std::vector<float> sign(swap.size(), 1.0f);
    for (const int k : swap)
      for (const int axis : {0, 1}) {
        from.push_back(int(swap.size()) + 2 * k + axis);
        sign.push_back(axis == 0 ? -1.0f : 1.0f);
      }
    return mirrored_maps(output, from, sign);
  }

 protected:
  // Everywhere the share of a map that a disk covers: the best that can be said without looking.
  Tensor blank(const Tensor& output) const override {
    const double share =
        std::min(0.5, M_PI * radius_ * radius_ / double(output.dim(1) * output.dim(2)));
    std::vector<double> cell(size_t(output.dim(3)));
    std::fill_n(cell.begin(), cell.size() / 3, std::log(share / (1 - share)));
    return constant_rows(output.shape(), cell, output);
  }

 private:
  const double radius_;
};

}  // namespace

std::unique_ptr<Codec> make_offsets_codec(OptionReader& read) {
  return std::make_unique<OffsetsCodec>(read);
}

}  // namespace cairn
