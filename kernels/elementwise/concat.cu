// concat and slice_channels: columns copied between arrays of different row length.
//
//   Launch    one launch per input (and per range of zeros): threads along the channels, 16 bytes
//             each where widths and places divide so, else one channel, and down the rows.
//   Traffic   8 B per element copied, 4 B per zero, in bf16 half of that: bandwidth-bound; floor =
//             that / bandwidth.
//   Repeats   bitwise: copies, every element has one writer.
#include "kernels/elementwise/concat.h"

#include "kernels/column_sums_device.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T, int V>
CAIRN_KERNEL void copy_columns_kernel(const T* from, int64_t from_row, T* to, int64_t to_row,
                                      int64_t rows, int64_t channels) {
  const int64_t c = own_column<V>();
  if (c >= channels) return;
  for (int64_t r = first_row(); r < rows; r += row_stride()) {
    Pack<T, V> p{};
    if (from) p = load_pack<V>(from + r * from_row + c);
    store_pack(to + r * to_row + c, p);
  }
}

// Columns from `from_first` on, or zeros if there is no such tensor, to those from `to_first` on.
void copy_columns(const char* name, const Tensor* from, int64_t from_first, Tensor& to,
                  int64_t to_first, int64_t channels) {
  if (channels == 0) return;
  const int64_t from_row = from ? from->dim(-1) : 0, to_row = to.dim(-1),
                rows = to.count() / to_row;
  // A power of two divides all of them if it divides their bits together.
  const int64_t multiples = channels | from_row | to_row | from_first | to_first;
  with_real_packs(to.dtype(), multiples, [&](auto type, auto pack_size) {
    using T = decltype(type);
    constexpr int V = pack_size();
    const ColumnGrid g = column_grid<V>(rows, channels, 4, 65535);
    launch(name, copy_columns_kernel<T, V>, g.grid, g.block, 0,
           from ? from->data<T>() + from_first : nullptr, from_row, to.data<T>() + to_first, to_row,
           rows, channels);
  });
}

}  // namespace

void concat(const std::vector<Tensor>& xs, int64_t first, Tensor& y) {
  if (y.count() == 0) return;
  copy_columns("concat", nullptr, 0, y, 0, first);
  int64_t at = first;
  for (const Tensor& x : xs) {
    copy_columns("concat", &x, 0, y, at, x.dim(-1));
    at += x.dim(-1);
  }
  copy_columns("concat", nullptr, 0, y, at, y.dim(-1) - at);
}

void slice_channels(const Tensor& x, int64_t first, Tensor& y) {
  if (y.count() == 0) return;
  copy_columns("slice_channels", &x, first, y, 0, y.dim(-1));
}

}  // namespace cairn::CAIRN_NS
