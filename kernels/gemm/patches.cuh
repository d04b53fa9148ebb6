#pragma once
// The matrix of a convolution that is never written ("im2col"), as a kernel reads it.
//
//   row p     a position: a pixel of a grid [images, grid_height, grid_width]
//   column q  a tap and a channel: q = (u * taps_width + v) * channels + c
//   element   t[image, y, x, c] of a channels-last tensor, or 0 outside of it, at
//             y = i * stride + offset_y + u * step_y,  x = j * stride + offset_x + v * step_x
//
// A plain matrix is the case of one tap; weights [O,kh,kw,C] are one with a "position" per O.
#include "kernels/device.h"

namespace cairn::CAIRN_NS {

/// Division of 0 <= n < 2^31 by a fixed number, as a multiplication and a shift (Granlund and
/// Montgomery, "Division by invariant integers using multiplication", 1994).
class Divisor {
 public:
  explicit Divisor(int64_t divisor = 1) : divisor_(uint32_t(divisor)) {
    while ((uint64_t{1} << shift_) < divisor_) ++shift_;
    magic_ = uint32_t((uint64_t{1} << 32) * ((uint64_t{1} << shift_) - divisor_) / divisor_ + 1);
  }
  CAIRN_HD int value() const { return int(divisor_); }
  CAIRN_HD int quotient(int n) const {
    return int((uint32_t(uint64_t(uint32_t(n)) * magic_ >> 32) + uint32_t(n)) >> shift_);
  }

 private:
  uint32_t divisor_, magic_ = 0, shift_ = 0;
};

/// Where a row or a column of the matrix lies: element (p, q) is at the sum of both.
struct PatchPlace {
  int64_t offset;  ///< in elements
  int y, x;
};

struct Patches {
  const void* data = nullptr;
  int64_t group_stride = 0;  ///< elements from one group's first channel to the next group's
  int64_t pixel_stride = 0;  ///< elements from one pixel to the next
  int height = 1, width = 1;
  Divisor channels, taps_width, grid_height, grid_width;
  int stride = 1, offset_y = 0, offset_x = 0, step_y = 0, step_x = 0;
  bool windows = false;  ///< positions run through 2x2 windows: 4 in a row are one window
  bool matrix = false;   ///< row p begins at p * pixel_stride and nothing is outside
  bool aligned = false;  ///< `vector` columns from a multiple of it are one aligned load

  CAIRN_HD PatchPlace row(int p) const {
    if (matrix) return {p * pixel_stride, 0, 0};
    const int cell = windows ? p >> 2 : p;
    const int line = grid_width.quotient(cell), image = grid_height.quotient(line);
    int i = line - image * grid_height.value(), j = cell - line * grid_width.value();
    if (windows) {
      i = 2 * i + (p >> 1 & 1);
      j = 2 * j + (p & 1);
    }
    const int y = i * stride + offset_y, x = j * stride + offset_x;
    return {((int64_t(image) * height + y) * width + x) * pixel_stride, y, x};
  }
  CAIRN_HD PatchPlace column(int q) const {
    const int tap = channels.quotient(q), u = taps_width.quotient(tap);
    const int y = u * step_y, x = (tap - u * taps_width.value()) * step_x;
    return {(int64_t(y) * width + x) * pixel_stride + (q - tap * channels.value()), y, x};
  }
  /// Where element (row, column) lies; -1 outside of the tensor.
  CAIRN_HD int64_t at(const PatchPlace& row, const PatchPlace& column) const {
    const bool inside = unsigned(row.y + column.y) < unsigned(height) &&
                        unsigned(row.x + column.x) < unsigned(width);
    return inside ? row.offset + column.offset : -1;
  }
};

/// The place of a row or column beyond the matrix: outside together with any other.
CAIRN_DEVICE PatchPlace nowhere() { return {0, -(1 << 29), 0}; }

/// Which elements of a tile a thread fetches. A tile holds `Size` rows (of the product's m or n)
/// by `K`; a thread fetches `count` runs of `Vector` elements along the patches' columns.
///   ByColumns false: m (n) runs over the positions, k over the columns
///   ByColumns true:  m (n) runs over the columns, k over the positions
template <int Size, int K, int Vector, int Threads, bool ByColumns>
class PatchReader {
  static constexpr int lanes = (ByColumns ? Size : K) / Vector;
  static constexpr int stride = Threads / lanes;

 public:
  static constexpr int count = (ByColumns ? K : Size) / stride;
  static_assert(Threads % lanes == 0 && count * stride == (ByColumns ? K : Size));

  /// The tile begins at row (or column) `begin` of `end`.
  CAIRN_DEVICE_MEMBER PatchReader(const Patches& patches, int begin, int end)
      : patches_(patches), begin_(begin), end_(end) {
    if constexpr (ByColumns) {
      column_ = begin + run() < end ? patches.column(begin + run()) : nowhere();
    } else {
#pragma unroll
      for (int i = 0; i < count; ++i)
        rows_[i] = begin + line(i) < end ? patches.row(begin + line(i)) : nowhere();
    }
  }

  /// Turns to the part of the tile that begins at k.
  CAIRN_DEVICE_MEMBER void seek(int k, int k_end) {
    k_ = k;
    k_end_ = k_end;
    if constexpr (!ByColumns) column_ = k + run() < k_end ? patches_.column(k + run()) : nowhere();
  }

  /// The tile's line (a row, or k if ByColumns) of run i, and where in that line all runs begin.
  CAIRN_DEVICE_MEMBER static int line(int i) { return int(threadIdx.x) / lanes + i * stride; }
  CAIRN_DEVICE_MEMBER static int run() { return int(threadIdx.x) % lanes * Vector; }

  /// Where run i lies in the tensor; -1: all of it is zero. Only if the patches are aligned.
  CAIRN_DEVICE_MEMBER int64_t offset(int i) const { return patches_.at(row(i), column_); }

  /// The places of run i, and of element e in every run, for patches that are not aligned.
  CAIRN_DEVICE_MEMBER PatchPlace row(int i) const {
    if constexpr (ByColumns) return k_ + line(i) < k_end_ ? patches_.row(k_ + line(i)) : nowhere();
    return rows_[i];
  }
  CAIRN_DEVICE_MEMBER PatchPlace column(int e) const {
    const int q = (ByColumns ? begin_ : k_) + run() + e;
    return q < (ByColumns ? end_ : k_end_) ? patches_.column(q) : nowhere();
  }
  /// The channel of element e in every run, also of an earlier part, which began at k; some channel
  /// for those beyond the matrix.
  CAIRN_DEVICE_MEMBER int channel(int e) const { return channel(e, k_); }
  CAIRN_DEVICE_MEMBER int channel(int e, int k) const {
    const int q = (ByColumns ? begin_ : k) + run() + e;
    return q - patches_.channels.quotient(q) * patches_.channels.value();
  }

 private:
  const Patches& patches_;
  int begin_, end_, k_ = 0, k_end_ = 0;
  PatchPlace column_;
  PatchPlace rows_[ByColumns ? 1 : count];
};

}  // namespace cairn::CAIRN_NS
