#pragma once
// The first step of conv2d_pair, for a block that computes a tile of the second: from the image a
// tile of the map between, with the ring of one pixel that the second step's 3x3 sees around its
// own. Beyond the map's border that is 0, not what the first step makes of the image's zeros.
//
//   Tile      16 columns by a multiple of 4 rows of the second step's output before the pool
//   Threads   each computes 6 neighbouring pixels of 8 features, sums in float32 in the order
//             (u, v, c) of conv2d.cu; 8 pixels of an image row serve three taps from registers
//   Shared    the image under the tile and the weights [tap, c][feature], rows of 4 more floats, so
//             that a warp that transposes them meets a bank two or four times, not nine
#include "kernels/activation.h"
#include "kernels/gemm/patches.cuh"

namespace cairn::CAIRN_NS {

/// What a kernel gets. The first step is 3x3 from C to `features`, the second 3x3 from these to as
/// many; both are padded by 1 and end in a ReLU, and the second one pools.
struct ConvPair {
  static constexpr int features = 64;

  const void *x, *w1, *b1;  ///< biases may be null
  Patches w2;               ///< [features, 9 features]; float32: transposed to [c, taps, features]
  const void* b2;
  void* y;
  int height, width;
  Divisor tiles_down, tiles_across;
};

template <int Rows_, int C_, int Threads_>
struct PairTile {
  static constexpr int Rows = Rows_, Columns = 16, C = C_, Threads = Threads_;
  static constexpr int MapRows = Rows + 2, MapColumns = Columns + 2;
  static constexpr int Run = 6;  ///< pixels that a thread computes at a time
  static_assert(MapColumns % Run == 0);

  /// What the first step reads, in float32.
  struct Inputs {
    static constexpr int Rows = MapRows + 2, Columns = MapColumns + 2;
    alignas(16) float w[9 * C][ConvPair::features + 4];
    float bias[ConvPair::features];
    float image[Rows * Columns * C];
  };
};

/// Which image a block works on, and the first pixel of its tile.
struct PairPlace {
  int image, top, left;

  /// Of the tile with this number.
  template <class Tile>
  CAIRN_DEVICE_MEMBER static PairPlace of(const ConvPair& p, int tile, Tile) {
    const int line = p.tiles_across.quotient(tile), image = p.tiles_down.quotient(line);
    return {image, (line - image * p.tiles_down.value()) * Tile::Rows,
            (tile - line * p.tiles_across.value()) * Tile::Columns};
  }
};

CAIRN_DEVICE bool inside(const ConvPair& p, int row, int column) {
  return unsigned(row) < unsigned(p.height) && unsigned(column) < unsigned(p.width);
}

/// The image under the tile at `at`, from a tensor of type T.
template <class T, class Tile>
CAIRN_DEVICE void load_image(const ConvPair& p, const PairPlace& at,
                             typename Tile::Inputs& inputs) {
  using Inputs = typename Tile::Inputs;
  constexpr int C = Tile::C;
  const T* image = static_cast<const T*>(p.x) + int64_t(at.image) * p.height * p.width * C;
  for (int i = int(threadIdx.x); i < Inputs::Rows * Inputs::Columns * C; i += Tile::Threads) {
    const int pixel = i / C, row = at.top - 2 + pixel / Inputs::Columns,
              column = at.left - 2 + pixel % Inputs::Columns;
    const int64_t from = (int64_t(row) * p.width + column) * C + i % C;
    inputs.image[i] = inside(p, row, column) ? float(image[from]) : 0.f;
  }
}

/// The first step's weights, from tensors of type T.
template <class T, class Tile>
CAIRN_DEVICE void load_first_weights(const ConvPair& p, typename Tile::Inputs& inputs) {
  constexpr int features = ConvPair::features, sees = 9 * Tile::C;
  const T *w = static_cast<const T*>(p.w1), *bias = static_cast<const T*>(p.b1);
  for (int i = int(threadIdx.x); i < features * sees; i += Tile::Threads)
    inputs.w[i % sees][i / sees] = float(w[i]);
  for (int i = int(threadIdx.x); i < features; i += Tile::Threads)
    inputs.bias[i] = bias ? float(bias[i]) : 0.f;
}

/// Calls store(row, column, feature, values) for each run of the map between and 4 neighbouring
/// features: values[i] is of the map's pixel (row, column + i), counted from the tile's ring.
template <class Tile, class Store>
CAIRN_DEVICE void first_step(const ConvPair& p, const PairPlace& at,
                             const typename Tile::Inputs& inputs, Store&& store) {
  constexpr int C = Tile::C, Run = Tile::Run, runs = Tile::MapColumns / Run, half = 32;
  for (int task = int(threadIdx.x); task < 8 * runs * Tile::MapRows; task += Tile::Threads) {
    const int feature = task % 8 * 4, row = task / 8 / runs, column = task / 8 % runs * Run;
    float sums[2][Run][4] = {};
#pragma unroll 1
    for (int u = 0; u < 3; ++u) {
      float seen[(Run + 2) * C];
      const float* from = inputs.image + ((row + u) * Tile::Inputs::Columns + column) * C;
#pragma unroll
      for (int i = 0; i < (Run + 2) * C; ++i) seen[i] = from[i];
#pragma unroll
      for (int q = 0; q < 3 * C; ++q) {
        const float* w = inputs.w[3 * C * u + q] + feature;
        const Pack<float, 4> weight[2] = {load_pack<4>(w), load_pack<4>(w + half)};
#pragma unroll
        for (int h = 0; h < 2; ++h)
#pragma unroll
          for (int i = 0; i < Run; ++i)
#pragma unroll
            for (int e = 0; e < 4; ++e) sums[h][i][e] += seen[i * C + q] * weight[h][e];
      }
    }
#pragma unroll
    for (int h = 0; h < 2; ++h) {
#pragma unroll
      for (int i = 0; i < Run; ++i) {
        const bool there = inside(p, at.top - 1 + row, at.left - 1 + column + i);
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          const float z = sums[h][i][e] + inputs.bias[feature + h * half + e];
          sums[h][i][e] = there ? activate<Activation::relu>(z, 0.f) : 0.f;
        }
      }
      store(row, column, feature + h * half, sums[h]);
    }
  }
}

/// On Hopper's tensor cores (conv2d_pair_warpgroup.sm90a.cu): whether this GPU has them, and the
/// second weights and y begin on 16 bytes; and the pair of an image [images, height, width, C], all
/// bf16.
bool warpgroups_serve_pair(const ConvPair& p, Device device);
void pair_by_warpgroups(ConvPair p, int64_t images, int64_t C, Device device);

}  // namespace cairn::CAIRN_NS
