// conv2d of bf16, 3x3, padded by 1, on Hopper's tensor cores. A block computes 64 outputs of a tile
// of 16x32 (16x16) pixels; of 32 channels at a time it holds the pixels, with their ring of one,
// and the weights in shared memory (warpgroup_tile.cuh).
//
//   Launch    one block of 256 threads a multiprocessor, or one a tile if these are fewer; a block
//             goes from tile to tile without a pause, its copies one step ahead of its products
//   Shared    two buffers: 152 KiB for 16x32, 116 for 16x16
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
//   Not tried on hardware yet.
#include "kernels/conv/conv2d_warpgroup.h"

#include "kernels/conv/warpgroup_tile.cuh"
#include "kernels/gemm/tiled_product.h"
#include "runtime/cuda.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr int channels_of_step = 32, chunks_of_step = channels_of_step / 8;

template <class Tile>
struct WarpgroupStep {
  alignas(128) bf16 pixels[chunks_of_step * Tile::PixelChunk];
  alignas(128) bf16 weights[9 * chunks_of_step * Tile::WeightChunk];
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
                            WarpgroupStep<Tile>& to) {
  constexpr int chunks = chunks_of_step;
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

/// Bias, activation, pool, and out.
template <class Tile>
CAIRN_DEVICE void write_outputs(const WarpgroupConvPlan& p, const WarpgroupPlace& at,
                                float (&acc)[Tile::I][16][4]) {
  const int height = p.pool2 ? p.height / 2 : p.height, width = p.pool2 ? p.width / 2 : p.width;
  const WarpgroupOutputs to{p.y + int64_t(at.image) * height * width * p.outputs,
                            height,
                            width,
                            p.outputs,
                            at.first_output,
                            at.top,
                            at.left};
  float shift[2] = {};
  if (p.bias)
    for (int h = 0; h < 2; ++h)
      shift[h] = float(p.bias[at.first_output + warpgroup_output() + 8 * h]);
  if (p.pool2) {  // every activation is monotonic, so the maximum may come first
    PooledSums<Tile> pooled(acc);
    constexpr int count = 16 * Tile::I;
#pragma unroll
    for (int k = 0; k < count; ++k) pooled[k] += shift[k % 2];
    activate_each<count>(p.act, p.slope, [&](int k) -> float& { return pooled[k]; });
    pooled.write(to);
  } else {
    constexpr int count = 64 * Tile::I;
    const auto sum = [&](int k) -> float& { return acc[k / 64][k / 4 % 16][k % 4]; };
#pragma unroll
    for (int k = 0; k < count; ++k) sum(k) += shift[k / 2 % 2];
    activate_each<count>(p.act, p.slope, sum);
    write_sums<Tile>(to, acc);
  }
}

template <class Tile>
CAIRN_KERNEL void CAIRN_BOUNDS(256, 1) warpgroup_conv(WarpgroupConvPlan p) {
  auto* const buffers = dynamic_shared<WarpgroupStep<Tile>>();
  const auto place = [&](int t) { return WarpgroupPlace::of<Tile>(p, t); };
  int tile = int(blockIdx.x);
  copy_step<Tile>(p, place(tile), 0, buffers[0]);
  for (int buffer = 0; tile < p.tiles; tile += int(gridDim.x)) {
    float acc[Tile::I][16][4] = {};
    for (int step = 0; step < p.steps; ++step, buffer ^= 1) {
      cp_async_wait<0>();
      copies_are_for_warpgroups();
      sync_threads();  // this step has arrived, and the products of the one before are done
      multiply_taps<Tile, chunks_of_step>(buffers[buffer].weights, buffers[buffer].pixels, acc);
      const bool last = step + 1 == p.steps;
      const int next = last ? tile + int(gridDim.x) : tile;
      if (next < p.tiles)
        copy_step<Tile>(p, place(next), last ? 0 : (step + 1) * channels_of_step,
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
  p.steps = p.channels / channels_of_step;
  int at_once = 2;  // on simt, so that blocks go from tile to tile there too
  if constexpr (build::has_cuda)
    if (device == Device::cuda) at_once = cuda::multiprocessors();
  launch(name, warpgroup_conv<Tile>, std::min(p.tiles, at_once), Tile::Threads,
         2 * sizeof(WarpgroupStep<Tile>), p);
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
