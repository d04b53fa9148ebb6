// conv2d of bf16, 3x3, padded by 1, on Hopper's tensor cores. A block computes 64 outputs of a tile
// of 16x32 (16x16) pixels; of 32 channels at a time it holds the pixels, with their ring of one,
// and the weights in shared memory (warpgroup_tile.cuh). In a residual block the pixels go through
// the norm before them there, and the outputs are counted, or masked by the norm's rectifier.
//
//   Launch    one block of 256 threads a multiprocessor, or one a tile if these are fewer; a block
//             goes from tile to tile without a pause, its copies one step ahead of its products
//   Shared    two buffers: 152 KiB for 16x32, 116 for 16x16
//   Registers 128 sums a thread (16x16: 64); 204 to 210 and 138 to 154 in all, no spills
//   Code      4,700 and 3,000 instructions; 18,800 and 10,000 with any activation chosen at each
//             sum, more than the instruction caches hold
//   Traffic   x 1.2 times (16x16: 1.27) for each 64 outputs, y once; the weights once a tile, from
//             L2: for 64 -> 64 and 512 pixels 78 KB of pixels, 74 of weights, 65 of outputs, 24
//             bytes a clock beside 9216 clocks of products
//   Work      18 C O flop a pixel
//   Floor     64 -> 64 at 480x640: 22.6 GFLOP, 23 us at the 989 TFLOP/s of an H200's data sheet and
//             29 at the 790 measured; bytes 79 MB, 16 us. Shared memory: an instruction reads 6 KiB
//             in 48 of its 64 clocks
//   Predicted 70 % of the measured rate: 41 us, where mma.sync is predicted to take 55
//   Norm      in place, by each thread on what it has copied, while the products of the step before
//             run: 39 KB read and written (16x32) beside the 442 KB that these read
//   Counts    of outputs in runs of 16 bytes, after their transposition: a thread has four outputs
//             of all its pixels; 8 lanes, then both warpgroups are merged in their order; one part
//             a tile
//   Repeats   bitwise: one writer per element, one order of sums
//   Not tried on hardware yet.
#include "kernels/conv/conv2d_warpgroup.h"

#include <algorithm>

#include "kernels/conv/warpgroup_tile.cuh"
#include "kernels/gemm/norm_epilogue.cuh"

namespace cairn::CAIRN_NS {
namespace {

constexpr int channels_of_step = 32, chunks_of_step = channels_of_step / 8;

template <class Tile>
struct WarpgroupStep {
  alignas(128) bf16 pixels[chunks_of_step * Tile::PixelChunk];
  alignas(128) bf16 weights[9 * chunks_of_step * Tile::WeightChunk];
};

struct WarpgroupConvPlan {
  const bf16 *x, *w;
  const void* bias;  ///< or null; float in a residual block, else bf16
  bf16* y;
  int height, width, channels, outputs;
  Divisor blocks_of_outputs, tiles_across, tiles_down;
  int tiles = 0, steps_of_channels = 0;  ///< all tiles of all outputs; the steps of each
  bool flipped;
  Activation act;
  float slope;
  bool pool2;
  NormSteps steps;
};

/// Where tile t lies: neighbouring ones see the same pixels.
struct WarpgroupPlace {
  int part, first_output, image, top, left;

  template <class Tile>
  CAIRN_DEVICE_MEMBER static WarpgroupPlace of(const WarpgroupConvPlan& p, int t) {
    const int part = p.blocks_of_outputs.quotient(t), row = p.tiles_across.quotient(part),
              image = p.tiles_down.quotient(row);
    return {part, (t - part * p.blocks_of_outputs.value()) * Tile::Outputs, image,
            (row - image * p.tiles_down.value()) * Tile::Rows,
            (part - row * p.tiles_across.value()) * Tile::Columns};
  }
};

/// Which pixel of x a pixel of the tile and its ring is; -1: none.
template <class Tile>
CAIRN_DEVICE int64_t pixel_of(const WarpgroupConvPlan& p, const WarpgroupPlace& at, int pixel) {
  const int row = at.top + pixel / Tile::Across - 1, column = at.left + pixel % Tile::Across - 1;
  const bool inside = unsigned(row) < unsigned(p.height) && unsigned(column) < unsigned(p.width);
  return inside ? (int64_t(at.image) * p.height + row) * p.width + column : -1;
}

/// Starts the copies of one step's pixels and weights.
template <class Tile>
CAIRN_DEVICE void copy_step(const WarpgroupConvPlan& p, const WarpgroupPlace& at, int channel,
                            WarpgroupStep<Tile>& to) {
  constexpr int chunks = chunks_of_step;
  for (int i = int(threadIdx.x); i < chunks * Tile::Pixels; i += Tile::Threads) {
    const int chunk = i % chunks, pixel = i / chunks;
    const int64_t from = pixel_of<Tile>(p, at, pixel);
    cp_async_16(to.pixels + chunk * Tile::PixelChunk + pixel * 8,
                p.x + (from < 0 ? 0 : from * p.channels + channel + chunk * 8), from >= 0);
  }
  copy_weights<Tile, chunks>(p.w + int64_t(at.first_output) * 9 * p.channels, p.channels, channel,
                             p.flipped, to.weights);
  cp_async_commit();
}

/// The norm of the pixels that this thread has copied, when they are there. Those outside of x stay
/// 0.
template <class Tile>
CAIRN_DEVICE void normalise_step(const WarpgroupConvPlan& p, const WarpgroupPlace& at, int channel,
                                 WarpgroupStep<Tile>& step) {
  constexpr int chunks = chunks_of_step;
  static_assert(Tile::Threads % chunks == 0);  // all chunks of a thread are of the same channels
  const int chunk = int(threadIdx.x) % chunks, c = channel + chunk * 8;
  const auto mean = load_pack<8>(static_cast<const float*>(p.steps.in.mean) + c);
  const auto scale = load_pack<8>(static_cast<const float*>(p.steps.in.scale) + c);
  const auto beta = load_pack<8>(static_cast<const float*>(p.steps.in.beta) + c);
  for (int i = int(threadIdx.x); i < chunks * Tile::Pixels; i += Tile::Threads) {
    const int pixel = i / chunks;
    if (pixel_of<Tile>(p, at, pixel) < 0) continue;
    bf16* place = step.pixels + chunk * Tile::PixelChunk + pixel * 8;
    Pack<bf16, 8> x = load_pack<8>(place);
#pragma unroll
    for (int e = 0; e < 8; ++e)
      x[e] = bf16(activate<Activation::relu>((float(x[e]) - mean[e]) * scale[e] + beta[e], 0.f));
    store_pack(place, x);
  }
}

// ---- the last step -----------------------------------------------------------------------------

/// What both warpgroups have of a tile's 64 outputs.
union WarpgroupColumns {
  Moments<float> moments[2][64];
  float sums[2][2][64];
};

/// Which of the tile's outputs is number k of the four that a thread has of each pixel.
CAIRN_DEVICE int output_in_tile(const WarpgroupOutputs& to, int k) {
  return to.own_output() - to.first_output + k / 2 * 8 + k % 2;
}

/// Writes the sums, and their moments if they are wanted.
template <class Tile>
CAIRN_DEVICE void write_and_count(const WarpgroupConvPlan& p, int part, const WarpgroupOutputs& to,
                                  const float (&acc)[Tile::I][16][4]) {
  float rows = 0, pivot[4] = {}, sum[4] = {}, squares[4] = {};
  for_each_pixel<Tile>(to, acc, [&](int64_t offset, const Pack<bf16, 2>(&v)[2]) {
    to.store(offset, v);
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      const float y = float(v[k / 2][k % 2]);
      if (rows == 0) pivot[k] = y;
      const float d = y - pivot[k];
      sum[k] += d;
      squares[k] += d * d;
    }
    rows += 1;
  });
  if (!p.steps.moments) return;
  auto& s = shared<WarpgroupColumns>();
  const int column = int(threadIdx.x);
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    const float off = rows > 0 ? sum[k] / rows : 0.f;
    Moments<float> all{rows, pivot[k] + off, fmaxf(squares[k] - sum[k] * off, 0.f)};
#pragma unroll
    for (int d = 16; d >= 4; d /= 2)
      all = merged(all, {shuffle_down(full_warp, all.n, d), shuffle_down(full_warp, all.mean, d),
                         shuffle_down(full_warp, all.m2, d)});
    if (column % 32 < 4) s.moments[column / 128][output_in_tile(to, k)] = all;
  }
  sync_threads();
  if (column < Tile::Outputs)
    static_cast<Moments<float>*>(
        p.steps.moments)[int64_t(part) * p.outputs + to.first_output + column] =
        merged(s.moments[0][column], s.moments[1][column]);
}

/// Writes the sums where the norm of x is positive, else 0; and the sums of what is written and of
/// its products with x - mean.
template <class Tile>
CAIRN_DEVICE void write_through(const WarpgroupConvPlan& p, int part, const WarpgroupOutputs& to,
                                const float (&acc)[Tile::I][16][4]) {
  const auto* x = static_cast<const bf16*>(p.steps.x) + (to.image - p.y);
  float mean[4], scale[4], beta[4], sums[2][4] = {};
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    const int output = to.first_output + output_in_tile(to, k);
    mean[k] = static_cast<const float*>(p.steps.through.mean)[output];
    scale[k] = static_cast<const float*>(p.steps.through.scale)[output];
    beta[k] = static_cast<const float*>(p.steps.through.beta)[output];
  }
  for_each_pixel<Tile>(to, acc, [&](int64_t offset, const Pack<bf16, 2>(&v)[2]) {
    Pack<bf16, 2> out[2];
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      const Pack<bf16, 2> seen = load_pack<2>(x + offset + 8 * h);
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        const int k = 2 * h + e;
        const float d = float(seen[e]) - mean[k];
        out[h][e] = d * scale[k] + beta[k] > 0 ? v[h][e] : bf16(0.f);
        const float y = float(out[h][e]);
        sums[0][k] += y;
        sums[1][k] += y * d;
      }
    }
    to.store(offset, out);
  });
  auto& s = shared<WarpgroupColumns>();
  const int column = int(threadIdx.x);
#pragma unroll
  for (int k = 0; k < 4; ++k)
#pragma unroll
    for (int q = 0; q < 2; ++q) {
      float all = sums[q][k];
#pragma unroll
      for (int d = 16; d >= 4; d /= 2) all += shuffle_down(full_warp, all, d);
      if (column % 32 < 4) s.sums[q][column / 128][output_in_tile(to, k)] = all;
    }
  sync_threads();
  if (column < Tile::Outputs)
    for (int q = 0; q < 2; ++q)
      static_cast<float*>(
          p.steps.sums)[(int64_t(part) * 2 + q) * p.outputs + to.first_output + column] =
          s.sums[q][0][column] + s.sums[q][1][column];
}

/// Bias, activation, and pool or steps, and out.
template <class Tile, Fused fused>
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
  if constexpr (fused == Fused::end) {
    write_through<Tile>(p, at.part, to, acc);
  } else {
    float shift[2] = {};
    if (p.bias)
      for (int h = 0; h < 2; ++h) {
        const int output = at.first_output + warpgroup_output() + 8 * h;
        shift[h] = p.steps.on ? static_cast<const float*>(p.bias)[output]
                              : float(static_cast<const bf16*>(p.bias)[output]);
      }
    if (fused == Fused::nothing && p.pool2) {  // every activation is monotonic: it may come last
      PooledSums<Tile> pooled(acc);
      constexpr int count = 16 * Tile::I;
#pragma unroll
      for (int k = 0; k < count; ++k) pooled[k] += shift[k % 2];
      activate_each<count>(p.act, p.slope, [&](int k) -> float& { return pooled[k]; });
      pooled.write(to);
      return;
    }
    constexpr int count = 64 * Tile::I;
    const auto sum = [&](int k) -> float& { return acc[k / 64][k / 4 % 16][k % 4]; };
#pragma unroll
    for (int k = 0; k < count; ++k) sum(k) += shift[k / 2 % 2];
    if constexpr (fused == Fused::norm_a) {
      write_and_count<Tile>(p, at.part, to, acc);
    } else {
      activate_each<count>(p.act, p.slope, sum);
      for_each_pixel<Tile>(
          to, acc, [&](int64_t offset, const Pack<bf16, 2>(&v)[2]) { to.store(offset, v); });
    }
  }
}

// ---- the kernel --------------------------------------------------------------------------------

/// In a residual block Fused::norm_a is its forward, Fused::end its backward to the norm before.
template <class Tile, Fused fused>
CAIRN_KERNEL void CAIRN_BOUNDS(256, 1) warpgroup_conv(WarpgroupConvPlan p) {
  constexpr bool normed = fused == Fused::norm_a;
  auto* const buffers = dynamic_shared<WarpgroupStep<Tile>>();
  const auto place = [&](int t) { return WarpgroupPlace::of<Tile>(p, t); };
  const auto arrive = [&](int t, int channel, WarpgroupStep<Tile>& step) {
    cp_async_wait<0>();
    if constexpr (normed) normalise_step<Tile>(p, place(t), channel, step);
    copies_are_for_warpgroups();
  };
  int tile = int(blockIdx.x);
  copy_step<Tile>(p, place(tile), 0, buffers[0]);
  if constexpr (normed) arrive(tile, 0, buffers[0]);
  for (int buffer = 0; tile < p.tiles; tile += int(gridDim.x)) {
    float acc[Tile::I][16][4] = {};
    for (int step = 0; step < p.steps_of_channels; ++step, buffer ^= 1) {
      const int channel = step * channels_of_step;
      if constexpr (!normed) arrive(tile, channel, buffers[buffer]);
      sync_threads();  // this step has arrived, and the products of the one before are done
      multiply_taps<Tile, chunks_of_step>(buffers[buffer].weights, buffers[buffer].pixels, acc);
      const bool last = step + 1 == p.steps_of_channels;
      const int next = last ? tile + int(gridDim.x) : tile,
                next_channel = last ? 0 : channel + channels_of_step;
      if (next < p.tiles) {
        copy_step<Tile>(p, place(next), next_channel, buffers[buffer ^ 1]);
        if constexpr (normed) arrive(next, next_channel, buffers[buffer ^ 1]);
      }
      warpgroup_wait(acc);
    }
    write_outputs<Tile, fused>(p, place(tile), acc);
  }
}

template <class Tile>
void start(const char* name, WarpgroupConvPlan p, int64_t images, Device device) {
  const int64_t across = Tile::across(p.width), down = Tile::down(p.height),
                outputs = p.outputs / Tile::Outputs;
  p.blocks_of_outputs = Divisor(outputs);
  p.tiles_across = Divisor(across);
  p.tiles_down = Divisor(down);
  p.tiles = index_count(images * down * across * outputs);
  p.steps_of_channels = p.channels / channels_of_step;
  const auto run = [&](auto kernel) {
    launch(name, kernel, std::min(p.tiles, blocks_at_once(device)), Tile::Threads,
           2 * sizeof(WarpgroupStep<Tile>), p);
  };
  if (p.steps.sums)
    run(warpgroup_conv<Tile, Fused::end>);
  else if (p.steps.in.mean)
    run(warpgroup_conv<Tile, Fused::norm_a>);
  else
    run(warpgroup_conv<Tile, Fused::nothing>);
}

WarpgroupConvPlan plan_of(const WarpgroupConv& c, Tensor& y) {
  const Epilogue& e = c.epilogue;
  WarpgroupConvPlan p;
  p.x = c.x.data<bf16>();
  p.w = c.w.data<bf16>();
  p.bias = e.bias ? e.bias->raw() : nullptr;
  p.y = y.data<bf16>();
  p.height = index_count(c.x.dim(1));
  p.width = index_count(c.x.dim(2));
  p.channels = index_count(c.x.dim(3));
  p.outputs = index_count(c.w.dim(0));
  p.flipped = c.flipped;
  p.act = e.act;
  p.slope = e.slope;
  p.pool2 = e.pool2;
  if (c.steps) p.steps = *c.steps;
  return p;
}

bool is_aligned(const Tensor& t) { return reinterpret_cast<uintptr_t>(t.raw()) % 16 == 0; }

bool serves(const WarpgroupConv& c, const Tensor& y) {
  const bool sizes = c.w.dim(0) % 64 == 0 && c.w.dim(1) == 3 && c.w.dim(2) == 3 &&
                     c.w.dim(3) % 32 == 0 && c.w.dim(3) == c.x.dim(3);
  return has_warpgroups(y.device()) && sizes && y.count() > 0 && is_aligned(c.x) &&
         is_aligned(c.w) && is_aligned(y) && c.x.dtype() == DType::bf16 &&
         c.w.dtype() == DType::bf16 && y.dtype() == DType::bf16;
}

}  // namespace

std::vector<Algorithm> by_warpgroups(const WarpgroupConv& conv, Tensor& y,
                                     const std::function<void(int64_t parts)>& before) {
  if (!serves(conv, y)) return {};
  const auto way = [&]<class Tile>(const char* name, Tile) {
    return Algorithm{name, [=, &y] {
                       const int64_t images = conv.x.dim(0);
                       if (before)
                         before(images * Tile::down(conv.x.dim(1)) * Tile::across(conv.x.dim(2)));
                       start<Tile>(name, plan_of(conv, y), images, y.device());
                       return true;
                     }};
  };
  return {way("wgmma 16x32", WarpgroupTile<2>()), way("wgmma 16x16", WarpgroupTile<1>())};
}

}  // namespace cairn::CAIRN_NS
