#pragma once
// What the descriptor losses share: N pairs of images, every cell of an image against every cell of
// its partner. Row a and column b of a pair's matrix of n x n products (n = h w) are cells of the
// image and of the partner:
//
//   a, b      [N,h,w,C]  unit descriptors of the images and of the partners; f32 (f64 on cpu)
//   centres   [N,h,w,2]  where a's cells lie in the partner's grid (warp/warped_centres.h), as a
//   valid     [N,h,w]    u8 or as a: the weight w_b of the partner's cells
//
//   D_ab = a . b
//   s_ab = 1 where |centre_a - (column_b, row_b)| <= radius: the cells show the same place; else 0
//   l(t, s) = positive_weight s max(0, positive_margin - t) + (1 - s) max(0, t - negative_margin)
//
//   terms     [4], of the loss as it is weighted
//             0, 1  its two parts, over the pairs with s = 1 and with s = 0
//             2     the mean of D over pairs with s = 1, weighted by w_b
//             3     over the cells a that have such a pair: the mean of the largest D with s = 0
//                   and w_b > 0. The gap between these two is what training is to widen.
//             each 0 where there is nothing to average
#include "runtime/host_device.h"
#include "runtime/tensor.h"

namespace cairn {

struct DescriptorPairs {
  Tensor a, b, centres, valid;
};

/// What the sum over all pairs is divided by, with V the sum of all w_b.
enum class PairReduction : unsigned char {
  mean_n2,  ///< V n: the mean over all pairs
  mean_n,   ///< V: the mean over the partner's cells of their sums
  sum,      ///< nothing
};

struct HingeOptions {
  double radius = 0.9375;         ///< in cells: 7.5 pixels of 8
  double weight = 1;              ///< of the whole loss, lambda
  double positive_weight = 0.05;  ///< lambda_d
  double positive_margin = 1;     ///< m_p
  double negative_margin = 0.2;   ///< m_n
  PairReduction reduction = PairReduction::mean_n2;

  /// What the sum over all pairs is multiplied by.
  CAIRN_HD double factor(double valid_sum, int64_t cells) const {
    if (reduction == PairReduction::sum) return weight;
    const double divisor =
        reduction == PairReduction::mean_n ? valid_sum : valid_sum * double(cells);
    return divisor == 0 ? 0 : weight / divisor;
  }
};

}  // namespace cairn
