#pragma once
// Inner loops along the channels of pixels: the depthwise convolution, and sums over pixels.
#include <cstdint>

#include "kernels/isa.h"

namespace cairn {

/// y[c] = sum over t of x[t][c] w[t][c], plus bias[c] if given, for c in 0..C.
template <class T>
struct ChannelSums {
  int taps;
  const T* const* x;
  const T* const* w;
  const T* bias;
  T* y;
  int64_t C;
};

/// sums[c] += sum over j of x[j x_step + c] dy[j C + c], for j in 0..count.
template <class T>
struct ChannelProducts {
  const T* x;
  int64_t x_step;
  const T* dy;
  int64_t count, C;
  T* sums;
};

/// totals[c] += sum over j of x[j C + c], for j in 0..count. Runs of 32 pixels add up in T.
template <class T>
struct ChannelTotals {
  const T* x;
  int64_t count, C;
  double* totals;
};

CAIRN_ON_EACH_ISA(void channel_sums(const ChannelSums<float>&);
                  void channel_sums(const ChannelSums<double>&);
                  void channel_products(const ChannelProducts<float>&);
                  void channel_products(const ChannelProducts<double>&);
                  void channel_totals(const ChannelTotals<float>&);
                  void channel_totals(const ChannelTotals<double>&);)

}  // namespace cairn
