#pragma once
// Codecs: how a supervised network says where K points are. One class holds both directions side by
// side: what the network's head must learn for given points (encode, loss), and the points that its
// answer means (decode).
//
//   points       [N,M,K,2] f32: M instances of K points, (x, y) in pixels of the network's input,
//                integers are pixel centres
//   visibility   [N,M,K] u8: 0 missing, 1 hidden (occluded, but annotated), 2 visible; points that
//                are missing may hold anything
//   output       [N,h,w,channels(K)], a map whose cell j lies at pixel (j + 1/2) stride - 1/2; or
//                [N,1,1,channels(K)] of a codec that is global()
//
// A point that is missing in all instances adds nothing to a loss and gets no gradient. A point
// that is annotated outside of the image is not missing: its map has to stay empty.
#include <memory>
#include <string>
#include <vector>

#include "layers/tape.h"
#include "models/model.h"

namespace cairn {

/// The size of the network's input, in pixels: multiples of Codec::stride.
struct InputSize {
  int64_t height, width;
};

class Codec {
 public:
  static constexpr int stride = 4;  ///< input pixels per cell of a map

  virtual ~Codec() = default;
  /// Complete, with "codec": make_codec() makes the same again.
  virtual Options options() const = 0;
  virtual int channels(int points) const = 0;  ///< of the head, for K points
  /// The head looks at the whole map and gives one answer instead of a map.
  virtual bool global() const { return false; }

  /// What loss() compares with, by name: targets() of annotations(), both on cpu.
  Batch encode(const Tensor& points, const Tensor& visibility, const InputSize& size) const {
    return targets(annotations(points, visibility, size), size);
  }
  /// What the targets follow from, on cpu. Throws an Error that lists what does not fit.
  Batch annotations(const Tensor& points, const Tensor& visibility, const InputSize& size) const;
  /// The targets, made where the annotations lie; on simt and cuda by launches alone. Of a codec
  /// without maps they are the same.
  virtual Batch targets(const Batch& annotations, const InputSize&) const { return annotations; }
  /// How far `output` is from the targets, one element. Each stack has its own.
  virtual Var loss(const Var& output, const Batch& targets) const = 0;
  /// The loss of a prediction that says nothing, for an output of this shape: a training loss that
  /// stays there has learned nothing. One element, on the device of `output`.
  Tensor zero_loss(const Tensor& output, const Batch& targets) const;

  /// K points for every image, in their order, in pixels of an input of `size`; the higher a score,
  /// the more certain. `output` may lie on any device.
  virtual std::vector<Keypoints> decode(const Tensor& output, const InputSize& size) const = 0;
  /// The output for a mirrored image as one for the image itself: cells mirrored, and in place of
  /// each point the one that a mirror image has there. On cpu.
  virtual Tensor mirrored(const Tensor& output, const std::vector<int>& swap) const = 0;

 protected:
  virtual Batch annotate(const Tensor& points, const Tensor& visibility,
                         const InputSize& size) const = 0;
  /// An output that says nothing: all zero, unless a codec knows better.
  virtual Tensor blank(const Tensor& output) const;
};

/// The codec that the option `codec` names (the first is the default), with its own options;
/// lengths are in cells of the map:
///   heatmap      a Gaussian for each point: sigma, overlap = max | mean (of several instances),
///                decoder
///   signed       the same, negative for hidden points: sigma, decoder
///   offsets      a disk about each point and in it the way there: radius
///   soft_argmax  the mean of a distribution: sigma (of the distribution to learn), regularizer
///                (its weight), distance = euclidean | l1
///   coordinates  numbers, without a map: loss = wing | smooth_l1
/// decoder = dark | quarter | argmax | soft_argmax: models/codecs/decoders.h.
std::unique_ptr<Codec> make_codec(OptionReader& read);

/// [N,K] f32: 1 where a point is there in any of the instances of [N,M,K], else 0.
Tensor labelled_points(const Tensor& visibility);

/// Of each point the first instance in which it is there, for codecs that know one: points
/// [N,1,K,2], 0 where there is none, and visibility [N,1,K].
struct OneInstance {
  Tensor points, visibility;
  OneInstance(const Tensor& points, const Tensor& visibility);
};

}  // namespace cairn
