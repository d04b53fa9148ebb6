#include "kernels/descriptor/nearest_descriptors.h"

#include <algorithm>
#include <limits>

#include "kernels/descriptor/best_two.h"
#include "kernels/gemm/product.h"

namespace cairn::cpu {
namespace {

constexpr int64_t columns = 256;    // of B at once: its panels and the products stay in L2
constexpr int64_t most_parts = 32;  // of A: each keeps a best two for all of B

/// Best twos with memory of their own, in whole vectors.
template <class T>
class BestTwos {
 public:
  explicit BestTwos(int64_t count)
      : best_(padded_to(count, 16), -std::numeric_limits<T>::infinity()),
        second_(best_),
        index_(best_.size(), -1) {}

  BestTwo<T> from(int64_t i) { return {&best_[i], &second_[i], &index_[i]}; }

  /// Takes number i of the same columns, found in rows that come later.
  void raise(int64_t i, const BestTwos& later) {
    const bool above = later.best_[i] > best_[i];
    second_[i] = std::max({above ? best_[i] : later.best_[i], second_[i], later.second_[i]});
    if (!above) return;
    best_[i] = later.best_[i];
    index_[i] = later.index_[i];
  }
  void write(int64_t i, int64_t to, NearestDescriptors& out) const {
    out.index.template data<int32_t>()[to] = int32_t(index_[i]);
    T* similarity = out.similarity.template data<T>() + 2 * to;
    similarity[0] = best_[i];
    similarity[1] = second_[i];
  }

 private:
  std::vector<T> best_, second_;
  std::vector<IndexLike<T>> index_;
};

template <class T>
class Search {
 public:
  Search(const Tensor& a, const Tensor& b)
      : N_(a.dim(0)),
        M_(b.dim(0)),
        C_(a.dim(1)),
        a_(a.data<T>()),
        b_(b.data<T>(), offsets(), C_, M_) {
    part_ = padded_to(std::max<int64_t>((N_ + most_parts - 1) / most_parts, 1), rows());
  }

  void run(NearestDescriptors& of_a, NearestDescriptors& of_b) {
    const int64_t parts = (N_ + part_ - 1) / part_;
    std::vector<BestTwos<T>> of_columns(std::max<int64_t>(parts, 1), BestTwos<T>(M_));
    parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p)
        search_part(p * part_, std::min(N_, (p + 1) * part_), of_columns[p], of_a);
    });
    parallel_for(M_, 256, [&](int64_t begin, int64_t end) {
      for (int64_t p = 1; p < parts; ++p)
        for (int64_t j = begin; j < end; ++j) of_columns[0].raise(j, of_columns[p]);
      for (int64_t j = begin; j < end; ++j) of_columns[0].write(j, j, of_b);
    });
  }

 private:
  static int64_t rows() { return 4 * tile_rows(); }  // of A at once
  std::vector<int64_t> offsets() const {
    std::vector<int64_t> k(C_);
    for (size_t i = 0; i < k.size(); ++i) k[i] = int64_t(i);
    return k;
  }

  // Rows begin..end of A against all of B.
  void search_part(int64_t begin, int64_t end, BestTwos<T>& of_column, NearestDescriptors& of_a) {
    BestTwos<T> of_row(end - begin);
    std::vector<T> products(rows() * columns);
    for (int64_t n = 0; n < M_; n += columns)
      for (int64_t m = begin; m < end; m += rows()) {
        Block<T> block;
        block.M = std::min(rows(), end - m);
        block.N = std::min(columns, M_ - n);
        block.a = a_ + m * C_;
        block.a_row = C_;
        block.c = products.data();
        block.c_row = columns;
        multiply_blocks(block, b_, n);
        for (int64_t i = 0; i < block.M; ++i)
          std::fill(block.c + i * columns + block.N, block.c + i * columns + padded_to(block.N, 16),
                    -std::numeric_limits<T>::infinity());
        CAIRN_ISA_CALL(raise_best_two, Similarities<T>{block.c, block.M, block.N, columns, m, n},
                       of_row.from(m - begin), of_column.from(n));
      }
    for (int64_t m = begin; m < end; ++m) of_row.write(m - begin, m, of_a);
  }

  int64_t N_, M_, C_, part_;
  const T* a_;
  Panels<T> b_;
};

}  // namespace

void nearest_descriptors(const Tensor& a, const Tensor& b, NearestDescriptors& of_a,
                         NearestDescriptors& of_b) {
  with_float(a.dtype(), [&](auto type) { Search<decltype(type)>(a, b).run(of_a, of_b); });
}

}  // namespace cairn::cpu
