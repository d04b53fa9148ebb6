#pragma once
// The 1x1 convolutions of a residual block on the CPU: products with a rectified norm on their way
// in, and a step of the caller's on each block of rows while it is in the cache.
#include "kernels/gemm/product.h"
#include "kernels/norm/norm_rows.h"

namespace cairn {

/// y [rows,N] = act(z B + bias + add), z = the norm of x [rows,K], or x.
template <class T>
struct NormedProduct {
  const T* x;
  int64_t rows;
  const ChannelNorm<T>* norm;  ///< null: none
  const Panels<T>& b;          ///< [K,N]
  T* y;
  int64_t N;
  const T* bias = nullptr;
  const T* add = nullptr;
  Activation act = Activation::none;

  static int64_t rows_per_part() { return 8 * tile_rows(); }
  int64_t parts() const { return (rows + rows_per_part() - 1) / rows_per_part(); }
};

/// after(part, first row, rows) is called when these rows of y are complete, from several threads.
template <class T, class After>
void multiply(const NormedProduct<T>& k, After&& after) {
  const int64_t most = k.rows_per_part(), columns = 256, K = k.b.K();
  parallel_for(k.parts(), 1, [&](int64_t begin, int64_t end) {
    Tensor memory = Tensor::empty({k.norm ? most * K : 0}, DTypeOf<T>::value);
    for (int64_t part = begin; part < end; ++part) {
      const int64_t first = part * most, rows = std::min(most, k.rows - first);
      const T* a = k.x + first * K;
      if (k.norm) {
        const NormRows<T> z{a, K, rows, K, *k.norm, memory.data<T>(), K, panel_width<T>()};
        CAIRN_ISA_CALL(normalise, z);
        a = z.z;
      }
      Block<T> block;
      block.M = rows;
      block.a = a;
      block.a_row = K;
      block.c_row = k.N;
      block.finish = true;
      block.act = k.act;
      for (int64_t n = 0; n < k.N; n += columns) {
        block.N = std::min(columns, k.N - n);
        block.c = k.y + first * k.N + n;
        block.bias = k.bias ? k.bias + n : nullptr;
        block.add = k.add ? k.add + first * k.N + n : nullptr;
        multiply_blocks(block, k.b, n);
      }
      after(part, first, rows);
    }
  });
}

template <class T>
void multiply(const NormedProduct<T>& k) {
  multiply(k, [](int64_t, int64_t, int64_t) {});
}

/// dw [O,C] = the sum over rows of dy [rows,O] times z [rows,C], the norm of x.
template <class T>
void normed_weights_gradient(const T* dy, int64_t O, const T* x, int64_t C, int64_t rows,
                             const ChannelNorm<T>& norm, T* dw) {
  outer_product_of_panels(
      O, C, rows, dy, O, dw, [&](int64_t k0, int64_t k1, int64_t n0, int64_t columns, T* panels) {
        const ChannelNorm<T> part{norm.mean + n0, norm.scale + n0, norm.beta + n0, norm.act,
                                  norm.slope};
        const int64_t width = panel_width<T>();
        const NormRows<T> z{x + k0 * C + n0, C,     k1 - k0,          columns, part,
                            panels,          width, (k1 - k0) * width};
        CAIRN_ISA_CALL(normalise, z);
      });
}

}  // namespace cairn
