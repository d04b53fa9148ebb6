#include "kernels/pool/max_pool_channels.h"

namespace cairn::CAIRN_ISA {
namespace {

constexpr int block = 32;  // channels whose running maximum stays in registers

template <class T>
inline __attribute__((always_inline)) void block_of_window(const PoolWindow<T>& w, int64_t first,
                                                           int count) {
  const T* x = w.x + first;
  T best[block];
  int32_t at[block];  // as wide as a float, so that one comparison chooses both
  for (int c = 0; c < count; ++c) {
    best[c] = x[c];
    at[c] = w.first_tap;
  }
  for (int u = 0; u < w.rows; ++u)
    for (int v = u == 0 ? 1 : 0; v < w.columns; ++v) {
      const T* from = x + u * w.row_length + v * w.C;
      const int32_t tap = w.first_tap + u * w.size + v;
      for (int c = 0; c < count; ++c) {
        const bool larger = (from[c] > best[c]) | (from[c] != from[c]);  // NaN counts as largest
        best[c] = larger ? from[c] : best[c];
        at[c] = larger ? tap : at[c];
      }
    }
  for (int c = 0; c < count; ++c) w.y[first + c] = best[c];
  if (w.index)
    for (int c = 0; c < count; ++c) w.index[first + c] = uint8_t(at[c]);
}

template <class T>
void whole_window(const PoolWindow<T>& w) {
  int64_t c = 0;
  for (; c + block <= w.C; c += block) block_of_window(w, c, block);
  if (c < w.C) block_of_window(w, c, int(w.C - c));
}

template <class T>
void give_back(const PoolTap<T>& p) {
  const T* __restrict dy = p.dy;
  T* __restrict dx = p.dx;
  const int32_t tap = p.tap;
  if (p.more)
    for (int64_t c = 0; c < p.C; ++c) dx[c] += int32_t(p.index[c]) == tap ? dy[c] : T(0);
  else
    for (int64_t c = 0; c < p.C; ++c) dx[c] = int32_t(p.index[c]) == tap ? dy[c] : T(0);
}

}  // namespace

void pool_window(const PoolWindow<float>& w) { whole_window(w); }
void pool_window(const PoolWindow<double>& w) { whole_window(w); }
void pool_give_back(const PoolTap<float>& p) { give_back(p); }
void pool_give_back(const PoolTap<double>& p) { give_back(p); }

}  // namespace cairn::CAIRN_ISA
