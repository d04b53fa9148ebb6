#include "models/codecs/codec.h"

#include <algorithm>

#include "layers/check.h"

namespace cairn {

std::unique_ptr<Codec> make_heatmap_codec(OptionReader& read);
std::unique_ptr<Codec> make_signed_codec(OptionReader& read);
std::unique_ptr<Codec> make_offsets_codec(OptionReader& read);
std::unique_ptr<Codec> make_soft_argmax_codec(OptionReader& read);
std::unique_ptr<Codec> make_coordinates_codec(OptionReader& read);

std::unique_ptr<Codec> make_codec(OptionReader& read) {
  using Make = std::unique_ptr<Codec> (*)(OptionReader&);
  const Make makers[] = {make_heatmap_codec, make_signed_codec, make_offsets_codec,
                         make_soft_argmax_codec, make_coordinates_codec};
  return makers[read.index("codec",
                           {"heatmap", "signed", "offsets", "soft_argmax", "coordinates"})](read);
}

Batch Codec::annotations(const Tensor& points, const Tensor& visibility,
                         const InputSize& size) const {
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
  return annotate(points, visibility, size);
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

OneInstance::OneInstance(const Tensor& all, const Tensor& seen)
    : points(Tensor::zeros({all.dim(0), 1, all.dim(2), 2})),
      visibility(Tensor::zeros({all.dim(0), 1, all.dim(2)}, DType::u8)) {
  const int64_t N = all.dim(0), M = all.dim(1), K = all.dim(2);
  for (int64_t n = 0; n < N; ++n)
    for (int64_t m = M; m-- > 0;)  // backwards: the first stays
      for (int64_t k = 0; k < K; ++k) {
        const int64_t from = (n * M + m) * K + k, to = n * K + k;
        if (!seen.data<uint8_t>()[from]) continue;
        visibility.data<uint8_t>()[to] = seen.data<uint8_t>()[from];
        std::copy_n(all.data<float>() + 2 * from, 2, points.data<float>() + 2 * to);
      }
}

}  // namespace cairn
