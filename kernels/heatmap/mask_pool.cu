// mask_pool: for every image a product of mask and features over the pixels, and its two gradients.
//
//   pooled    [K,S]  = mask^T [K,HW] times features [HW,S], HW in parts; then divided by the mass
//   dfeatures [HW,S] = mask [HW,K]     times q [K,S]
//   dmask     [HW,K] = features [HW,S] times q^T [S,K], plus the bias -<q_k, pooled_k>
//
//   Launch    products as in kernels/gemm/gemm.cu, an image is a group; the mass: reduce, merge the
//             slices (over_pixels.h); q and the bias: a warp for each mask.
//   Traffic   forward 4 (2K + S) B a pixel, backward 8 (K + S): each side of a product once (the
//             smaller one again for every 32 or 64 columns of C, from L2); floor = that /
//             bandwidth.
//   Work      2 K S flop a pixel forward, 4 K S backward; a tile pads K and S to 32.
//   Repeats   bitwise: one writer per element, parts cut by the shape alone, added in order.
#include "kernels/heatmap/mask_pool.h"

#include "kernels/gemm/tiled_product.h"
#include "kernels/heatmap/over_pixels.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T>
struct MaskMass {
  struct State {
    T sum;
  };
  struct Constants {};
  const T* mask;
  T* mass;

  CAIRN_DEVICE_MEMBER Constants load(int64_t) const { return {}; }
  CAIRN_DEVICE_MEMBER State none() const { return {0}; }
  CAIRN_DEVICE_MEMBER void add(State& s, Constants, int, int, int64_t at) const {
    s.sum += mask[at];
  }
  CAIRN_DEVICE_MEMBER void merge(State& a, const State& b) const { a.sum += b.sum; }
  CAIRN_DEVICE_MEMBER void finish(int64_t map, const State& s) const {
    mass[map] = s.sum + T(mask_pool_epsilon);
  }
};

template <class T>
CAIRN_KERNEL void divide_by_mass_kernel(const T* mass, int64_t channels, int64_t count, T* pooled) {
  for (int64_t i = global_thread(); i < count; i += global_threads())
    pooled[i] /= mass[i / channels];
}

// A warp takes a mask: q = dpooled / mass, and the bias -<q, pooled>.
template <class T>
CAIRN_KERNEL void upstream_kernel(const T* pooled, const T* mass, const T* dpooled,
                                  int64_t channels, T* q, T* bias) {
  const int64_t row = blockIdx.x;
  T sum = 0;
  for (int64_t i = row * channels + threadIdx.x; i < (row + 1) * channels; i += 32) {
    q[i] = dpooled[i] / mass[row];
    sum += q[i] * pooled[i];
  }
  sum = warp_sum(sum);
  if (threadIdx.x == 0) bias[row] = -sum;
}

/// One matrix for each image, `columns` wide; images are the groups of a product.
Patches matrices(const Tensor& t, int64_t columns) {
  Patches p = matrix(t.raw(), columns, columns);
  p.group_stride = t.count() / std::max<int64_t>(t.dim(0), 1);
  return p;
}

/// The product of every image, m x n over k, into c.
void multiply_images(Product p, int64_t m, int64_t n, int64_t k, Tensor& c, bool may_split) {
  p.m = index_count(m);
  p.n = index_count(n);
  p.k = index_count(k);
  p.groups = index_count(c.dim(0));
  p.c_group = m * n;
  p.c_row = n;
  multiply(p, c, may_split);
}

}  // namespace

void mask_pool(const Tensor& mask, const Tensor& features, Tensor& pooled, Tensor& mass) {
  const int64_t pixels = mask.dim(1) * mask.dim(2), K = mask.dim(3), S = features.dim(3);
  Product p;
  p.a = matrices(mask, K);
  p.b = matrices(features, S);
  p.a_by_columns = p.b_by_columns = true;
  multiply_images(p, K, S, pixels, pooled, true);
  with_float(mask.dtype(), [&](auto type) {
    using T = decltype(type);
    reduce_pixels("mask_pool", PixelGrid(mask.shape()), MaskMass<T>{mask.data<T>(), mass.data<T>()},
                  mask.device());
    launch("mask_pool", divide_by_mass_kernel<T>, blocks_for(pooled.count(), 256), 256, 0,
           mass.data<T>(), S, pooled.count(), pooled.data<T>());
  });
}

void mask_pool_backward(const Tensor& mask, const Tensor& features, const Tensor& pooled,
                        const Tensor& mass, const Tensor& dpooled, Tensor* dmask,
                        Tensor* dfeatures) {
  const int64_t pixels = mask.dim(1) * mask.dim(2), K = mask.dim(3), S = features.dim(3);
  Tensor q = dpooled.empty_like(), bias = mass.empty_like();
  with_float(mask.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("mask_pool_backward", upstream_kernel<T>, Dim3(mass.count()), 32, 0, pooled.data<T>(),
           mass.data<T>(), dpooled.data<T>(), S, q.data<T>(), bias.data<T>());
  });
  if (dfeatures) {
    Product p;
    p.a = matrices(mask, K);
    p.b = matrices(q, S);
    p.b_by_columns = true;
    multiply_images(p, pixels, S, K, *dfeatures, false);
  }
  if (dmask) {
    Product p;
    p.a = matrices(features, S);
    p.b = matrices(q, S);
    p.bias = bias.raw();
    multiply_images(p, pixels, K, S, *dmask, false);
  }
}

}  // namespace cairn::CAIRN_NS
