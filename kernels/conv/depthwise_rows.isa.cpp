#include "kernels/conv/depthwise_rows.h"

namespace cairn::CAIRN_ISA {
namespace {

// The compiler vectorises these; blocks of channels keep the sums in registers.
constexpr int64_t block = 64;

template <class T>
inline __attribute__((always_inline)) void sums_of_block(const ChannelSums<T>& k, int64_t first,
                                                         int64_t count) {
  T sums[block];
  for (int64_t c = 0; c < count; ++c) sums[c] = k.bias ? k.bias[first + c] : T(0);
  for (int t = 0; t < k.taps; ++t) {
    const T *x = k.x[t] + first, *w = k.w[t] + first;
    for (int64_t c = 0; c < count; ++c) sums[c] += x[c] * w[c];
  }
  for (int64_t c = 0; c < count; ++c) k.y[first + c] = sums[c];
}

template <class T>
inline __attribute__((always_inline)) void products_of_block(const ChannelProducts<T>& k,
                                                             int64_t first, int64_t count) {
  T sums[block] = {};
  for (int64_t j = 0; j < k.count; ++j) {
    const T *x = k.x + j * k.x_step + first, *dy = k.dy + j * k.C + first;
    for (int64_t c = 0; c < count; ++c) sums[c] += x[c] * dy[c];
  }
  for (int64_t c = 0; c < count; ++c) k.sums[first + c] += sums[c];
}

template <class T>
void all_sums(const ChannelSums<T>& k) {
  int64_t c = 0;
  for (; c + block <= k.C; c += block) sums_of_block(k, c, block);
  if (c < k.C) sums_of_block(k, c, k.C - c);
}

template <class T>
void all_products(const ChannelProducts<T>& k) {
  int64_t c = 0;
  for (; c + block <= k.C; c += block) products_of_block(k, c, block);
  if (c < k.C) products_of_block(k, c, k.C - c);
}

}  // namespace

void channel_sums(const ChannelSums<float>& k) { all_sums(k); }
void channel_sums(const ChannelSums<double>& k) { all_sums(k); }
void channel_products(const ChannelProducts<float>& k) { all_products(k); }
void channel_products(const ChannelProducts<double>& k) { all_products(k); }

}  // namespace cairn::CAIRN_ISA
