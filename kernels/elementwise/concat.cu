// concat and slice_channels: columns copied between arrays of different row length.
//
//   Launch    one launch per input (and per range of zeros): threads along the channels, four each
//             where widths and places are multiples of four, and down the rows.
//   Traffic   8 B per element copied, 4 B per zero: bandwidth-bound; floor = that / bandwidth.
//   Repeats   bitwise: copies, every element has one writer.
#include "kernels/elementwise/concat.h"

#include "kernels/column_sums_device.h"

namespace cairn::CAIRN_NS {
namespace {

// A range of columns: where it begins and how long the array's rows are.
template <class T>
struct Columns {
  T* data;  // null: zeros
  int64_t row;
};

template <class T, int V>
CAIRN_KERNEL void copy_columns_kernel(Columns<const T> from, Columns<T> to, int64_t rows,
                                      int64_t channels) {
  const int64_t c = own_column<V>();
  if (c >= channels) return;
  for (int64_t r = first_row(); r < rows; r += row_stride()) {
    Pack<T, V> p{};
    if (from.data) p = load_pack<V>(from.data + r * from.row + c);
    store_pack(to.data + r * to.row + c, p);
  }
}

template <class T>
void copy_columns(const char* name, Columns<const T> from, int64_t from_first, Columns<T> to,
                  int64_t to_first, int64_t rows, int64_t channels) {
  if (channels == 0 || rows == 0) return;
  if (from.data) from.data += from_first;
  to.data += to_first;
  const bool by_four = channels % 4 == 0 && from.row % 4 == 0 && to.row % 4 == 0 &&
                       from_first % 4 == 0 && to_first % 4 == 0;
  with_pack_size(by_four ? 4 : 1, [&](auto pack_size) {
    constexpr int V = pack_size();
    const ColumnGrid g = column_grid<V>(rows, channels, 4, 65535);
    launch(name, copy_columns_kernel<T, V>, g.grid, g.block, 0, from, to, rows, channels);
  });
}

}  // namespace

void concat(const std::vector<Tensor>& xs, int64_t first, Tensor& y) {
  if (y.count() == 0) return;
  const int64_t C = y.dim(-1), rows = y.count() / C;
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const Columns<const T> zeros{nullptr, 0};
    const Columns<T> to{y.data<T>(), C};
    copy_columns<T>("concat", zeros, 0, to, 0, rows, first);
    int64_t at = first;
    for (const Tensor& x : xs) {
      copy_columns<T>("concat", {x.data<T>(), x.dim(-1)}, 0, to, at, rows, x.dim(-1));
      at += x.dim(-1);
    }
    copy_columns<T>("concat", zeros, 0, to, at, rows, C - at);
  });
}

void slice_channels(const Tensor& x, int64_t first, Tensor& y) {
  if (y.count() == 0) return;
  const int64_t C = y.dim(-1);
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    copy_columns<T>("slice_channels", {x.data<T>(), x.dim(-1)}, first, {y.data<T>(), C}, 0,
                    y.count() / C, C);
  });
}

}  // namespace cairn::CAIRN_NS
