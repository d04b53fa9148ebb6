#include "kernels/elementwise/concat.h"

#include <algorithm>

#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

// `channels` columns of every row, from one array to another, each with its own row length.
template <class T>
void copy_columns(const T* from, int64_t from_row, T* to, int64_t to_row, int64_t rows,
                  int64_t channels) {
  parallel_for(rows, std::max<int64_t>(1, 32768 / std::max<int64_t>(channels, 1)),
               [=](int64_t begin, int64_t end) {
                 for (int64_t r = begin; r < end; ++r)
                   std::copy_n(from + r * from_row, channels, to + r * to_row);
               });
}

template <class T>
void zero_columns(T* to, int64_t to_row, int64_t rows, int64_t channels) {
  if (channels == 0) return;
  for (int64_t r = 0; r < rows; ++r) std::fill_n(to + r * to_row, channels, T(0));
}

}  // namespace

void concat(const std::vector<Tensor>& xs, int64_t first, Tensor& y) {
  if (y.count() == 0) return;
  const int64_t C = y.dim(-1), rows = y.count() / C;
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    T* py = y.data<T>();
    zero_columns(py, C, rows, first);
    int64_t at = first;
    for (const Tensor& x : xs) {
      copy_columns(x.data<T>(), x.dim(-1), py + at, C, rows, x.dim(-1));
      at += x.dim(-1);
    }
    zero_columns(py + at, C, rows, C - at);
  });
}

void slice_channels(const Tensor& x, int64_t first, Tensor& y) {
  if (y.count() == 0) return;
  const int64_t C = y.dim(-1);
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    copy_columns(x.data<T>() + first, x.dim(-1), y.data<T>(), C, y.count() / C, C);
  });
}

}  // namespace cairn::cpu
