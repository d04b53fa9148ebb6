// bias_activation: y = act(x + bias), and its gradients.
//
//   Launch    with a bias: threads along the channels, which keep their bias, and down the rows;
//             without: one thread per 16 bytes (per element where they do not divide so), 256 per
//             block, grid-stride. dbias: partial sums of at most 512 blocks, then one block per 32
//             channels.
//   Traffic   forward 8 B per element, backward 12 B; in bf16 half of that: bandwidth-bound;
//             floor = that * count / bandwidth. Up to 10 flops, and an exp and a log per element
//             where act has them.
//   Repeats   bitwise: every element has one writer; the sums' order follows from the shape.
#include "kernels/elementwise/bias_activation.h"

#include "kernels/activation.h"
#include "kernels/column_sums_device.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T, Activation act, int V>
CAIRN_KERNEL void activation_kernel(const T* x, Sum<T> slope, T* y, int64_t packs) {
  for (int64_t i = global_thread(); i < packs; i += global_threads()) {
    Pack<Sum<T>, V> p = load_wide<V>(x + i * V);
    for (int v = 0; v < V; ++v) p[v] = activate<act>(p[v], slope);
    store_rounded(y + i * V, p);
  }
}

template <class T, Activation act, int V>
CAIRN_KERNEL void bias_activation_kernel(const T* x, const Sum<T>* bias, Sum<T> slope, T* y,
                                         int64_t rows, int64_t C) {
  const int64_t c = own_column<V>();
  if (c >= C) return;
  const Pack<Sum<T>, V> b = load_pack<V>(bias + c);
  for (int64_t r = first_row(); r < rows; r += row_stride()) {
    Pack<Sum<T>, V> p = load_wide<V>(x + r * C + c);
    for (int v = 0; v < V; ++v) p[v] = activate<act>(p[v] + b[v], slope);
    store_rounded(y + r * C + c, p);
  }
}

template <class T, Activation act, int V>
CAIRN_KERNEL void activation_backward_kernel(const T* y, const T* dy, Sum<T> slope, T* dx,
                                             int64_t packs) {
  for (int64_t i = global_thread(); i < packs; i += global_threads()) {
    const Pack<Sum<T>, V> p = load_wide<V>(y + i * V);
    Pack<Sum<T>, V> d = load_wide<V>(dy + i * V);
    for (int v = 0; v < V; ++v) d[v] *= activation_derivative<act>(p[v], slope);
    store_rounded(dx + i * V, d);
  }
}

// dx in passing (unless null), and the terms of dbias.
template <class T, Activation act, int V>
struct BackwardTerms {
  const T *y, *dy;
  Sum<T> slope;
  T* dx;
  int64_t C;
  CAIRN_DEVICE_MEMBER void operator()(int64_t r, int64_t c, Sum<T> (&acc)[V]) const {
    const Pack<Sum<T>, V> p = load_wide<V>(y + r * C + c);
    Pack<Sum<T>, V> d = load_wide<V>(dy + r * C + c);
    for (int v = 0; v < V; ++v) acc[v] += d[v] *= activation_derivative<act>(p[v], slope);
    if (dx) store_rounded(dx + r * C + c, d);
  }
};

template <class T>
struct StoreBias {
  T* dbias;
  CAIRN_DEVICE_MEMBER void operator()(int64_t c, const T (&sums)[1]) const { dbias[c] = sums[0]; }
};

}  // namespace

void bias_activation(const Tensor& x, const Tensor* bias, Activation act, float slope, Tensor& y) {
  const int64_t C = bias ? x.dim(-1) : x.count();
  with_activation(act, [&](auto kind) {
    with_real_packs(y.dtype(), C, [&](auto type, auto pack_size) {
      using T = decltype(type);
      using A = Sum<T>;
      constexpr int V = pack_size();
      if (!bias) {
        launch("bias_activation", activation_kernel<T, kind(), V>, blocks_for(C / V, 256), 256, 0,
               x.data<T>(), A(slope), y.data<T>(), C / V);
        return;
      }
      const int64_t rows = C ? x.count() / C : 0;
      const ColumnGrid g = column_grid<V>(rows, C, 4, 65535);
      launch("bias_activation", bias_activation_kernel<T, kind(), V>, g.grid, g.block, 0,
             x.data<T>(), bias->data<A>(), A(slope), y.data<T>(), rows, C);
    });
  });
}

void bias_activation_backward(const Tensor& y, const Tensor& dy, Activation act, float slope,
                              Tensor* dx, Tensor* dbias) {
  if (!dx && !dbias) return;
  const int64_t C = dbias ? y.dim(-1) : y.count();
  with_activation(act, [&](auto kind) {
    with_real_packs(y.dtype(), C, [&](auto type, auto pack_size) {
      using T = decltype(type);
      using A = Sum<T>;
      constexpr int V = pack_size();
      T* out = dx ? dx->data<T>() : nullptr;
      if (!dbias) {
        launch("bias_activation_backward", activation_backward_kernel<T, kind(), V>,
               blocks_for(C / V, 256), 256, 0, y.data<T>(), dy.data<T>(), A(slope), out, C / V);
        return;
      }
      const BackwardTerms<T, kind(), V> terms{y.data<T>(), dy.data<T>(), A(slope), out, C};
      column_sums<A, 1, V>("bias_activation_backward", C ? y.count() / C : 0, C, terms,
                           StoreBias<A>{dbias->data<A>()}, *dbias);
    });
  });
}

}  // namespace cairn::CAIRN_NS
