#include "models/codecs/codec.h"

#include "layers/check.h"

namespace cairn {

std::unique_ptr<Codec> make_heatmap_codec(OptionReader& read);

std::unique_ptr<Codec> make_codec(OptionReader& read) {
  read.choice("codec", {"heatmap"});
  return make_heatmap_codec(read);
}

Batch Codec::encode(const Tensor& points, const Tensor& visibility, const InputSize& size) const {
  Check check("encode");
  check.argument("points", points).argument("visibility", visibility);
  check.require(points.rank() == 4 && points.shape()[-1] == 2, "points have shape ",
                points.shape());
  if (check.fine())
    check.require(visibility.shape() == Shape{points.dim(0), points.dim(1), points.dim(2)},
                  "visibility has shape ", visibility.shape());
  check.require(points.dtype() == DType::f32, "points are ", points.dtype())
      .require(visibility.dtype() == DType::u8, "visibility is ", visibility.dtype())
      .require(points.device() == Device::cpu && visibility.device() == Device::cpu,
               "points are on ", points.device(), ", visibility on ", visibility.device())
      .require(size.height > 0 && size.width > 0 && size.height % stride == 0 &&
                   size.width % stride == 0,
               "the input is ", size.height, "x", size.width)
      .done("points [N,M,K,2] f32 and visibility [N,M,K] u8 on cpu, sides that are multiples of 4",
            "give every instance of a point its own flag, and the size that the network gets");
  return make_targets(points, visibility, size);
}

Tensor Codec::blank(const Tensor& output) const {
  return Tensor::zeros(output.shape(), output.dtype(), output.device());
}

Tensor Codec::zero_loss(const Tensor& output, const Batch& targets) const {
  Tape tape(false);
  return loss(tape.constant(blank(output)), targets).value();
}

Tensor labelled_points(const Tensor& visibility) {
  const int64_t N = visibility.dim(0), M = visibility.dim(1), K = visibility.dim(2);
  Tensor there = Tensor::zeros({N, K});
  const uint8_t* v = visibility.data<uint8_t>();
  for (int64_t i = 0; i < N * M * K; ++i)
    if (v[i]) there.data<float>()[i / (M * K) * K + i % K] = 1;
  return there;
}

}  // namespace cairn
