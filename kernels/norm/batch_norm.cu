// batch_norm: statistics over the rows, normalisation, and both backwards.
//
//   Launch    threads along the channels (16 bytes each where C allows) and down the rows.
//             training    partial moments of at most 512 blocks; one block per 32 channels merges
//                         them; then the normalisation
//             backward    partial sums likewise, then dx
//   Traffic   training 12 B per element, evaluation 8 B, backward 20 B; in bf16 half of that:
//             bandwidth-bound; floor = that * count / bandwidth. About 6 flops per element and
//             pass.
//   Repeats   bitwise: every element has one writer; the order of sums and merges follows from the
//             shape.
//   Accuracy  a thread sums differences from its first value, so that a mean far from zero cancels
//             nothing; threads and blocks are merged as (count, mean, squared deviations) (Chan,
//             Golub, LeVeque 1979). bf16 is rounded once, as y and dx are written.
#include "kernels/norm/batch_norm.h"

#include <cmath>

#include "kernels/column_sums_device.h"
#include "kernels/norm/batch_norm_parts.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T, int V>
struct MomentScratch {
  Moments<T> v[V][256];
};

// Merges each of a thread's values over the rows of its block; row 0 gets the results.
template <class T, int V>
CAIRN_DEVICE void merge_down_block(Moments<T> (&values)[V]) {
  auto& scratch = shared<MomentScratch<T, V>>();
  const int own = thread_rank();
  for (int v = 0; v < V; ++v) scratch.v[v][own] = values[v];
  for (int half = blockDim.y / 2; half > 0; half /= 2) {
    sync_threads();
    if (int(threadIdx.y) < half)
      for (int v = 0; v < V; ++v)
        scratch.v[v][own] = merged(scratch.v[v][own], scratch.v[v][own + half * blockDim.x]);
  }
  for (int v = 0; v < V; ++v) values[v] = scratch.v[v][own];
}

// partial[block, c] of the block's rows.
template <class T, int V>
CAIRN_KERNEL void partial_moments_kernel(const T* x, int64_t rows, int64_t C,
                                         Moments<Sum<T>>* partial) {
  using A = Sum<T>;
  const int64_t c = own_column<V>();
  Moments<A> own[V] = {};
  if (c < C && first_row() < rows) {
    const Pack<A, V> pivot = load_wide<V>(x + first_row() * C + c);
    A n = 0, sum[V] = {}, squares[V] = {};
    for (int64_t r = first_row(); r < rows; r += row_stride()) {
      const Pack<A, V> p = load_wide<V>(x + r * C + c);
      for (int v = 0; v < V; ++v) {
        const A d = p[v] - pivot[v];
        sum[v] += d;
        squares[v] += d * d;
      }
      ++n;
    }
    for (int v = 0; v < V; ++v) {
      const A off = sum[v] / n;
      own[v] = {n, pivot[v] + off, std::fmax(squares[v] - sum[v] * off, A(0))};
    }
  }
  merge_down_block(own);
  if (threadIdx.y != 0 || c >= C) return;
  for (int v = 0; v < V; ++v) partial[int64_t(blockIdx.x) * C + c + v] = own[v];
}

template <class T>
struct Running {
  T *mean, *var;
};

template <class T>
CAIRN_KERNEL void merge_moments_kernel(const Moments<T>* partial, int64_t parts, int64_t C, T eps,
                                       T momentum, T* mean, T* invstd, Running<T> running) {
  const int64_t c = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  Moments<T> own[1] = {};
  if (c < C)
    for (int64_t p = threadIdx.y; p < parts; p += blockDim.y)
      own[0] = merged(own[0], partial[p * C + c]);
  merge_down_block(own);
  if (threadIdx.y != 0 || c >= C) return;
  const Moments<T> all = own[0];
  mean[c] = all.mean;
  invstd[c] = 1 / std::sqrt(all.m2 / std::fmax(all.n, T(1)) + eps);
  if (all.n == 0) return;
  const T unbiased = all.m2 / std::fmax(all.n - 1, T(1));
  running.mean[c] = (1 - momentum) * running.mean[c] + momentum * all.mean;
  running.var[c] = (1 - momentum) * running.var[c] + momentum * unbiased;
}

template <class T>
CAIRN_KERNEL void from_running_kernel(const T* running_mean, const T* running_var, int64_t C, T eps,
                                      T* mean, T* invstd) {
  for (int64_t c = global_thread(); c < C; c += global_threads()) {
    mean[c] = running_mean[c];
    invstd[c] = 1 / std::sqrt(running_var[c] + eps);
  }
}

template <class T, int V, Activation act, class A = Sum<T>>
CAIRN_KERNEL void normalise_kernel(const T* x, const A* gamma, const A* beta, const A* mean,
                                   const A* invstd, A slope, T* y, int64_t rows, int64_t C) {
  const int64_t c = own_column<V>();
  if (c >= C) return;
  const Pack<A, V> m = load_pack<V>(mean + c), b = load_pack<V>(beta + c);
  const Pack<A, V> g = load_pack<V>(gamma + c), is = load_pack<V>(invstd + c);
  for (int64_t r = first_row(); r < rows; r += row_stride()) {
    Pack<A, V> p = load_wide<V>(x + r * C + c);
    for (int v = 0; v < V; ++v) p[v] = activate<act>((p[v] - m[v]) * (g[v] * is[v]) + b[v], slope);
    store_rounded(y + r * C + c, p);
  }
}

// dz from dy, where x is `off` away from the mean.
template <Activation act, class A>
CAIRN_DEVICE A through_act(A dy, A off, A scale, A beta, A slope) {
  return dy * activation_derivative<act>(activate<act>(off * scale + beta, slope), slope);
}

// dz and dz (x - mean).
template <class T, int V, Activation act, class A = Sum<T>>
struct BackwardTerms {
  const T *x, *dy;
  const A *gamma, *beta, *mean, *invstd;
  A slope;
  int64_t C;
  CAIRN_DEVICE_MEMBER void operator()(int64_t r, int64_t c, A (&acc)[2 * V]) const {
    const Pack<A, V> p = load_wide<V>(x + r * C + c), d = load_wide<V>(dy + r * C + c);
    const Pack<A, V> m = load_pack<V>(mean + c), b = load_pack<V>(beta + c);
    const Pack<A, V> g = load_pack<V>(gamma + c), is = load_pack<V>(invstd + c);
    for (int v = 0; v < V; ++v) {
      const A off = p[v] - m[v], dz = through_act<act>(d[v], off, g[v] * is[v], b[v], slope);
      acc[v] += dz;
      acc[V + v] += dz * off;
    }
  }
};

template <class T>
struct StoreGradients {
  const T* invstd;
  T *dgamma, *dbeta;
  CAIRN_DEVICE_MEMBER void operator()(int64_t c, const T (&sums)[2]) const {
    dbeta[c] = sums[0];
    dgamma[c] = sums[1] * invstd[c];
  }
};

// dx = gamma invstd (dz - shift - (x - mean) tilt) + add, unless that is null; shift and tilt are
// 0 where the statistics were not those of the batch (share = 0, else 1/R).
template <class T, int V, Activation act, class A = Sum<T>>
CAIRN_KERNEL void dx_kernel(const T* x, const T* dy, const A* gamma, const A* beta, const A* mean,
                            const A* invstd, A slope, const A* dgamma, const A* dbeta, A share,
                            const T* add, T* dx, int64_t rows, int64_t C) {
  const int64_t c = own_column<V>();
  if (c >= C) return;
  const Pack<A, V> m = load_pack<V>(mean + c), b = load_pack<V>(beta + c);
  A scale[V], shift[V], tilt[V];
  for (int v = 0; v < V; ++v) {
    const A is = invstd[c + v];
    scale[v] = gamma[c + v] * is;
    shift[v] = dbeta[c + v] * share;
    tilt[v] = dgamma[c + v] * is * share;
  }
  for (int64_t r = first_row(); r < rows; r += row_stride()) {
    const Pack<A, V> p = load_wide<V>(x + r * C + c);
    Pack<A, V> d = load_wide<V>(dy + r * C + c);
    for (int v = 0; v < V; ++v) {
      const A off = p[v] - m[v], dz = through_act<act>(d[v], off, scale[v], b[v], slope);
      d[v] = scale[v] * (dz - shift[v] - off * tilt[v]);
    }
    if (add) {
      const Pack<A, V> more = load_wide<V>(add + r * C + c);
      for (int v = 0; v < V; ++v) d[v] += more[v];
    }
    store_rounded(dx + r * C + c, d);
  }
}

}  // namespace

void batch_norm_apply(const Tensor& x, const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                      const Tensor& invstd, Activation act, float slope, Tensor& y) {
  const int64_t C = x.dim(-1), rows = C ? x.count() / C : 0;
  with_real_packs(x.dtype(), C, [&](auto type, auto pack_size) {
    using T = decltype(type);
    using A = Sum<T>;
    constexpr int V = pack_size();
    const ColumnGrid g = column_grid<V>(rows, C, 4, 65535);
    with_rectifier(act, [&](auto kind) {
      launch("batch_norm", normalise_kernel<T, V, kind()>, g.grid, g.block, 0, x.data<T>(),
             gamma.data<A>(), beta.data<A>(), mean.data<A>(), invstd.data<A>(), A(slope),
             y.data<T>(), rows, C);
    });
  });
}

Tensor partial_moments(const Tensor& x) {
  const int64_t C = x.dim(-1), rows = C ? x.count() / C : 0;
  Tensor partial;
  with_real_packs(x.dtype(), C, [&](auto type, auto pack_size) {
    using T = decltype(type);
    using A = Sum<T>;
    constexpr int V = pack_size();
    const ColumnGrid g = column_grid<V>(rows, C, 16, 512);
    partial = Tensor::empty({g.grid.x, C, 3}, sum_type(x.dtype()), x.device());
    launch("batch_norm", partial_moments_kernel<T, V>, g.grid, g.block, 0, x.data<T>(), rows, C,
           reinterpret_cast<Moments<A>*>(partial.data<A>()));
  });
  return partial;
}

void finish_moments(const Tensor& partial, const BatchNormOptions& options, Tensor& running_mean,
                    Tensor& running_var, Tensor& mean, Tensor& invstd) {
  const int64_t parts = partial.dim(0), C = partial.dim(1);
  with_float(mean.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("batch_norm", merge_moments_kernel<T>, Dim3((C + 31) / 32), Dim3(32, 8), 0,
           reinterpret_cast<const Moments<T>*>(partial.data<T>()), parts, C, T(options.eps),
           T(options.momentum), mean.data<T>(), invstd.data<T>(),
           Running<T>{running_mean.data<T>(), running_var.data<T>()});
  });
}

void running_moments(const BatchNormOptions& options, const Tensor& running_mean,
                     const Tensor& running_var, Tensor& mean, Tensor& invstd) {
  const int64_t C = mean.count();
  with_float(mean.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("batch_norm", from_running_kernel<T>, blocks_for(C, 256), 256, 0, running_mean.data<T>(),
           running_var.data<T>(), C, T(options.eps), mean.data<T>(), invstd.data<T>());
  });
}

void batch_norm_training(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                         const BatchNormOptions& options, Tensor& running_mean, Tensor& running_var,
                         Tensor& mean, Tensor& invstd, Tensor& y) {
  finish_moments(partial_moments(x), options, running_mean, running_var, mean, invstd);
  CAIRN_NS::batch_norm_apply(x, gamma, beta, mean, invstd, options.act, options.slope, y);
}

void batch_norm_evaluation(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                           const BatchNormOptions& options, const Tensor& running_mean,
                           const Tensor& running_var, Tensor& mean, Tensor& invstd, Tensor& y) {
  running_moments(options, running_mean, running_var, mean, invstd);
  CAIRN_NS::batch_norm_apply(x, gamma, beta, mean, invstd, options.act, options.slope, y);
}

void finish_gradients(const Tensor& partial, const Tensor& invstd, Tensor& dgamma, Tensor& dbeta) {
  const int64_t parts = partial.dim(0), C = invstd.count();
  with_float(invstd.dtype(), [&](auto type) {
    using T = decltype(type);
    const StoreGradients<T> store{invstd.data<T>(), dgamma.data<T>(), dbeta.data<T>()};
    launch("batch_norm_backward", column_finish_kernel<T, 2, StoreGradients<T>>,
           Dim3((C + 31) / 32), Dim3(32, 8), 0, store, partial.data<T>(), parts, C);
  });
}

void norm_backward(const Tensor& x, const Tensor& dy, const Tensor& gamma, const Tensor& beta,
                   const Tensor& mean, const Tensor& invstd, Activation act, float slope,
                   Statistics statistics, const Tensor& dgamma, const Tensor& dbeta,
                   const Tensor* add, Tensor& dx) {
  const int64_t C = x.dim(-1), rows = C ? x.count() / C : 0;
  with_real_packs(x.dtype(), C, [&](auto type, auto pack_size) {
    using T = decltype(type);
    using A = Sum<T>;
    constexpr int V = pack_size();
    const A share = statistics == Statistics::batch ? 1 / A(std::max<int64_t>(rows, 1)) : A(0);
    const ColumnGrid g = column_grid<V>(rows, C, 4, 65535);
    with_rectifier(act, [&](auto kind) {
      launch("batch_norm_backward", dx_kernel<T, V, kind()>, g.grid, g.block, 0, x.data<T>(),
             dy.data<T>(), gamma.data<A>(), beta.data<A>(), mean.data<A>(), invstd.data<A>(),
             A(slope), dgamma.data<A>(), dbeta.data<A>(), share, add ? add->data<T>() : nullptr,
             dx.data<T>(), rows, C);
    });
  });
}

void batch_norm_backward(const Tensor& x, const Tensor& dy, const Tensor& gamma, const Tensor& beta,
                         const Tensor& mean, const Tensor& invstd, Activation act, float slope,
                         Statistics statistics, Tensor* dx, Tensor& dgamma, Tensor& dbeta) {
  const int64_t C = x.dim(-1), rows = C ? x.count() / C : 0;
  with_real_packs(x.dtype(), C, [&](auto type, auto pack_size) {
    using T = decltype(type);
    using A = Sum<T>;
    constexpr int V = pack_size();
    with_rectifier(act, [&](auto kind) {
      const BackwardTerms<T, V, kind()> terms{
          x.data<T>(),    dy.data<T>(),     gamma.data<A>(), beta.data<A>(),
          mean.data<A>(), invstd.data<A>(), A(slope),        C};
      const StoreGradients<A> store{invstd.data<A>(), dgamma.data<A>(), dbeta.data<A>()};
      column_sums<A, 2, V>("batch_norm_backward", rows, C, terms, store, invstd);
    });
  });
  if (dx)
    norm_backward(x, dy, gamma, beta, mean, invstd, act, slope, statistics, dgamma, dbeta, nullptr,
                  *dx);
}

}  // namespace cairn::CAIRN_NS
