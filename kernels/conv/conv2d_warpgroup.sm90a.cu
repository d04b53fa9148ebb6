// conv2d of bf16, 3x3, padded by 1, on Hopper's tensor cores (wgmma m64n128k16). A block computes
// 64 outputs of a tile of 16x32 (16x16) pixels; of 32 channels at a time it holds the pixels, with
// their ring of one, and the weights in shared memory, and all nine taps read the same pixels from
// there: an operand of wgmma is 8 rows of 16 bytes in a row, and the next 8 rows a fixed stride
// away, so that a tap is an offset. Nothing is laid out as patches.
//
//   Product   64 outputs (rows) by 128 pixels (8 across, 16 down) by 16 channels: outputs are the
//             rows, as 64 rows are what one instruction has and 64 outputs what SuperPoint has
//   Shared    chunks of 8 channels, in them pixels row by row (or outputs), 16 bytes each; chunks
//             are 32 bytes apart modulo 128, so that four threads that copy the chunks of a pixel
//             meet different banks. Two buffers: 152 KiB for 16x32, 116 for 16x16
//   Launch    one block of 256 threads a multiprocessor, or one a tile if these are fewer; a block
//             goes from tile to tile without a pause, its copies one step ahead of its products
//   Registers 128 sums a thread (16x16: 64); 208 and 144 in all, no spills
//   Code      4,300 and 2,800 instructions; 18,800 and 10,000 with any activation chosen at each
//             sum, more than the instruction caches hold
//   Traffic   x 1.2 times (16x16: 1.27) for each 64 outputs, y once; the weights once a tile, from
//             L2: for 64 -> 64 and 512 pixels 78 KB of pixels, 74 of weights, 65 of outputs, 24
//             bytes a clock beside 9216 clocks of products
//   Work      18 C O flop a pixel
//   Floor     64 -> 64 at 480x640: 22.6 GFLOP, 23 us at the 989 TFLOP/s of an H200's data sheet and
//             29 at the 790 measured; bytes 79 MB, 16 us. Shared memory: an instruction reads 6 KiB
//             in 48 of its 64 clocks
//   Predicted 70 % of the measured rate: 41 us, where mma.sync is predicted to take 55
//   Repeats   bitwise: one writer per element, one order of sums
//   Rejected  128 bytes of a row swizzled, as TMA writes them: eight rows must then begin on 1024
//             bytes, and a tap could not begin at any pixel. Pixels as the rows: an instruction
//             would read 4 KiB in 32 clocks for 32 of products, no room for anything else.
//   Not tried on hardware yet.
#include "kernels/conv/conv2d_warpgroup.h"

#include "kernels/gemm/epilogue.cuh"
#include "kernels/gemm/tiled_product.h"
#include "runtime/cuda.h"

namespace cairn::CAIRN_NS {
namespace {

template <int I_>
struct WarpgroupTile {
  static constexpr int I = I_;  ///< products of 16 rows that a warpgroup sums
  static constexpr int Threads = 256, Outputs = 64, Channels = 32;
  static constexpr int Rows = 16 * I, Columns = 16;
  static constexpr int Across = Columns + 2, Pixels = (Rows + 2) * Across;

  /// Elements from 8 channels of all pixels, or outputs, to the next 8.
  static constexpr int chunk_of(int rows) { return (rows * 16 + 127) / 128 * 64 + 16; }
  static constexpr int PixelChunk = chunk_of(Pixels), WeightChunk = chunk_of(Outputs);

  struct Step {
    alignas(128) bf16 pixels[Channels / 8 * PixelChunk];
    alignas(128) bf16 weights[9 * Channels / 8 * WeightChunk];
  };
};

struct WarpgroupConvPlan {
  const bf16 *x, *w, *bias;  ///< bias may be null
  bf16* y;
  int height, width, channels, outputs;
  Divisor blocks_of_outputs, tiles_across, tiles_down;
  int tiles, steps;  ///< all tiles of all outputs; the steps of channels of each
  bool flipped;
  Activation act;
  float slope;
  bool pool2;
};

/// Where tile t lies: neighbouring ones see the same pixels.
struct WarpgroupPlace {
  int first_output, image, top, left;

  template <class Tile>
  CAIRN_DEVICE_MEMBER static WarpgroupPlace of(const WarpgroupConvPlan& p, int t) {
    const int place = p.blocks_of_outputs.quotient(t), row = p.tiles_across.quotient(place),
              image = p.tiles_down.quotient(row);
    return {(t - place * p.blocks_of_outputs.value()) * Tile::Outputs, image,
            (row - image * p.tiles_down.value()) * Tile::Rows,
            (place - row * p.tiles_across.value()) * Tile::Columns};
  }
};

/// Starts the copies of one step's pixels and weights.
template <class Tile>
CAIRN_DEVICE void copy_step(const WarpgroupConvPlan& p, const WarpgroupPlace& at, int channel,
                            typename Tile::Step& to) {
  constexpr int chunks = Tile::Channels / 8;
  for (int i = int(threadIdx.x); i < chunks * Tile::Pixels; i += Tile::Threads) {
    const int chunk = i % chunks, pixel = i / chunks;
    const int row = at.top + pixel / Tile::Across - 1, column = at.left + pixel % Tile::Across - 1;
    const bool inside = row >= 0 && row < p.height && column >= 0 && column < p.width;
    const int64_t from = (int64_t(at.image) * p.height + row) * p.width + column;
    cp_async_16(to.pixels + chunk * Tile::PixelChunk + pixel * 8,
                p.x + (inside ? from * p.channels + channel + chunk * 8 : 0), inside);
  }
  for (int i = int(threadIdx.x); i < 9 * chunks * Tile::Outputs; i += Tile::Threads) {
    const int chunk = i % chunks, output = i / chunks % Tile::Outputs,
              tap = i / chunks / Tile::Outputs;
    const int64_t from = int64_t(at.first_output + output) * 9 + (p.flipped ? 8 - tap : tap);
    cp_async_16(to.weights + (tap * chunks + chunk) * Tile::WeightChunk + output * 8,
                p.w + from * p.channels + channel + chunk * 8);
  }
  cp_async_commit();
}

/// All products of a step: nine taps, twice 16 channels.
template <class Tile>
CAIRN_DEVICE void multiply_step(const typename Tile::Step& step, float (&acc)[Tile::I][16][4]) {
  constexpr int chunks = Tile::Channels / 8;
  const int left = int(threadIdx.x) / 128 * 8;  // of this warpgroup's pixels
  warpgroup_begin(acc);
#pragma unroll
  for (int tap = 0; tap < 9; ++tap)
#pragma unroll
    for (int chunk = 0; chunk < chunks; chunk += 2)
#pragma unroll
      for (int i = 0; i < Tile::I; ++i) {
        const int first = (16 * i + tap / 3) * Tile::Across + tap % 3 + left;
        warpgroup_mma(
            acc[i],
            {step.weights + (tap * chunks + chunk) * Tile::WeightChunk, 64, Tile::WeightChunk},
            {step.pixels + chunk * Tile::PixelChunk + first * 8, Tile::Across * 8,
             Tile::PixelChunk});
      }
  warpgroup_commit();
}

/// Bias, activation and pool of a warpgroup's sums, and their way out: transposed 8x8, so that four
/// lanes write 16 bytes of a pixel.
template <class Tile>
CAIRN_DEVICE void write_outputs(const WarpgroupConvPlan& p, const WarpgroupPlace& at,
                                float (&acc)[Tile::I][16][4]) {
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32 % 4;
  const int own = at.first_output + 16 * warp + lane / 4;      // the output of its sums
  const int out = at.first_output + 16 * warp + lane % 4 * 2;  // that it writes
  const auto sum = [&](int k) -> float& { return acc[k / 64][k / 4 % 16][k % 4]; };
  if (p.bias) {
    const float shift[2] = {float(p.bias[own]), float(p.bias[own + 8])};
#pragma unroll
    for (int k = 0; k < 64 * Tile::I; ++k) sum(k) += shift[k / 2 % 2];
  }
  activate_each<64 * Tile::I>(p.act, p.slope, sum);
  const auto write = [&](int row, int column, int height, int width, const unsigned(&v)[2]) {
    unsigned t[2];
#pragma unroll
    for (int h = 0; h < 2; ++h) t[h] = transpose_8x8(v[h]);
    if (row >= height || column >= width) return;
    bf16* to = p.y + ((int64_t(at.image) * height + row) * width + column) * p.outputs + out;
#pragma unroll
    for (int h = 0; h < 2; ++h)
      store_pack(reinterpret_cast<unsigned*>(to + 8 * h), Pack<unsigned, 1>{t[h]});
  };
  const int left = at.left + int(threadIdx.x) / 128 * 8;
#pragma unroll
  for (int i = 0; i < Tile::I; ++i) {
    if (!p.pool2) {
#pragma unroll
      for (int j = 0; j < 16; ++j) {
        unsigned v[2];
#pragma unroll
        for (int h = 0; h < 2; ++h) v[h] = pack_bf16(acc[i][j][2 * h], acc[i][j][2 * h + 1]);
        write(at.top + 16 * i + j, left + lane / 4, p.height, p.width, v);
      }
    } else {  // a window lies in one thread: two columns of two rows
      const auto largest = [&](int j, int h) {
        const float(&a)[4] = acc[i][j], (&b)[4] = acc[i][j + 1];
        return larger(larger(a[2 * h], a[2 * h + 1]), larger(b[2 * h], b[2 * h + 1]));
      };
#pragma unroll
      for (int j = 0; j < 16; j += 4) {
        unsigned v[2];
#pragma unroll
        for (int h = 0; h < 2; ++h) v[h] = pack_bf16(largest(j, h), largest(j + 2, h));
        write((at.top + 16 * i + j) / 2 + lane / 4 % 2, left / 2 + lane / 8, p.height / 2,
              p.width / 2, v);
      }
    }
  }
}

template <class Tile>
CAIRN_KERNEL void CAIRN_BOUNDS(256, 1) warpgroup_conv(WarpgroupConvPlan p) {
  auto* const buffers = dynamic_shared<typename Tile::Step>();
  const auto place = [&](int t) { return WarpgroupPlace::of<Tile>(p, t); };
  int tile = int(blockIdx.x);
  copy_step<Tile>(p, place(tile), 0, buffers[0]);
  for (int buffer = 0; tile < p.tiles; tile += int(gridDim.x)) {
    float acc[Tile::I][16][4] = {};
    for (int step = 0; step < p.steps; ++step, buffer ^= 1) {
      cp_async_wait<0>();
      copies_are_for_warpgroups();
      sync_threads();  // this step has arrived, and the products of the one before are done
      multiply_step<Tile>(buffers[buffer], acc);
      const bool last = step + 1 == p.steps;
      const int next = last ? tile + int(gridDim.x) : tile;
      if (next < p.tiles)
        copy_step<Tile>(p, place(next), last ? 0 : (step + 1) * Tile::Channels,
                        buffers[buffer ^ 1]);
      warpgroup_wait(acc);
    }
    write_outputs<Tile>(p, place(tile), acc);
  }
}

template <int I>
void start(const char* name, WarpgroupConvPlan p, int64_t images, Device device) {
  using Tile = WarpgroupTile<I>;
  const int64_t across = (p.width + Tile::Columns - 1) / Tile::Columns,
                down = (p.height + Tile::Rows - 1) / Tile::Rows,
                outputs = p.outputs / Tile::Outputs;
  p.blocks_of_outputs = Divisor(outputs);
  p.tiles_across = Divisor(across);
  p.tiles_down = Divisor(down);
  p.tiles = index_count(images * down * across * outputs);
  p.steps = p.channels / Tile::Channels;
  int at_once = 2;  // on simt, so that blocks go from tile to tile there too
  if constexpr (build::has_cuda)
    if (device == Device::cuda) at_once = cuda::multiprocessors();
  launch(name, warpgroup_conv<Tile>, std::min(p.tiles, at_once), Tile::Threads,
         2 * sizeof(typename Tile::Step), p);
}

bool is_aligned(const Tensor& t) { return reinterpret_cast<uintptr_t>(t.raw()) % 16 == 0; }

}  // namespace

bool warpgroups_serve(const WarpgroupConv& c, const Tensor& y) {
  if constexpr (build::has_cuda)
    if (y.device() == Device::cuda && cuda::architecture() != 90) return false;
  const bool sizes = c.w.dim(0) % 64 == 0 && c.w.dim(1) == 3 && c.w.dim(2) == 3 &&
                     c.w.dim(3) % 32 == 0 && c.w.dim(3) == c.x.dim(3);
  return sizes && y.count() > 0 && is_aligned(c.x) && is_aligned(c.w) && is_aligned(y) &&
         c.x.dtype() == DType::bf16 && c.w.dtype() == DType::bf16 && y.dtype() == DType::bf16;
}

void convolve_by_warpgroups(const WarpgroupConv& c, int rows, Tensor& y) {
  const Epilogue& e = c.epilogue;
  const WarpgroupConvPlan p{.x = c.x.data<bf16>(),
                            .w = c.w.data<bf16>(),
                            .bias = e.bias ? e.bias->data<bf16>() : nullptr,
                            .y = y.data<bf16>(),
                            .height = index_count(c.x.dim(1)),
                            .width = index_count(c.x.dim(2)),
                            .channels = index_count(c.x.dim(3)),
                            .outputs = index_count(c.w.dim(0)),
                            .blocks_of_outputs = Divisor(),
                            .tiles_across = Divisor(),
                            .tiles_down = Divisor(),
                            .tiles = 0,
                            .steps = 0,
                            .flipped = c.flipped,
                            .act = e.act,
                            .slope = e.slope,
                            .pool2 = e.pool2};
  rows == 32 ? start<2>("warpgroup_conv 16x32", p, c.x.dim(0), y.device())
             : start<1>("warpgroup_conv 16x16", p, c.x.dim(0), y.device());
}

}  // namespace cairn::CAIRN_NS
