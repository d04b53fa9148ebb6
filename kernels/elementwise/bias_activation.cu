// bias_activation: y = act(x + bias), and its gradients.
//
//   Launch    with a bias: threads along the channels, which keep their bias, and down the rows;
//             without: one thread per four elements (per one where their number is no multiple of
//             four), 256 per block, grid-stride. dbias: partial sums of at most 512 blocks, then
//             one block per 32 channels.
//   Traffic   forward 8 B per element, backward 12 B: bandwidth-bound; floor = that * count /
//             bandwidth. Up to 10 flops, and an exp and a log per element where act has them.
//   Repeats   bitwise: every element has one writer; the sums' order follows from the shape.
#include "kernels/elementwise/bias_activation.h"

#include "kernels/activation.h"
#include "kernels/column_sums_device.h"

namespace cairn::CAIRN_NS {
namespace {

template <Activation act, int V>
CAIRN_KERNEL void activation_kernel(const float* x, float slope, float* y, int64_t packs) {
  for (int64_t i = global_thread(); i < packs; i += global_threads()) {
    Pack<float, V> p = load_pack<V>(x + i * V);
    for (int v = 0; v < V; ++v) p[v] = activate<act>(p[v], slope);
    store_pack(y + i * V, p);
  }
}

template <Activation act, int V>
CAIRN_KERNEL void bias_activation_kernel(const float* x, const float* bias, float slope, float* y,
                                         int64_t rows, int64_t C) {
  const int64_t c = own_column<V>();
  if (c >= C) return;
  const Pack<float, V> b = load_pack<V>(bias + c);
  for (int64_t r = first_row(); r < rows; r += row_stride()) {
    Pack<float, V> p = load_pack<V>(x + r * C + c);
    for (int v = 0; v < V; ++v) p[v] = activate<act>(p[v] + b[v], slope);
    store_pack(y + r * C + c, p);
  }
}

template <Activation act, int V>
CAIRN_KERNEL void activation_backward_kernel(const float* y, const float* dy, float slope,
                                             float* dx, int64_t packs) {
  for (int64_t i = global_thread(); i < packs; i += global_threads()) {
    const Pack<float, V> p = load_pack<V>(y + i * V);
    Pack<float, V> d = load_pack<V>(dy + i * V);
    for (int v = 0; v < V; ++v) d[v] *= activation_derivative<act>(p[v], slope);
    store_pack(dx + i * V, d);
  }
}

// dx in passing (unless null), and the terms of dbias.
template <Activation act, int V>
struct BackwardTerms {
  const float *y, *dy;
  float slope;
  float* dx;
  int64_t C;
  CAIRN_DEVICE_MEMBER void operator()(int64_t r, int64_t c, float (&acc)[V]) const {
    const Pack<float, V> p = load_pack<V>(y + r * C + c);
    Pack<float, V> d = load_pack<V>(dy + r * C + c);
    for (int v = 0; v < V; ++v) acc[v] += d[v] *= activation_derivative<act>(p[v], slope);
    if (dx) store_pack(dx + r * C + c, d);
  }
};

struct StoreBias {
  float* dbias;
  CAIRN_DEVICE_MEMBER void operator()(int64_t c, const float (&sums)[1]) const {
    dbias[c] = sums[0];
  }
};

}  // namespace

void bias_activation(const Tensor& x, const Tensor* bias, Activation act, float slope, Tensor& y) {
  const int64_t C = bias ? x.dim(-1) : x.count();
  with_activation(act, [&](auto kind) {
    with_pack_size(C, [&](auto pack_size) {
      constexpr int V = pack_size();
      if (!bias) {
        launch("bias_activation", activation_kernel<kind(), V>, blocks_for(C / V, 256), 256, 0,
               x.data<float>(), slope, y.data<float>(), C / V);
        return;
      }
      const int64_t rows = C ? x.count() / C : 0;
      const ColumnGrid g = column_grid<V>(rows, C, 4, 65535);
      launch("bias_activation", bias_activation_kernel<kind(), V>, g.grid, g.block, 0,
             x.data<float>(), bias->data<float>(), slope, y.data<float>(), rows, C);
    });
  });
}

void bias_activation_backward(const Tensor& y, const Tensor& dy, Activation act, float slope,
                              Tensor* dx, Tensor* dbias) {
  if (!dx && !dbias) return;
  const int64_t C = dbias ? y.dim(-1) : y.count();
  float* out = dx ? dx->data<float>() : nullptr;
  with_activation(act, [&](auto kind) {
    with_pack_size(C, [&](auto pack_size) {
      constexpr int V = pack_size();
      if (!dbias) {
        launch("bias_activation_backward", activation_backward_kernel<kind(), V>,
               blocks_for(C / V, 256), 256, 0, y.data<float>(), dy.data<float>(), slope, out,
               C / V);
        return;
      }
      const BackwardTerms<kind(), V> terms{y.data<float>(), dy.data<float>(), slope, out, C};
      column_sums<1, V>("bias_activation_backward", C ? y.count() / C : 0, C, terms,
                        StoreBias{dbias->data<float>()}, y);
    });
  });
}

}  // namespace cairn::CAIRN_NS
