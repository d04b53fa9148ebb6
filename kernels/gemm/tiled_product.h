#pragma once
// The one product that gemm and all convolutions are, as a kernel gets it:
//
//   C[m, n] = act(sum over k of A[m, k] B[n, k] + bias[n]),   for each group
//
// A and B are patch matrices (patches.cuh) or their transposes.
#include <algorithm>
#include <string>
#include <vector>

#include "kernels/activation_kind.h"
#include "kernels/gemm/patches.cuh"
#include "runtime/error.h"
#include "runtime/memory.h"
#include "runtime/tensor.h"

namespace cairn::CAIRN_NS {

/// max((x - mean) scale + beta, 0) per channel; of type Sum. Each begins on 16 bytes if there are
/// whole runs of channels (aligned(), below).
struct RectifiedNorm {
  const void *mean = nullptr, *scale = nullptr, *beta = nullptr;
};

/// What a product does besides in a residual block (kernels/residual); no pool. The bias, moments
/// and sums are of type Sum.
struct NormSteps {
  bool on = false;
  RectifiedNorm in;           ///< of a's elements, or of b's if both run by columns; or none
  const void* add = nullptr;  ///< like c: added to the sums
  void* moments = nullptr;    ///< Moments [row tiles, n] of c
  /// c is the gradient of the rectified norm `through` of this, like c: 0 where that is not
  /// positive; `sums` [row tiles, 2, n] of c and of c (x - mean).
  const void* x = nullptr;
  RectifiedNorm through;
  void* sums = nullptr;
};

struct Product {
  Patches a, b;
  bool a_by_columns = false;  ///< m runs over a's columns and k over its positions; or the reverse
  bool b_by_columns = false;  ///< the same of n
  int m = 0, n = 0, k = 0, groups = 1;

  /// Row m of C begins at m * c_row, or at the pixel of position m if c is an image with gaps.
  int64_t c_group = 0, c_row = 0;
  bool c_gaps = false;
  int c_height = 0, c_width = 0, c_stride = 1, c_offset_y = 0, c_offset_x = 0;

  const void* bias = nullptr;         ///< [groups * n]
  Activation act = Activation::none;  ///< or a rectifier
  float slope = 0;
  bool pool2 = false;  ///< row m / 4 of C is the maximum of rows m .. m + 3
  NormSteps steps;

  /// Set by multiply(), as is all that follows: where C is, and k in `splits` parts of
  /// `k_per_split`, each summed into its own copy of C, of type Sum.
  void* c = nullptr;
  int splits = 1, k_per_split = 0;
  bool c_aligned = false;  ///< 4 columns of C from a multiple of 4 are one aligned store

  /// Where row m of C begins, in elements.
  CAIRN_HD int64_t c_offset(int m) const {
    if (!c_gaps) return m * c_row;
    const int line = a.grid_width.quotient(m), image = a.grid_height.quotient(line);
    const int y = (line - image * a.grid_height.value()) * c_stride + c_offset_y;
    const int x = (m - line * a.grid_width.value()) * c_stride + c_offset_x;
    return ((int64_t(image) * c_height + y) * c_width + x) * c_row;
  }
};

/// A position, row or column count as the kernels index it.
inline int index_count(int64_t n) {
  if (n < 1 << 30) return int(n);
  throw Error(OpScope::current(), text("a product with a side of ", n), "sides below 2^30",
              "take fewer images or rows at a time");
}

/// The matrix [rows, columns] at `data`, one row every `row_stride` elements.
inline Patches matrix(const void* data, int64_t columns, int64_t row_stride) {
  Patches p;
  p.data = data;
  p.matrix = true;
  p.channels = Divisor(std::max<int64_t>(columns, 1));
  p.pixel_stride = row_stride;
  return p;
}

/// Whether every row consists of whole runs of 16 bytes, and of 4 elements.
inline bool aligned(const Patches& p, DType type) {
  const int vector = std::max(int(16 / size_of(type)), 4);
  return p.channels.value() % vector == 0 && p.pixel_stride % vector == 0 &&
         p.group_stride % vector == 0 && reinterpret_cast<uintptr_t>(p.data) % 16 == 0;
}

/// Who sums the elements of C: cuBLASLt, or a block of one of our kernels so many rows by columns.
enum class ProductTile : unsigned char {
  library,
  ffma_32x32,
  ffma_64x64,
  ffma_128x64,
  ffma_64x128,
  mma_64x64,
  mma_128x64,
  mma_64x128,
  mma_128x128
};

/// One way to compute a product: a tile, and k in so many parts that run side by side.
struct ProductPlan {
  ProductTile tile;
  int parts = 1;
  bool operator==(const ProductPlan&) const = default;
};
std::string name(const ProductPlan&);  ///< "ffma 128x64, 4 parts"

/// The ways to compute the product of operands of a type (f32, f64 or bf16) into c, of that type
/// too; the first one is what its shape alone suggests. `may_split`: C is a gradient of weights, a
/// small dense matrix [groups, m, n] for a long k, and that of bf16 operands may be f32: their
/// sums, not rounded. They may differ in the last bits.
std::vector<ProductPlan> product_plans(const Product& p, DType type, const Tensor& c,
                                       bool may_split = false);

/// Computes the product in one of these ways. False, and nothing was done: the library cannot.
bool multiply(Product p, DType type, Tensor& c, const ProductPlan& plan);

/// The same in the first way that can.
void multiply(const Product& p, DType type, Tensor& c, bool may_split = false);
inline void multiply(const Product& p, Tensor& c, bool may_split = false) {
  multiply(p, c.dtype(), c, may_split);
}

/// What the shape alone suggests for operands of a type.
ProductTile usual_tile(const Product& p, DType type, bool may_split = false);

/// Row tiles that such tiles cut a product into.
int64_t row_tiles(const Product& p, ProductTile tile);

/// y = the sum of the parts [parts, y's count], in that order.
void sum_parts(const Tensor& parts, Tensor& y);

}  // namespace cairn::CAIRN_NS
