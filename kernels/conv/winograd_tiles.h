#pragma once
// The inner loops of winograd.h. Every "point" is one of the 36 places of a transformed 6x6 tile.
#include <cstdint>

#include "kernels/activation_kind.h"
#include "kernels/isa.h"
#include "kernels/norm/norm_rows.h"
#include "runtime/bf16.h"

namespace cairn {

/// An image [N,H,W,C] of float or bf16, cut into tiles of 4x4 outputs that lie `padding` inside it.
template <class T>
struct TiledImage {
  const T* data;
  int64_t H, W, C;
  int64_t rows, columns;  ///< tiles per image
  int padding;
};

/// Transformed weights: u [36][N / width panels][K][width], from w(n,tap,k) at
/// w[n w_n + tap w_tap + k w_k], w_n or w_k being 1; taps in reverse order if `turned`. For k in
/// k0..k1, multiples of vector_lanes().
struct WinogradWeights {
  const float* w;
  int64_t w_n, w_tap, w_k;
  bool turned;
  int64_t K, N;
  float* u;
};

/// Instead of y, its gradient through a rectified norm of values x like y: g = y where the norm of
/// x is positive, else 0. sums [units][2][O]: of g and g (x - mean).
struct WinogradThrough {
  const float* x = nullptr;
  ChannelNorm<float> norm;
  float* sums = nullptr;
};

/// y [N,Ho,Wo,O] (halved if pool2) for a range of tiles of x. In, Out: float or bf16 in memory, the
/// arithmetic is float.
template <class In, class Out>
struct WinogradForward {
  TiledImage<In> x;
  const float* u;
  Out* y;
  int64_t y_row;  ///< numbers from one row of y to the next
  int64_t Ho, Wo, O;
  const float* bias;
  Activation act;
  float slope;
  bool pool2;
  bool stream;     ///< write y past the caches
  int64_t block;   ///< tiles whose transforms stay in the cache together
  float* scratch;  ///< winograd_scratch(C, block) numbers

  /// The steps of a block with batch norm, over units of tile_rows() tiles that follow from the
  /// shape. At most one of the latter two.
  const ChannelNorm<float>* norm = nullptr;  ///< x is normalised on its way in
  /// [units][3][O]: a value of y, the sum of differences from it, the sum of their squares.
  float* moments = nullptr;
  WinogradThrough through = {};
};

/// Transforms of x and dy for a range of tiles, at most `capacity` of them, as factors of products
/// over tiles: v [36] of panels [C / width][capacity][width], m [36] of [capacity][O]; points lie
/// v_stride and m_stride apart.
struct WinogradPair {
  TiledImage<float> x;
  TiledImage<float> dy;  ///< padding 0: its tiles are 4x4 and do not overlap
  int64_t capacity, v_stride, m_stride;
  float *v, *m;
  float* patch;                              ///< 36 C numbers, C the larger one
  const ChannelNorm<float>* norm = nullptr;  ///< x is normalised on its way in
};

CAIRN_ON_EACH_ISA(int vector_lanes(); int64_t winograd_scratch(int64_t C, int64_t block);
                  void winograd_weights(const WinogradWeights&, int64_t k0, int64_t k1);
                  void winograd_forward(const WinogradForward<float, float>&, int64_t first_tile,
                                        int64_t last_tile);
                  void winograd_forward(const WinogradForward<bf16, bf16>&, int64_t first_tile,
                                        int64_t last_tile);
                  void winograd_forward(const WinogradForward<float, bf16>&, int64_t first_tile,
                                        int64_t last_tile);
                  void winograd_pair(const WinogradPair&, int64_t first_tile, int64_t last_tile,
                                     int64_t at);
                  /// dw [O,9,C] for o0..o1, from g [36][O][C].
                  void winograd_weights_back(const float* g, int64_t O, int64_t C, float* dw,
                                             int64_t o0, int64_t o1);)

}  // namespace cairn
