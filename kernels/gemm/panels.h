#pragma once
// B of a product, copied into panels of panel_width() columns, so that multiply_block reads it in
// one stream. The last panel ends in zeros.
#include <algorithm>
#include <vector>

#include "kernels/gemm/block.h"
#include "runtime/tensor.h"
#include "runtime/threads.h"

namespace cairn {

/// Rows of B that one pass takes: a panel of so many rows and the numbers of A beside it fit L1.
constexpr int64_t chunk_rows = 256;

inline int64_t padded_to(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

/// 0, step, 2 step ..: where the rows of a matrix begin.
inline std::vector<int64_t> multiples(int64_t count, int64_t step) {
  std::vector<int64_t> of(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) of[size_t(i)] = i * step;
  return of;
}

/// Rows k0..k1 of columns 0..N in panels; `copy(k, n, count, to)` writes B(k, n..n+count).
template <class T, class Copy>
void fill_panels(int64_t k0, int64_t k1, int64_t N, T* panels, Copy&& copy) {
  const int64_t width = panel_width<T>();
  for (int64_t n = 0; n < N; n += width) {
    const int64_t count = std::min(width, N - n);
    for (int64_t k = k0; k < k1; ++k, panels += width) {
      copy(k, n, count, panels);
      std::fill(panels + count, panels + width, T(0));
    }
  }
}

/// A whole B [K,N] in panels.
template <class T>
class Panels {
 public:
  /// B(k,n) = b[rows[k] + n b_column].
  Panels(const T* b, const std::vector<int64_t>& rows, int64_t b_column, int64_t N)
      : K_(int64_t(rows.size())), width_(panel_width<T>()) {
    const int64_t panels = (N + width_ - 1) / width_;
    memory_ = Tensor::empty({panels, K_, width_}, DTypeOf<T>::value);
    T* p = memory_.data<T>();
    parallel_for(panels, 1, [&, p](int64_t begin, int64_t end) {
      for (int64_t panel = begin; panel < end; ++panel) {
        const int64_t n0 = panel * width_;
        T* const to = p + panel * K_ * width_;
        if (b_column != 1 && N - n0 >= width_) {
          transpose(b + n0 * b_column, rows, b_column, to);
          continue;
        }
        fill_panels(0, K_, std::min(width_, N - n0), to,
                    [&](int64_t k, int64_t, int64_t count, T* row) {
                      const T* from = b + rows[k] + n0 * b_column;
                      for (int64_t n = 0; n < count; ++n) row[n] = from[n * b_column];
                    });
      }
    });
  }

  /// Makes the block multiply by rows k0..k0+K from column n0 on (a multiple of the panel width).
  void use(int64_t k0, int64_t K, int64_t n0, Block<T>& block) const {
    block.K = K;
    block.b = memory_.template data<T>() + n0 * K_ + k0 * width_;
    block.b_row = width_;
    block.b_panel = K_ * width_;
  }
  int64_t K() const { return K_; }

 private:
  // A whole panel, in runs of rows that are neighbours in b.
  void transpose(const T* b, const std::vector<int64_t>& rows, int64_t column, T* to) const {
    for (int64_t k = 0, end = 0; k < K_; k = end) {
      for (end = k + 1; end < K_ && rows[end] == rows[end - 1] + 1;) ++end;
      CAIRN_ISA_CALL(transpose_to_panel, b + rows[k], column, end - k, to + k * width_);
    }
  }

  int64_t K_, width_;
  Tensor memory_;
};

}  // namespace cairn
