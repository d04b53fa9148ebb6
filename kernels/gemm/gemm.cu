// gemm, and the product beneath every convolution (tiled_product.h).
//
//   Launch    float32, float64 and any bf16 that is not aligned: ffma_tile.cuh, 128x64 of C (64x128
//             for weight gradients, whose m is the smaller side) by 128 threads; 32x32 by 64
//             threads where the large tile would leave cores idle, and for all but float32. bf16
//             with runs of 8, and float32 with runs of 4 where tf32_products(): mma_tile.cuh,
//             128x128 by 256 threads, 128x64 (64x128) by 128. Each of them alone, or with the steps
//             of a residual block at its ends.
//   Traffic   reads a once per column of tiles and b once per row of tiles, mostly from L2.
//   Work      2 m n k flop per group. Floor: the larger of flop / peak (FFMA or tensor cores) and
//             (a + b + c) bytes / bandwidth.
//   Splits    when the tiles are few and k is long (weight gradients), k is cut into parts by the
//             shape alone; parts are summed into a workspace (float32 for bf16) and added in order.
//   Repeats   bitwise: one writer per element, sums in a fixed order.
//   Tried     8 of k per step in the float32 tile instead of 16: simt takes 1.5 times as long
//             (twice the barriers).
//
// On cuda, cuBLASLt computes plain products (gemm, 1x1 convolutions) where it can be opened
// (runtime/cuda_blas.h).
#include "kernels/gemm/gemm.h"

#include <algorithm>

#include "kernels/gemm/ffma_tile.cuh"
#include "kernels/gemm/mma_tile.cuh"
#include "runtime/arithmetic.h"
#include "runtime/cuda_blas.h"

namespace cairn::CAIRN_NS {
namespace {

using Large = FfmaTile<128, 64, 8, 8>;
using LargeWide = FfmaTile<64, 128, 8, 8>;
using NormedWide = FfmaTile<64, 128, 8, 8, 8>;  ///< with 16 of k it spills on sm_100 to sm_120
using Small = FfmaTile<32, 32, 4, 4>;

template <class T>
using MmaTall = MmaTile<T, 2, 2>;
template <class T>
using MmaSquare = MmaTile<T, 2, 4>;  ///< as many rows
template <class T>
using MmaWide = MmaTile<T, 1, 4>;

constexpr int64_t enough_blocks = 128;  ///< as many as a large GPU has multiprocessors

int64_t tiles(const Product& p, int tile_m, int tile_n) {
  return int64_t((p.m + tile_m - 1) / tile_m) * ((p.n + tile_n - 1) / tile_n) * p.groups;
}

int64_t large_tiles(const Product& p) {
  return p.a_by_columns ? tiles(p, LargeWide::M, LargeWide::N) : tiles(p, Large::M, Large::N);
}

bool both_transposed(const Product& p) {  // rare: one tile serves it
  return p.a_by_columns && !p.b_by_columns;
}

bool takes_mma_tile(const Product& p, DType type) {
  const bool cores = type == DType::bf16 || (type == DType::f32 && tf32_products());
  return cores && aligned(p.a, type) && aligned(p.b, type) && !both_transposed(p);
}

bool takes_large_tile(const Product& p, DType type, bool may_split) {
  return type == DType::f32 && !both_transposed(p) && p.m > 32 && p.n > 32 &&
         (may_split || large_tiles(p) >= enough_blocks);
}

template <class Tile>
void start(const char* name, void (*kernel)(Product), const Product& p) {
  launch(name, kernel, Dim3(tiles(p, Tile::M, Tile::N) / p.groups, p.groups, p.splits),
         Tile::Threads, 0, p);
}

/// Calls f<a by columns, b by columns, what is fused>(name).
template <class F>
void with_layout(const Product& p, F&& f) {
  if (p.steps.on) {
    if (p.a_by_columns)
      f.template operator()<true, true, Fused::norm_b>("product columns x normed columns");
    else if (p.b_by_columns)
      f.template operator()<false, true, Fused::end>("product rows x columns with an end");
    else if (p.steps.in.mean)
      f.template operator()<false, false, Fused::norm_a>("product normed rows x rows");
    else
      f.template operator()<false, false, Fused::end>("product rows x rows with an end");
  } else {
    if (p.a_by_columns && p.b_by_columns)
      f.template operator()<true, true, Fused::nothing>("product columns x columns");
    else if (p.b_by_columns)
      f.template operator()<false, true, Fused::nothing>("product rows x columns");
    else if (p.a_by_columns)
      f.template operator()<true, false, Fused::nothing>("product columns x rows");
    else
      f.template operator()<false, false, Fused::nothing>("product rows x rows");
  }
}

template <class T>
void start_small(const Product& p) {
  with_layout(p, [&]<bool a, bool b, Fused fused>(const char* name) {
    start<Small>(name, ffma_product<T, Small, a, b, fused>, p);
  });
}

void start_large(const Product& p) {
  with_layout(p, [&]<bool a, bool b, Fused fused>(const char* name) {
    using Wide = std::conditional_t<fused == Fused::norm_b, NormedWide, LargeWide>;
    using Tile = std::conditional_t<a, Wide, Large>;
    if constexpr (!a || b) start<Tile>(name, ffma_product<float, Tile, a, b, fused>, p);
  });
}

template <class T>
void start_mma(const Product& p) {
  using Tall = MmaTall<T>;
  using Square = MmaSquare<T>;
  const bool large = p.n > Tall::N && tiles(p, Square::M, Square::N) >= enough_blocks;
  with_layout(p, [&]<bool a, bool b, Fused fused>(const char* name) {
    const auto with = [&]<class Tile>(Tile) {
      start<Tile>(name, mma_product<Tile, a, b, fused>, p);
    };
    if constexpr (a && b)
      with(MmaWide<T>());
    else if constexpr (!a)
      large ? with(Square()) : with(Tall());
  });
}

/// Cuts k by the shape alone, into parts of 512 or more: `least` of them or more, with nothing in
/// the last ones if need be.
void split(Product& p, bool large, int least) {
  const int64_t blocks = large ? large_tiles(p) : tiles(p, Small::M, Small::N);
  const int64_t wanted = (2 * enough_blocks + blocks - 1) / blocks;
  const int64_t parts = std::clamp<int64_t>(std::min<int64_t>(wanted, p.k / 512), 1, 128);
  p.k_per_split = std::max(int((p.k + parts - 1) / parts + 31) / 32 * 32, 32);
  p.splits = std::max((p.k + p.k_per_split - 1) / p.k_per_split, least);
}

void run(const Product& p, DType type, bool large, bool mma) {
  if (mma)
    type == DType::bf16 ? start_mma<bf16>(p) : start_mma<float>(p);
  else if (large)
    start_large(p);
  else
    with_real(type, [&](auto t) { start_small<decltype(t)>(p); });
}

template <class T>
CAIRN_KERNEL void sum_parts_kernel(const Sum<T>* x, int64_t parts, int64_t count, T* y) {
  for (int64_t i = global_thread(); i < count; i += global_threads()) {
    Sum<T> sum = 0;
    for (int64_t s = 0; s < parts; ++s) sum += x[s * count + i];
    y[i] = T(sum);
  }
}

// Whether cuBLASLt has computed the product.
bool by_library(const Product& p, DType type, Tensor& c) {
  const bool plain = !p.steps.on && type == c.dtype() && p.a.matrix && p.b.matrix &&
                     p.groups == 1 && p.k > 0 && !p.pool2 &&
                     (p.act == Activation::none || p.act == Activation::relu);
  if (!plain || c.device() != Device::cuda || c.dtype() == DType::f64) return false;
  if constexpr (!build::has_cuda)
    return false;
  else
    return cuda::blas_product({.a = p.a.data,
                               .b = p.b.data,
                               .c = c.raw(),
                               .bias = p.bias,
                               .transpose_a = p.a_by_columns,
                               .transpose_b = !p.b_by_columns,
                               .relu = p.act == Activation::relu,
                               .type = c.dtype(),
                               .tf32 = tf32_products(),
                               .m = p.m,
                               .n = p.n,
                               .k = p.k,
                               .a_row = p.a.pixel_stride,
                               .b_row = p.b.pixel_stride,
                               .c_row = p.c_row});
}

}  // namespace

void sum_parts(const Tensor& parts, Tensor& y) {
  with_real(y.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("sum_parts", sum_parts_kernel<T>, blocks_for(y.count(), 256), 256, 0,
           parts.data<Sum<T>>(), parts.dim(0), y.count(), y.data<T>());
  });
}

int64_t row_tiles(const Product& p, DType type) {
  const int rows = takes_mma_tile(p, type)            ? MmaTall<float>::M
                   : takes_large_tile(p, type, false) ? Large::M
                                                      : Small::M;
  return (p.m + rows - 1) / rows;
}

void multiply(Product p, DType type, Tensor& c, bool may_split) {
  if (p.m == 0 || p.n == 0 || p.groups == 0) return;
  if (by_library(p, type, c)) return;
  p.a.aligned = aligned(p.a, type);
  p.b.aligned = aligned(p.b, type);
  p.c = c.raw();
  p.c_aligned = p.n % 4 == 0 && p.c_row % 4 == 0 && p.c_group % 4 == 0;
  p.k_per_split = p.k;

  const bool mma = takes_mma_tile(p, type), large = takes_large_tile(p, type, may_split);
  // A tile writes C in the operands' type, and parts of it as they are summed.
  if (may_split) split(p, large || mma, c.dtype() == type ? 1 : 2);
  if (p.splits == 1) return run(p, type, large, mma);

  const int64_t count = int64_t(p.groups) * p.m * p.n;
  const Tensor parts = Tensor::empty({p.splits, count}, sum_type(type), c.device());
  p.c = const_cast<void*>(parts.raw());
  run(p, type, large, mma);
  sum_parts(parts, c);
}

void gemm(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, Tensor& c) {
  Product p;
  p.a = matrix(a.raw(), a.dim(1), a.dim(1));
  p.b = matrix(b.raw(), b.dim(1), b.dim(1));
  p.a_by_columns = transpose_a;
  p.b_by_columns = !transpose_b;
  p.m = index_count(c.dim(0));
  p.n = index_count(c.dim(1));
  p.k = index_count(a.dim(transpose_a ? 0 : 1));
  p.c_row = c.dim(1);
  multiply(p, c, transpose_a && !transpose_b);
}

}  // namespace cairn::CAIRN_NS
