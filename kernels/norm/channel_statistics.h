#pragma once
// Per-channel statistics on the CPU, gathered in parts whose size depends on the shape alone, so
// that results do not depend on the threads.
#include <algorithm>
#include <vector>

#include "kernels/norm/batch_norm.h"
#include "kernels/norm/norm_rows.h"

namespace cairn {

/// Mean and sum of squared deviations of each channel, from parts of the rows that are merged in
/// their order (Chan, Golub, LeVeque 1979): no cancellation at any mean.
class PartMoments {
 public:
  PartMoments(int64_t parts, int64_t C) : C_(C), rows_(parts), mean_(parts * C), m2_(parts * C) {}

  /// Takes in y [rows,C] as part `part`, rows > 0.
  template <class T>
  void take(int64_t part, const T* y, int64_t rows) {
    rows_[part] = double(rows);
    const MomentRows<T> k{y, rows, C_, &mean_[part * C_], &m2_[part * C_]};
    CAIRN_ISA_CALL(moments, k);
  }
  /// The same from sums of differences from a pivot and of their squares, [3][C].
  template <class T>
  void take_sums(int64_t part, const T* pivot_sum_squares, int64_t rows) {
    const T *pivot = pivot_sum_squares, *sum = pivot + C_, *squares = sum + C_;
    rows_[part] = double(rows);
    for (int64_t c = 0; c < C_; ++c) {
      const double off = double(sum[c]) / double(rows);
      mean_[part * C_ + c] = double(pivot[c]) + off;
      m2_[part * C_ + c] = std::max(0.0, double(squares[c]) - double(sum[c]) * off);
    }
  }
  /// Writes mean and invstd of all rows together, and moves the running statistics unless there
  /// are no rows.
  void finish(const BatchNormOptions& options, Tensor& running_mean, Tensor& running_var,
              Tensor& mean, Tensor& invstd) const;

 private:
  int64_t C_;
  std::vector<double> rows_, mean_, m2_;
};

/// mean and invstd from the running statistics.
void running_statistics(const BatchNormOptions& options, const Tensor& running_mean,
                        const Tensor& running_var, Tensor& mean, Tensor& invstd);

/// gamma invstd.
template <class T>
std::vector<T> scales_of(const Tensor& gamma, const Tensor& invstd) {
  std::vector<T> scales = gamma.values<T>();
  for (size_t c = 0; c < scales.size(); ++c) scales[c] *= invstd.data<T>()[c];
  return scales;
}

/// The moments of x [...,C], which a normalisation is about to need.
PartMoments moments_of(const Tensor& x);

/// What dx = scale (g - shift - (x - mean) slope) takes, from the sums [2][C] of g and of
/// g (x - mean) over `rows` rows; both are 0 unless the statistics were those of the batch.
template <class T>
struct NormBackTerms {
  std::vector<T> shift, slope;
  NormBackTerms(const std::vector<double>& sums, const Tensor& invstd, Statistics statistics,
                int64_t rows)
      : shift(invstd.count()), slope(invstd.count()) {
    if (statistics == Statistics::running) return;
    const double n = double(std::max<int64_t>(rows, 1));
    for (size_t c = 0; c < shift.size(); ++c) {
      const double is = invstd.data<T>()[c];
      shift[c] = T(sums[c] / n);
      slope[c] = T(sums[shift.size() + c] * is * is / n);
    }
  }
};

/// dbeta = the sum of g, dgamma = that of g xhat.
template <class T>
void write_norm_gradients(const std::vector<double>& sums, const Tensor& invstd, Tensor& dgamma,
                          Tensor& dbeta) {
  const int64_t C = invstd.count();
  for (int64_t c = 0; c < C; ++c) {
    dbeta.data<T>()[c] = T(sums[c]);
    dgamma.data<T>()[c] = T(sums[C + c] * double(invstd.data<T>()[c]));
  }
}

/// sums [width] = the sum over the parts [parts,width], in their order.
std::vector<double> sum_of_parts(const std::vector<double>& parts, int64_t width);

}  // namespace cairn
