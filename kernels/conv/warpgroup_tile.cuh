#pragma once
// What 3x3 convolutions on Hopper's tensor cores share (wgmma m64n128k16): a block's tile of
// pixels, the products of all nine taps, and the way of the sums out. Nothing is laid out as
// patches. An operand of wgmma is 8 rows of 16 bytes in a row, and the next 8 a fixed stride away,
// so that a tap is an offset into the pixels, which lie in shared memory once with their ring of
// one.
//
//   Product   64 outputs (rows) by 128 pixels (8 across, 16 down) by 16 channels: outputs are the
//             rows, as 64 rows are what one instruction has and 64 outputs what SuperPoint has
//   Shared    chunks of 8 channels, in them pixels row by row (or outputs), 16 bytes each; chunks
//             are 32 bytes apart modulo 128, so that four threads that write the chunks of a pixel
//             meet different banks
//   Rejected  128 bytes of a row swizzled, as TMA writes them: eight rows must then begin on 1024
//             bytes, and a tap could not begin at any pixel. Pixels as the rows: an instruction
//             would read 4 KiB in 32 clocks for 32 of products, no room for anything else.
#include "kernels/gemm/epilogue.cuh"
#include "runtime/cuda.h"

namespace cairn::CAIRN_NS {

/// Two warpgroups, each with 8 of the columns.
template <int I_>
struct WarpgroupTile {
  static constexpr int I = I_;  ///< products of 16 rows that a warpgroup sums
  static constexpr int Threads = 256, Outputs = 64;
  static constexpr int Rows = 16 * I, Columns = 16;
  static constexpr int Across = Columns + 2, Pixels = (Rows + 2) * Across;

  /// Elements from 8 channels of all pixels, or outputs, to the next 8.
  static constexpr int chunk_of(int rows) { return (rows * 16 + 127) / 128 * 64 + 16; }
  static constexpr int PixelChunk = chunk_of(Pixels), WeightChunk = chunk_of(Outputs);

  static int64_t down(int64_t height) { return (height + Rows - 1) / Rows; }
  static int64_t across(int64_t width) { return (width + Columns - 1) / Columns; }
};

/// Whether a device has such cores. simt emulates them.
inline bool has_warpgroups(Device device) {
  if constexpr (build::has_cuda)
    if (device == Device::cuda) return cuda::architecture() == 90;
  return true;
}

/// Blocks that run at once, one a multiprocessor; few on simt, so that they go from tile to tile
/// there too.
inline int blocks_at_once(Device device) {
  if constexpr (build::has_cuda)
    if (device == Device::cuda) return cuda::multiprocessors();
  return 2;
}

/// Starts the copies of the weights of 64 outputs, the first of which begin at w [., 9, channels],
/// for so many chunks of channels from `channel` on; to [tap][chunk].
template <class Tile, int Chunks>
CAIRN_DEVICE void copy_weights(const bf16* w, int channels, int channel, bool flipped, bf16* to) {
  for (int i = int(threadIdx.x); i < 9 * Chunks * Tile::Outputs; i += Tile::Threads) {
    const int chunk = i % Chunks, output = i / Chunks % Tile::Outputs,
              tap = i / Chunks / Tile::Outputs;
    const int64_t from = int64_t(output) * 9 + (flipped ? 8 - tap : tap);
    cp_async_16(to + (tap * Chunks + chunk) * Tile::WeightChunk + output * 8,
                w + from * channels + channel + chunk * 8);
  }
}

/// acc += nine taps of so many chunks of channels; weights is [tap][chunk]. They run when this
/// returns: warpgroup_wait() waits for them.
template <class Tile, int Chunks>
CAIRN_DEVICE void multiply_taps(const bf16* weights, const bf16* pixels,
                                float (&acc)[Tile::I][16][4]) {
  const int left = int(threadIdx.x) / 128 * 8;  // of this warpgroup's pixels
  warpgroup_begin(acc);
#pragma unroll
  for (int tap = 0; tap < 9; ++tap)
#pragma unroll
    for (int chunk = 0; chunk < Chunks; chunk += 2)
#pragma unroll
      for (int i = 0; i < Tile::I; ++i) {
        const int first = (16 * i + tap / 3) * Tile::Across + tap % 3 + left;
        warpgroup_mma(
            acc[i], {weights + (tap * Chunks + chunk) * Tile::WeightChunk, 64, Tile::WeightChunk},
            {pixels + chunk * Tile::PixelChunk + first * 8, Tile::Across * 8, Tile::PixelChunk});
      }
  warpgroup_commit();
}

/// Of a thread's sums acc[i][j][2 h + e]: output 8 h + this of the tile.
CAIRN_DEVICE int warpgroup_output() {
  return int(threadIdx.x) / 32 % 4 * 16 + int(threadIdx.x) % 32 / 4;
}

/// Where a tile's outputs go: of an image [height, width, outputs], after the pool if there is one.
struct WarpgroupOutputs {
  bf16* image;
  int height, width, outputs, first_output, top, left;

  /// The first of the outputs 8 h + e, e = 0 and 1, that a thread has of a pixel after transpose().
  CAIRN_DEVICE_MEMBER int own_output() const {
    return first_output + int(threadIdx.x) / 32 % 4 * 16 + int(threadIdx.x) % 4 * 2;
  }
  CAIRN_DEVICE_MEMBER bool has(int row, int column) const { return row < height && column < width; }
  /// Where own_output() of a pixel lies, in elements.
  CAIRN_DEVICE_MEMBER int64_t offset(int row, int column) const {
    return (int64_t(row) * width + column) * outputs + own_output();
  }
  CAIRN_DEVICE_MEMBER void store(int64_t offset, const Pack<bf16, 2> (&v)[2]) const {
#pragma unroll
    for (int h = 0; h < 2; ++h) store_pack(image + offset + 8 * h, v[h]);
  }
};

/// Pairs v[h] of neighbouring columns and one output become two outputs of one pixel, so that four
/// lanes write 16 bytes of it: of columns 2 (lane % 4) and the next that of lane / 4. All lanes of
/// a warp call it.
CAIRN_DEVICE void transpose(const unsigned (&v)[2], Pack<bf16, 2> (&outputs)[2]) {
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    const unsigned bits = transpose_8x8(v[h]);
#pragma unroll
    for (int e = 0; e < 2; ++e) outputs[h][e].bits = uint16_t(bits >> 16 * e);
  }
}

/// Calls f(offset, outputs) for each pixel of the tile that is there, with its sums, rounded.
template <class Tile, class F>
CAIRN_DEVICE void for_each_pixel(const WarpgroupOutputs& to, const float (&acc)[Tile::I][16][4],
                                 F&& f) {
  const int column = to.left + int(threadIdx.x) / 128 * 8 + int(threadIdx.x) % 32 / 4;
#pragma unroll
  for (int i = 0; i < Tile::I; ++i)
#pragma unroll
    for (int j = 0; j < 16; ++j) {
      unsigned v[2];
#pragma unroll
      for (int h = 0; h < 2; ++h) v[h] = pack_bf16(acc[i][j][2 * h], acc[i][j][2 * h + 1]);
      Pack<bf16, 2> outputs[2];
      transpose(v, outputs);
      const int row = to.top + 16 * i + j;
      if (to.has(row, column)) f(to.offset(row, column), outputs);
    }
}

/// The largest of each 2x2 window, which lies in one thread: two columns of two rows.
template <class Tile>
struct PooledSums {
  float v[Tile::I][8][2];  ///< window row j, output 8 h + warpgroup_output()

  CAIRN_DEVICE_MEMBER explicit PooledSums(const float (&acc)[Tile::I][16][4]) {
#pragma unroll
    for (int k = 0; k < 16 * Tile::I; ++k) {
      const float(&a)[4] = acc[k / 16][k / 2 % 8 * 2], (&b)[4] = acc[k / 16][k / 2 % 8 * 2 + 1];
      const int h = 2 * (k % 2);
      v[k / 16][k / 2 % 8][k % 2] = larger(larger(a[h], a[h + 1]), larger(b[h], b[h + 1]));
    }
  }
  CAIRN_DEVICE_MEMBER float& operator[](int k) { return v[k / 16][k / 2 % 8][k % 2]; }

  CAIRN_DEVICE_MEMBER void write(const WarpgroupOutputs& to) const {
    const int lane = int(threadIdx.x) % 32;
    const int column = to.left / 2 + int(threadIdx.x) / 128 * 4 + lane / 8;
#pragma unroll
    for (int i = 0; i < Tile::I; ++i)
#pragma unroll
      for (int j = 0; j < 8; j += 2) {
        unsigned pairs[2];
#pragma unroll
        for (int h = 0; h < 2; ++h) pairs[h] = pack_bf16(v[i][j][h], v[i][j + 1][h]);
        Pack<bf16, 2> outputs[2];
        transpose(pairs, outputs);
        const int row = to.top / 2 + 8 * i + j + lane / 4 % 2;
        if (to.has(row, column)) to.store(to.offset(row, column), outputs);
      }
  }
};

}  // namespace cairn::CAIRN_NS
