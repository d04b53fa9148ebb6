#include "kernels/conv/channel_rows.h"

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
inline __attribute__((always_inline)) void totals_of_block(const ChannelTotals<T>& k, int64_t first,
                                                           int64_t count) {
  constexpr int64_t run = 32;
  for (int64_t j = 0; j < k.count; j += run) {
    const int64_t end = k.count - j < run ? k.count : j + run;
    T sums[block] = {};
    for (int64_t i = j; i < end; ++i)
      for (int64_t c = 0; c < count; ++c) sums[c] += k.x[i * k.C + first + c];
    for (int64_t c = 0; c < count; ++c) k.totals[first + c] += double(sums[c]);
  }
}

// Whole blocks get a constant count, for which the compiler drops its tails.
#define CAIRN_OVER_CHANNELS(body)                         \
  int64_t c = 0;                                          \
  for (; c + block <= k.C; c += block) body(k, c, block); \
  if (c < k.C) body(k, c, k.C - c)

}  // namespace

void channel_sums(const ChannelSums<float>& k) { CAIRN_OVER_CHANNELS(sums_of_block); }
void channel_sums(const ChannelSums<double>& k) { CAIRN_OVER_CHANNELS(sums_of_block); }
void channel_products(const ChannelProducts<float>& k) { CAIRN_OVER_CHANNELS(products_of_block); }
void channel_products(const ChannelProducts<double>& k) { CAIRN_OVER_CHANNELS(products_of_block); }
void channel_totals(const ChannelTotals<float>& k) { CAIRN_OVER_CHANNELS(totals_of_block); }
void channel_totals(const ChannelTotals<double>& k) { CAIRN_OVER_CHANNELS(totals_of_block); }

}  // namespace cairn::CAIRN_ISA
