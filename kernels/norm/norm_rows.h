#pragma once
// Inner loops over rows of channels around a normalisation: what batch_norm passes over memory
// with, and the fused residual block over the few rows that are in the cache.
//
// Sums over rows add up in T for 64 rows, then in double.
#include <cstdint>

#include "kernels/activation_kind.h"
#include "kernels/isa.h"

namespace cairn {

/// z = act((x - mean) scale + beta), each of [C]; act is none or a rectifier.
template <class T>
struct ChannelNorm {
  const T *mean = nullptr, *scale = nullptr, *beta = nullptr;
  Activation act = Activation::none;
  T slope = 0;  ///< of leaky_relu
};

/// z of x [rows,C], whose rows lie x_row apart. Column c of row r goes to z[c / P z_panel + r z_row
/// + c % P], P = panel_width(): into rows with z_row = C and z_panel = P, or into the panels of a
/// product's B.
template <class T>
struct NormRows {
  const T* x;
  int64_t x_row, rows, C;
  ChannelNorm<T> norm;
  T* z;
  int64_t z_row, z_panel;
};

/// mean [C] and m2 [C], the sum of squared deviations, of y [rows,C].
template <class T>
struct MomentRows {
  const T* y;
  int64_t rows, C;
  double *mean, *m2;
};

/// g = dz act'(z) for x [rows,C], into g unless null (it may be dz itself); sums [2][C]: of g, and
/// of g (x - mean). The sums are added to.
template <class T>
struct ThroughRows {
  const T* x;
  int64_t rows, C;
  ChannelNorm<T> norm;
  const T* dz;
  T* g;
  double* sums;
};

/// dx = scale (g - shift - (x - mean) slope) + add, g = dz act'(z), for x [rows,C]; dx may be dz or
/// add. `add` may be null, and so may sums [C], to which dx is added.
template <class T>
struct NormBackRows {
  const T* x;
  int64_t rows, C;
  ChannelNorm<T> norm;
  const T *shift, *slope;
  const T *dz, *add;
  T* dx;
  double* sums;
};

#define CAIRN_NORM_ROWS(T)                        \
  void normalise(const NormRows<T>&);             \
  void moments(const MomentRows<T>&);             \
  void through_activation(const ThroughRows<T>&); \
  void norm_back(const NormBackRows<T>&);

CAIRN_ON_EACH_ISA(CAIRN_NORM_ROWS(float) CAIRN_NORM_ROWS(double))

}  // namespace cairn
