// gemm, and the product beneath every convolution (tiled_product.h).
//
//   Launch    float32, float64 and any bf16 that is not aligned: ffma_tile.cuh, 128x64 of C (64x128
//             for weight gradients, whose m is the smaller side) by 128 threads; 32x32 by 64
//             threads where the large tile would leave cores idle, and for all but float32. bf16
//             with runs of 8, and float32 with runs of 4 where tf32_products(): mma_tile.cuh,
//             128x128 by 256 threads, 128x64 (64x128) by 128. Each of them alone, or with the steps
//             of a residual block at its ends. Where measurement chooses (product_plans), also
//             64x64 by 128 (mma: 64) threads: a map of few pixels makes twice as many blocks.
//   Traffic   reads a once per column of tiles and b once per row of tiles, mostly from L2.
//   Work      2 m n k flop per group. Floor: the larger of flop / peak (FFMA or tensor cores) and
//             (a + b + c) bytes / bandwidth.
//   Splits    when the tiles are few and k is long (weight gradients; by measurement others too),
//             k is cut into parts by the shape alone; parts are summed into a workspace (float32
//             for bf16) and added in order, then come bias and activation.
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

using Small = FfmaTile<32, 32, 4, 4>;
using Middle = FfmaTile<64, 64, 8, 4>;
using Large = FfmaTile<128, 64, 8, 8>;
using LargeWide = FfmaTile<64, 128, 8, 8>;
using NormedWide = FfmaTile<64, 128, 8, 8, 8>;  ///< with 16 of k it spills on sm_100 to sm_120

template <class T>
using MmaSmall = MmaTile<T, 1, 2>;
template <class T>
using MmaTall = MmaTile<T, 2, 2>;
template <class T>
using MmaSquare = MmaTile<T, 2, 4>;  ///< as many rows
template <class T>
using MmaWide = MmaTile<T, 1, 4>;

constexpr int64_t enough_blocks = 128;  ///< as many as a large GPU has multiprocessors

bool is_mma(ProductTile tile) { return tile >= ProductTile::mma_64x64; }

struct TileSize {
  int m, n;
};

TileSize tile_size(ProductTile tile) {
  switch (tile) {
    case ProductTile::ffma_32x32:
      return {Small::M, Small::N};
    case ProductTile::ffma_64x64:
    case ProductTile::mma_64x64:
      return {Middle::M, Middle::N};
    case ProductTile::ffma_64x128:
    case ProductTile::mma_64x128:
      return {LargeWide::M, LargeWide::N};
    case ProductTile::mma_128x128:
      return {MmaSquare<float>::M, MmaSquare<float>::N};
    default:
      return {Large::M, Large::N};
  }
}

int64_t tiles(const Product& p, ProductTile tile) {
  const auto [m, n] = tile_size(tile);
  return int64_t((p.m + m - 1) / m) * ((p.n + n - 1) / n) * p.groups;
}

bool both_transposed(const Product& p) {  // rare: one tile serves it
  return p.a_by_columns && !p.b_by_columns;
}

bool takes_mma_tile(const Product& p, DType type) {
  const bool cores = type == DType::bf16 || (type == DType::f32 && tf32_products());
  return cores && aligned(p.a, type) && aligned(p.b, type) && !both_transposed(p);
}

}  // namespace

ProductTile usual_tile(const Product& p, DType type, bool may_split) {
  if (takes_mma_tile(p, type)) {
    if (p.a_by_columns) return ProductTile::mma_64x128;
    const bool square =
        p.n > MmaTall<float>::N && tiles(p, ProductTile::mma_128x128) >= enough_blocks;
    return square ? ProductTile::mma_128x128 : ProductTile::mma_128x64;
  }
  const ProductTile large = p.a_by_columns ? ProductTile::ffma_64x128 : ProductTile::ffma_128x64;
  const bool fits = type == DType::f32 && !both_transposed(p) && p.m > 32 && p.n > 32 &&
                    (may_split || tiles(p, large) >= enough_blocks);
  return fits ? large : ProductTile::ffma_32x32;
}

int64_t row_tiles(const Product& p, ProductTile tile) {
  const int rows = tile_size(tile).m;
  return (p.m + rows - 1) / rows;
}

namespace {

/// Parts of k, by the shape alone: so many that there are `blocks` of them, each `least_k` or more.
int parts_for(const Product& p, ProductTile tile, int64_t blocks, int least_k) {
  const int64_t each = std::max<int64_t>(tiles(p, tile), 1), wanted = (blocks + each - 1) / each;
  return int(std::clamp<int64_t>(std::min<int64_t>(wanted, p.k / least_k), 1, 128));
}

/// Whether the sums of parts can be made C: a dense matrix, and all of an element in one place.
bool adds_parts(const Product& p) {
  return !p.steps.on && !p.pool2 && !p.c_gaps && p.groups == 1 && p.c_row == p.n;
}

// A tile writes C in the operands' type, and parts of it as they are summed.
int least_parts(DType type, const Tensor& c) { return type == c.dtype() ? 1 : 2; }

ProductPlan usual_plan(const Product& p, DType type, const Tensor& c, bool may_split) {
  const ProductTile tile = usual_tile(p, type, may_split);
  const int parts = may_split ? parts_for(p, tile, 2 * enough_blocks, 512) : 1;
  return {tile, std::max(parts, may_split ? least_parts(type, c) : 1)};
}

/// All that can be taken, if there is a choice. Steps have no tiles of 64x64.
std::vector<ProductTile> tiles_of(const Product& p, DType type) {
  const bool columns = p.a_by_columns;
  std::vector<ProductTile> tiles{ProductTile::ffma_32x32};
  if (takes_mma_tile(p, type))
    tiles = columns ? std::vector{ProductTile::mma_64x64, ProductTile::mma_64x128}
                    : std::vector{ProductTile::mma_64x64, ProductTile::mma_128x64,
                                  ProductTile::mma_128x128};
  else if (type == DType::f32)
    tiles = {ProductTile::ffma_32x32, ProductTile::ffma_64x64,
             columns ? ProductTile::ffma_64x128 : ProductTile::ffma_128x64};
  if (p.steps.on)
    std::erase_if(tiles, [](ProductTile t) {
      return t == ProductTile::ffma_64x64 || t == ProductTile::mma_64x64;
    });
  return tiles;
}

template <class Kernel>
void start(const char* name, Kernel kernel, int threads, ProductTile tile, const Product& p) {
  launch(name, kernel, Dim3(tiles(p, tile) / p.groups, p.groups, p.splits), threads, 0, p);
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
    start(name, ffma_product<T, Small, a, b, fused>, Small::Threads, ProductTile::ffma_32x32, p);
  });
}

void start_large(const Product& p, ProductTile tile) {
  with_layout(p, [&]<bool a, bool b, Fused fused>(const char* name) {
    using Wide = std::conditional_t<fused == Fused::norm_b, NormedWide, LargeWide>;
    using Full = std::conditional_t<a, Wide, Large>;
    const auto with = [&]<class T>(T) {
      start(name, ffma_product<float, T, a, b, fused>, T::Threads, tile, p);
    };
    if constexpr (fused == Fused::nothing && (!a || b))
      if (tile == ProductTile::ffma_64x64) return with(Middle());
    if constexpr (!a || b) with(Full());
  });
}

template <class T>
void start_mma(const Product& p, ProductTile tile) {
  with_layout(p, [&]<bool a, bool b, Fused fused>(const char* name) {
    const auto with = [&]<class U>(U) {
      start(name, mma_product<U, a, b, fused>, U::Threads, tile, p);
    };
    if constexpr (fused == Fused::nothing && (!a || b))
      if (tile == ProductTile::mma_64x64) return with(MmaSmall<T>());
    if constexpr (a && b)
      with(MmaWide<T>());
    else if constexpr (!a)
      tile == ProductTile::mma_128x128 ? with(MmaSquare<T>()) : with(MmaTall<T>());
  });
}

void run(const Product& p, DType type, ProductTile tile) {
  if (is_mma(tile))
    type == DType::bf16 ? start_mma<bf16>(p, tile) : start_mma<float>(p, tile);
  else if (tile == ProductTile::ffma_32x32)
    with_real(type, [&](auto t) { start_small<decltype(t)>(p); });
  else
    start_large(p, tile);
}

// y = act(the parts' sum + bias).
template <class T>
CAIRN_KERNEL void sum_parts_kernel(const Sum<T>* x, int64_t parts, int64_t count, const T* bias,
                                   int columns, Activation act, Sum<T> slope, T* y) {
  for (int64_t i = global_thread(); i < count; i += global_threads()) {
    Sum<T> sum = 0;
    for (int64_t s = 0; s < parts; ++s) sum += x[s * count + i];
    if (bias) sum += Sum<T>(bias[i % columns]);
    activate_each<1>(act, slope, [&](int) -> Sum<T>& { return sum; });
    y[i] = T(sum);
  }
}

void sum_parts(const Tensor& parts, const Product& p, Tensor& y) {
  with_real(y.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("sum_parts", sum_parts_kernel<T>, blocks_for(y.count(), 256), 256, 0,
           parts.data<Sum<T>>(), parts.dim(0), y.count(), static_cast<const T*>(p.bias), p.n, p.act,
           Sum<T>(p.slope), y.data<T>());
  });
}

bool is_for_library(const Product& p, DType type, const Tensor& c) {
  return c.device() == Device::cuda && type != DType::f64 && type == c.dtype() && !p.steps.on &&
         p.a.matrix && p.b.matrix && p.groups == 1 && p.k > 0 && !p.pool2 &&
         (p.act == Activation::none || p.act == Activation::relu);
}

// Whether cuBLASLt has computed the product.
bool by_library(const Product& p, Tensor& c) {
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

void sum_parts(const Tensor& parts, Tensor& y) { sum_parts(parts, Product(), y); }

std::string name(const ProductPlan& plan) {
  if (plan.tile == ProductTile::library) return "cuBLASLt";
  const auto [m, n] = tile_size(plan.tile);
  const std::string tile = (is_mma(plan.tile) ? "mma " : "ffma ") + text(m, 'x', n);
  return plan.parts == 1 ? tile : text(tile, ", ", plan.parts, " parts");
}

std::vector<ProductPlan> product_plans(const Product& p, DType type, const Tensor& c,
                                       bool may_split) {
  std::vector<ProductPlan> plans;
  const auto add = [&](const ProductPlan& plan) {
    if (std::find(plans.begin(), plans.end(), plan) == plans.end()) plans.push_back(plan);
  };
  if (is_for_library(p, type, c)) add({ProductTile::library});
  add(usual_plan(p, type, c, may_split));
  if (both_transposed(p) || type == DType::f64) return plans;
  for (const ProductTile tile : tiles_of(p, type)) {
    if (!may_split) add({tile});
    if (may_split || adds_parts(p))
      for (const int64_t blocks : {enough_blocks, 2 * enough_blocks, 4 * enough_blocks})
        add({tile, std::max(parts_for(p, tile, blocks, 256), least_parts(type, c))});
  }
  return plans;
}

void multiply(const Product& p, DType type, Tensor& c, bool may_split) {
  if (is_for_library(p, type, c) && multiply(p, type, c, {ProductTile::library})) return;
  multiply(p, type, c, usual_plan(p, type, c, may_split));
}

bool multiply(Product p, DType type, Tensor& c, const ProductPlan& plan) {
  if (p.m == 0 || p.n == 0 || p.groups == 0) return true;
  if (plan.tile == ProductTile::library) return by_library(p, c);
  p.a.aligned = aligned(p.a, type);
  p.b.aligned = aligned(p.b, type);
  p.c = c.raw();
  p.c_aligned = p.n % 4 == 0 && p.c_row % 4 == 0 && p.c_group % 4 == 0;
  p.k_per_split = p.k;
  if (plan.parts == 1) {
    run(p, type, plan.tile);
    return true;
  }
  p.k_per_split = std::max(int((p.k + plan.parts - 1) / plan.parts + 31) / 32 * 32, 32);
  p.splits = std::max((p.k + p.k_per_split - 1) / p.k_per_split, 2);
  const int64_t count = int64_t(p.groups) * p.m * p.n;
  const Tensor parts = Tensor::empty({p.splits, count}, sum_type(type), c.device());
  p.c = const_cast<void*>(parts.raw());
  run(p, type, plan.tile);
  sum_parts(parts, p, c);
  return true;
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
