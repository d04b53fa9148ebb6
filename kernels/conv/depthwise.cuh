#pragma once
// Convolution with one input channel per group: bound by memory, so no tiles of a product.
//
//   forward, backward data   a thread writes V channels (4 where they are aligned) of one pixel;
//                            the pixels that neighbours read again come from L1
//   backward weights         a block sums 32 channels of one tap over its part of the pixels, 8
//                            pixels side by side; sum_parts adds the parts in order
#include "kernels/gemm/epilogue.cuh"

namespace cairn::CAIRN_NS {

struct Depthwise {
  const void *in, *w, *bias;
  void* out;
  Patches x;               ///< positions are the pixels of y
  int kh, kw, multiplier;  ///< multiplier: outputs per input channel
  int64_t outputs;         ///< of all groups
  int64_t count;           ///< threads wanted
  Divisor runs;            ///< of V channels per pixel of the tensor written
  Activation act = Activation::none;
  float slope = 0;
};

/// sums[e] += the convolution at position p for outputs o .. o + V - 1.
template <class T, int V>
CAIRN_DEVICE void depthwise_sums(const Depthwise& d, int p, int o, Sum<T> (&sums)[V]) {
  const T *x = static_cast<const T*>(d.in), *w = static_cast<const T*>(d.w);
  const PatchPlace row = d.x.row(p);
  const int c = V == 1 ? o / d.multiplier : o, taps = d.kh * d.kw;
  for (int tap = 0; tap < taps; ++tap) {
    const int64_t at = d.x.at(row, d.x.column(tap));
    if (at < 0) continue;
    const Pack<T, V> in = load_pack<V>(x + at + c);
#pragma unroll
    for (int e = 0; e < V; ++e) sums[e] += Sum<T>(in[e]) * Sum<T>(w[int64_t(o + e) * taps + tap]);
  }
}

template <class T, int V>
CAIRN_KERNEL void depthwise_forward(Depthwise d) {
  const T* bias = static_cast<const T*>(d.bias);
  for (int64_t i = global_thread(); i < d.count; i += global_threads()) {
    const int pixel = d.runs.quotient(int(i)), o = (int(i) - pixel * d.runs.value()) * V;
    Sum<T> best[V] = {};
    for (int s = 0; s < (d.x.windows ? 4 : 1); ++s) {
      Sum<T> sums[V] = {};
      depthwise_sums<T, V>(d, d.x.windows ? 4 * pixel + s : pixel, o, sums);
#pragma unroll
      for (int e = 0; e < V; ++e) best[e] = s == 0 ? sums[e] : larger(best[e], sums[e]);
    }
    Pack<T, V> out;
#pragma unroll
    for (int e = 0; e < V; ++e)
      out[e] =
          T(activate(d.act, best[e] + (bias ? Sum<T>(bias[o + e]) : Sum<T>(0)), Sum<T>(d.slope)));
    store_pack(static_cast<T*>(d.out) + int64_t(pixel) * d.outputs + o, out);
  }
}

/// Where the gradient of a pixel comes from: the grid of dx and the options of the convolution.
struct DepthwiseBack {
  Depthwise d;  ///< in: dy, out: dx; x: unused
  Divisor height, width, stride;
  int out_height, out_width, padding, dilation;
};

/// The output row (or column) that reads `at` through tap `u`; -1 if none does.
CAIRN_DEVICE int reader_of(const DepthwiseBack& b, int at, int u, int size) {
  const int t = at + b.padding - u * b.dilation;
  if (t < 0) return -1;
  const int i = b.stride.quotient(t);
  return i * b.stride.value() == t && i < size ? i : -1;
}

template <class T, int V>
CAIRN_KERNEL void depthwise_backward_data(DepthwiseBack b) {
  const Depthwise& d = b.d;
  const T *dy = static_cast<const T*>(d.in), *w = static_cast<const T*>(d.w);
  const T* bias = static_cast<const T*>(d.bias);
  const int taps = d.kh * d.kw;
  for (int64_t i = global_thread(); i < d.count; i += global_threads()) {
    const int pixel = d.runs.quotient(int(i)), c = (int(i) - pixel * d.runs.value()) * V;
    const int line = b.width.quotient(pixel), image = b.height.quotient(line);
    Sum<T> sums[V] = {};
    for (int u = 0; u < d.kh; ++u) {
      const int y = reader_of(b, line - image * b.height.value(), u, b.out_height);
      for (int v = 0; y >= 0 && v < d.kw; ++v) {
        const int x = reader_of(b, pixel - line * b.width.value(), v, b.out_width);
        if (x < 0) continue;
        const T* from = dy + ((int64_t(image) * b.out_height + y) * b.out_width + x) * d.outputs;
        for (int k = 0; k < d.multiplier; ++k) {
          const int o = c * d.multiplier + k;
          const Pack<T, V> in = load_pack<V>(from + o);
#pragma unroll
          for (int e = 0; e < V; ++e)
            sums[e] += Sum<T>(in[e]) * Sum<T>(w[int64_t(o + e) * taps + u * d.kw + v]);
        }
      }
    }
    Pack<T, V> out;
#pragma unroll
    for (int e = 0; e < V; ++e) out[e] = T(sums[e] + (bias ? Sum<T>(bias[c + e]) : Sum<T>(0)));
    store_pack(static_cast<T*>(d.out) + int64_t(pixel) * (d.runs.value() * V) + c, out);
  }
}

/// Calls f(T{}, width) for the type and the vector width of a depthwise kernel.
template <class F>
void with_depthwise(DType type, bool by_fours, F&& f) {
  using One = std::integral_constant<int, 1>;
  using Four = std::integral_constant<int, 4>;
  with_real(type, [&](auto t) { by_fours ? f(t, Four{}) : f(t, One{}); });
}

struct PixelSums {
  static constexpr int Channels = 32, Lanes = 8;
  template <class A>
  struct Shared {
    A of[Lanes][Channels];
  };
};

/// part[s][o * taps + tap] = sum over part s of the positions of dy[p, o] x[p + tap, o's channel],
/// or of dy alone if x is null. Grid: channels / 32, taps, parts.
template <class T>
CAIRN_KERNEL void pixel_sums(const T* dy, const T* x, Patches patches, int multiplier,
                             int64_t outputs, int positions, int per_part, Sum<T>* part) {
  auto& s = shared<PixelSums::Shared<Sum<T>>>();
  const int channel = int(threadIdx.x) % PixelSums::Channels;
  const int lane = int(threadIdx.x) / PixelSums::Channels;
  const int o = int(blockIdx.x) * PixelSums::Channels + channel;
  const int tap = int(blockIdx.y), taps = int(gridDim.y);
  const int begin = int(blockIdx.z) * per_part;
  const int end = positions - begin < per_part ? positions : begin + per_part;

  Sum<T> sum = 0;
  if (o < outputs) {
    const PatchPlace column = patches.column(tap);
    for (int p = begin + lane; p < end; p += PixelSums::Lanes) {
      const Sum<T> d = Sum<T>(dy[p * outputs + o]);
      const int64_t at = x ? patches.at(patches.row(p), column) : 0;
      if (at >= 0) sum += x ? d * Sum<T>(x[at + o / multiplier]) : d;
    }
  }
  s.of[lane][channel] = sum;
  sync_threads();
  if (lane == 0 && o < outputs) {
    for (int i = 1; i < PixelSums::Lanes; ++i) sum += s.of[i][channel];
    part[int64_t(blockIdx.z) * outputs * taps + int64_t(o) * taps + tap] = sum;
  }
}

}  // namespace cairn::CAIRN_NS
