// conv2d_pair: an image of 1 or 3 channels -> 64 -> 64, both 3x3, padded by 1 and rectified, then
// the 2x2 pool, in one launch: the first layers of a VGG (SuperPoint's conv1a, conv1b, pool). A
// block computes a tile of the map between into shared memory, with the ring around it that its
// neighbours compute too (pair_first.cuh), multiplies it there with the second weights, and writes
// pooled outputs alone. Any other pair is conv2d twice; so is this one where that is measured to be
// faster (runtime/autotuner.h), and in bf16 on Hopper there is conv2d_pair_warpgroup.sm90a.cu.
//
//   bf16, TF32  tensor cores (mma.sync): tiles of 16x16 before the pool, 8 warps of 64 pixels by 32
//               outputs. Fragments of A are read from the map in shared memory, for all nine taps;
//               the weights arrive as in kernels/gemm/mma_tile.cuh. The first step stays in float32
//               and is rounded to bf16 or TF32 where it is stored.
//   float32     tiles of 8x16 by 128 threads; a thread sums 2x4 pixels of 8 outputs, c by c: the
//               4x6 numbers that its pixels see of a channel serve all nine taps from registers.
//               The weights are transposed to [c, taps, outputs] first, by a launch of its own.
//
//   Launch    N ceil(H/16) ceil(W/16) blocks of 256 threads, float32 N ceil(H/8) ceil(W/16) of 128:
//             1200 and 2400 for an image of 480x640
//   Shared    the map, and behind it the inputs of the first step, then the weights of the second:
//             53 KiB in bf16, 93 in TF32, 68 in float32. On tensor cores the map is in 16-byte
//             chunks, the chunk's number xored with the pixel's in its 2x4 block, so that the 8
//             pixels of an ldmatrix lie in different banks; in float32 it is 64 planes of 10x20
//   Registers at most 128, no spills (sm_80 to sm_120)
//   Resident  per multiprocessor two blocks of 256 threads (TF32 on sm_80, and where there are 100
//             KiB of shared memory: one), three of 128
//   Traffic   x once (the rings from L2), y once; w2 from L2, once a block: for 480x640 88 MB in
//             bf16, 177 in TF32, 354 in float32, which is 16, 32 and 64 us at 5.5 TB/s
//   Work      18 * 64 (64 + r C) flop a pixel; by the rings r = 18^2 / 16^2 = 1.27, in float32
//             180 / 128 = 1.41. 480x640, C = 1: 22.6 GFLOP of the second step, 0.45 (0.50) of the
//             first
//   Floor     of that image on an H200: float32 345 us (67 TFLOP/s); the second step alone 57 us in
//             TF32 and 29 in bf16 at the rates of a large product (395 and 790 TFLOP/s), with 7 us
//             of the first beside it on other cores. By bytes 5 us, in bf16 2: the map between, 79
//             MB written and read, 37 us and in bf16 half, is gone
//   Repeats   bitwise: one writer per element, sums in a fixed order
//   Rejected  The second weights kept in shared memory by blocks that stay: 72 KiB in bf16, one
//             block per multiprocessor, which would wait for its first step (wgmma does not: it
//             runs beside). The first step on tensor cores: its 9 (27) products a sum would fill 16
//             (32) of k, and TF32 would round the image. Tiles of 32x16: less of a ring (1.20), but
//             one block per multiprocessor. In float32 a map [pixel][c]: for 64 products 8 single
//             loads of pixels and 2 vectors of weights, where planes take 2.9 vectors in all.
//   Not tried on hardware yet.
#include "kernels/conv/conv2d_pair.h"

#include "kernels/conv/conv2d_parts.h"
#include "kernels/conv/pair_first.cuh"
#include "kernels/gemm/mma_tile.cuh"
#include "runtime/arithmetic.h"
#include "runtime/autotuner.h"
#include "runtime/graph.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr int features = ConvPair::features;

// ---- tensor cores ------------------------------------------------------------------------------

template <class T, int C_>
struct MmaPair {
  using Product = MmaTile<T, 4, 2>;
  using Tile = PairTile<Product::M / 16, C_, Product::Threads>;
  using Weights = MmaOperand<Product, Product::N, false, false>;
  static_assert(Product::N == features);

  struct Memory {
    alignas(16) T map[Tile::MapRows * Tile::MapColumns * features];
    union {
      typename Tile::Inputs inputs;
      alignas(16) typename Weights::Buffers w2;
    };
  };

  /// Where a feature of the map's pixel lies.
  CAIRN_DEVICE_MEMBER static int place(int row, int column, int feature) {
    constexpr int run = 16 / sizeof(T);
    const int chunk = feature / run ^ ((row & 1) << 2 | (column & 3));
    return (row * Tile::MapColumns + column) * features + chunk * run + feature % run;
  }

  CAIRN_DEVICE_MEMBER static T rounded(float z) {
    if constexpr (sizeof(T) == 4)
      return bits_float(to_tf32(z));
    else
      return T(z);
  }
};

/// Rows of the product run through the 2x2 windows of a row of windows: 8 of them are 2x4 pixels,
/// the 64 of a warp four rows of 16.
template <class T, int C>
CAIRN_KERNEL void CAIRN_BOUNDS(256, 2) pair_on_tensor_cores(ConvPair p) {
  using Pair = MmaPair<T, C>;
  using Tile = typename Pair::Tile;
  using Product = typename Pair::Product;
  auto& s = *dynamic_shared<typename Pair::Memory>();
  const PairPlace at = PairPlace::of(p, int(blockIdx.x), Tile());

  load_image<T, Tile>(p, at, s.inputs);
  load_first_weights<T, Tile>(p, s.inputs);
  sync_threads();
  first_step<Tile>(p, at, s.inputs, [&](int row, int column, int feature, const auto& values) {
#pragma unroll
    for (int i = 0; i < Tile::Run; ++i) {
      Pack<T, 4> out;
#pragma unroll
      for (int e = 0; e < 4; ++e) out[e] = Pair::rounded(values[i][e]);
      store_pack(s.map + Pair::place(row, column + i, feature), out);
    }
  });
  sync_threads();  // the map is there, the inputs are read

  constexpr int K = Product::K, all = 9 * features, Ahead = Product::Buffers - 1;
  typename Pair::Weights w2(p.w2, 0, 0, features, {}, s.w2);
  const auto load = [&](int k, int buffer) {
    if (k < all) w2.load(buffer, k, all);
    cp_async_commit();
  };
  MmaSums<Product> sums;
  // This lane's row of an ldmatrix: its pixel in the warp's four rows, and its half of k.
  const int lane = sums.lane, half = lane / 16 * (16 / int(sizeof(T)));
  const int row = 4 * sums.warp_m + lane / 2 % 2,
            column = lane / 8 % 2 * 4 + lane / 4 % 2 * 2 + lane % 2;
#pragma unroll
  for (int i = 0; i < Ahead; ++i) load(i * K, i);
  for (int k = 0, buffer = 0; k < all; k += K) {
    cp_async_wait<Ahead - 1>();
    sync_threads();  // this step has arrived, and the buffer of the step before is free
    load(k + Ahead * K, (buffer + Ahead) % Product::Buffers);
    const int tap = k / features, u = tap / 3, v = tap % 3;
#pragma unroll
    for (int step = 0; step < K; step += Product::Step) {
      const T* pixel = s.map + Pair::place(row + u, column + v, k % features + step + half);
      unsigned left[4][4], right[4][2];
#pragma unroll
      for (int i = 0; i < 4; ++i)
        ldmatrix_x4(left[i][0], left[i][1], left[i][2], left[i][3],
                    pixel + (i / 2 * 2 * Tile::MapColumns + i % 2 * 8) * features);
#pragma unroll
      for (int j = 0; j < 4; j += 2)
        w2.fragments(buffer, 32 * sums.warp_n + 8 * j, step, false, right[j][0], right[j][1],
                     right[j + 1][0], right[j + 1][1]);
      if constexpr (sizeof(T) == 4)
        mma_tile_tf32(sums.acc, left, right);
      else
        mma_tile(sums.acc, left, right);
    }
    buffer = (buffer + 1) % Product::Buffers;
  }

  // The four lanes of a window hold its maximum; each writes 2 of its 8 runs' outputs.
  sums.pool();
  const int run = lane / 4 % 4, n = 32 * sums.warp_n + 8 * run + 2 * (lane % 4);
  const int height = p.height / 2, width = p.width / 2;
  const T* bias = static_cast<const T*>(p.b2);
  float shift[2] = {};
  if (bias)
    for (int e = 0; e < 2; ++e) shift[e] = float(bias[n + e]);
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const int y = at.top / 2 + 2 * sums.warp_m + i / 4, x = at.left / 2 + i % 4 * 2 + lane / 16;
    Pack<T, 2> out;
#pragma unroll
    for (int e = 0; e < 2; ++e) {
      float z = 0;
#pragma unroll
      for (int j = 0; j < 4; ++j) z = j == run ? sums.run(i, j)[e] : z;
      out[e] = T(activate<Activation::relu>(z + shift[e], 0.f));
    }
    T* to = static_cast<T*>(p.y) + ((int64_t(at.image) * height + y) * width + x) * features;
    if (y < height && x < width) store_pack(to + n, out);
  }
}

// ---- FFMA --------------------------------------------------------------------------------------

template <int C>
struct FfmaPair {
  static constexpr int Threads = 128, Channels = 4;  ///< of a step
  using Tile = PairTile<8, C, Threads>;
  static constexpr int Step = Channels * 9 * features;  ///< floats of the weights

  struct Memory {
    alignas(16) float map[features][Tile::MapRows][Tile::MapColumns + 2];
    union {
      typename Tile::Inputs inputs;
      alignas(16) float w2[2][Step];
    };
  };
};

template <int C>
CAIRN_KERNEL void CAIRN_BOUNDS(128, 3) pair_by_ffma(ConvPair p) {
  using Pair = FfmaPair<C>;
  using Tile = typename Pair::Tile;
  auto& s = *dynamic_shared<typename Pair::Memory>();
  const PairPlace at = PairPlace::of(p, int(blockIdx.x), Tile());

  load_image<float, Tile>(p, at, s.inputs);
  load_first_weights<float, Tile>(p, s.inputs);
  sync_threads();
  first_step<Tile>(p, at, s.inputs, [&](int row, int column, int feature, const auto& values) {
#pragma unroll
    for (int e = 0; e < 4; ++e)
#pragma unroll
      for (int i = 0; i < Tile::Run; i += 2)
        store_pack(&s.map[feature + e][row][column + i],
                   Pack<float, 2>{values[i][e], values[i + 1][e]});
  });
  sync_threads();  // the map is there, the inputs are read

  const auto load = [&](int c, int buffer) {
    const float* from = static_cast<const float*>(p.w2.data) + c * 9 * features;
    for (int i = 4 * int(threadIdx.x); i < Pair::Step; i += 4 * Pair::Threads)
      cp_async_16(s.w2[buffer] + i, from + i);
    cp_async_commit();
  };
  const int n = int(threadIdx.x) % 8 * 4, across = int(threadIdx.x) / 8 % 4 * 4,
            down = int(threadIdx.x) / 32 * 2;
  float sums[2][4][8] = {};
  load(0, 0);
  for (int first = 0, buffer = 0; first < features; first += Pair::Channels, buffer ^= 1) {
    cp_async_wait<0>();
    sync_threads();  // this step has arrived, and the other buffer is free
    if (first + Pair::Channels < features) load(first + Pair::Channels, buffer ^ 1);
#pragma unroll 1
    for (int c = 0; c < Pair::Channels; ++c) {
      float seen[4][6];
#pragma unroll
      for (int r = 0; r < 4; ++r) {
        const float* from = s.map[first + c][down + r] + across;
        const auto four = load_pack<4>(from);
        const auto two = load_pack<2>(from + 4);
#pragma unroll
        for (int i = 0; i < 6; ++i) seen[r][i] = i < 4 ? four[i] : two[i - 4];
      }
#pragma unroll
      for (int tap = 0; tap < 9; ++tap) {
        const float* w = s.w2[buffer] + (9 * c + tap) * features + n;
        const Pack<float, 4> weight[2] = {load_pack<4>(w), load_pack<4>(w + 32)};
#pragma unroll
        for (int i = 0; i < 2; ++i)
#pragma unroll
          for (int j = 0; j < 4; ++j)
#pragma unroll
            for (int e = 0; e < 8; ++e)
              sums[i][j][e] += seen[i + tap / 3][j + tap % 3] * weight[e / 4][e % 4];
      }
    }
  }

  const int height = p.height / 2, width = p.width / 2, y = (at.top + down) / 2;
  const float* bias = static_cast<const float*>(p.b2);
#pragma unroll
  for (int j = 0; j < 4; j += 2) {
    const int x = (at.left + across + j) / 2;
    if (y >= height || x >= width) continue;
    float* to =
        static_cast<float*>(p.y) + ((int64_t(at.image) * height + y) * width + x) * features;
#pragma unroll
    for (int h = 0; h < 8; h += 4) {
      Pack<float, 4> out;
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const float z = larger(larger(sums[0][j][h + e], sums[0][j + 1][h + e]),
                               larger(sums[1][j][h + e], sums[1][j + 1][h + e]));
        out[e] = activate<Activation::relu>(z + (bias ? bias[n + 8 * h + e] : 0.f), 0.f);
      }
      store_pack(to + n + 8 * h, out);
    }
  }
}

// ---- which one ---------------------------------------------------------------------------------

bool is_3x3(const ConvStep& step, int64_t channels) {
  return step.w.shape() == Shape{features, 3, 3, channels} &&
         step.options == Conv2dOptions{.padding = 1} && step.epilogue.act == Activation::relu;
}

bool fused(const Tensor& x, const ConvStep& first, const ConvStep& second) {
  const int64_t C = x.dim(3);
  return (C == 1 || C == 3) && x.dtype() != DType::f64 && is_3x3(first, C) &&
         is_3x3(second, features) && second.epilogue.pool2;
}

template <class Pair>
void start(const char* name, void (*kernel)(ConvPair), ConvPair& p, int64_t images) {
  using Tile = typename Pair::Tile;
  const int64_t down = (p.height + Tile::Rows - 1) / Tile::Rows,
                across = (p.width + Tile::Columns - 1) / Tile::Columns;
  p.tiles_down = Divisor(down);
  p.tiles_across = Divisor(across);
  launch(name, kernel, index_count(images * down * across), Tile::Threads,
         sizeof(typename Pair::Memory), p);
}

template <int C>
void start(ConvPair& p, const Tensor& x, const Tensor& w2, const Tensor& y) {
  const int64_t N = x.dim(0);
  if (x.dtype() == DType::bf16)
    return start<MmaPair<bf16, C>>("conv2d_pair bf16", pair_on_tensor_cores<bf16, C>, p, N);
  if (tf32_products())
    return start<MmaPair<float, C>>("conv2d_pair tf32", pair_on_tensor_cores<float, C>, p, N);
  const Tensor transposed = transposed_weights(w2, Conv2dSizes(y, w2, {.padding = 1}));
  p.w2.data = transposed.raw();
  start<FfmaPair<C>>("conv2d_pair f32", pair_by_ffma<C>, p, N);
}

const void* raw(const Tensor* t) { return t ? t->raw() : nullptr; }

}  // namespace

namespace {

bool one_by_one(const Tensor& x, const ConvStep& first, const ConvStep& second, Tensor& y) {
  Tensor between = x.empty_like(conv_step_shape(x.shape(), first));
  CAIRN_NS::conv2d(x, first.w, first.options, first.epilogue, between);
  CAIRN_NS::conv2d(between, second.w, second.options, second.epilogue, y);
  return true;
}

ConvPair pair_of(const Tensor& x, const ConvStep& first, const ConvStep& second, Tensor& y) {
  return {.x = x.raw(),
          .w1 = first.w.raw(),
          .b1 = raw(first.epilogue.bias),
          .w2 = matrix(second.w.raw(), 9 * features, 9 * features),
          .b2 = raw(second.epilogue.bias),
          .y = y.raw(),
          .height = int(x.dim(1)),
          .width = int(x.dim(2)),
          .tiles_down = Divisor(),
          .tiles_across = Divisor()};
}

bool in_one_kernel(const Tensor& x, const ConvStep& first, const ConvStep& second, Tensor& y) {
  ConvPair p = pair_of(x, first, second, y);
  x.dim(3) == 1 ? start<1>(p, x, second.w, y) : start<3>(p, x, second.w, y);
  return true;
}

}  // namespace

void conv2d_pair(const Tensor& x, const ConvStep& first, const ConvStep& second, Tensor& y) {
  if (y.count() == 0) return;
  if (!fused(x, first, second)) return void(one_by_one(x, first, second, y));
  Autotuner& tuner = autotuner(y.device());
  if (!tuner.chooses()) return void(in_one_kernel(x, first, second, y));
  std::vector<Algorithm> ways{{"one kernel", [&] { return in_one_kernel(x, first, second, y); }},
                              {"one by one", [&] { return one_by_one(x, first, second, y); }}};
  const ConvPair p = pair_of(x, first, second, y);
  if (x.dtype() == DType::bf16 && warpgroups_serve_pair(p, y.device()))
    ways.push_back({"wgmma", [&] {
                      pair_by_warpgroups(p, x.dim(0), x.dim(3), y.device());
                      return true;
                    }});
  const Conv2dSizes s(x, first.w, first.options);
  tuner.run(problem_name("conv2d_pair", x.dtype(), s, first.options, first.epilogue, x.dtype()),
            ways, y, !capture::running(y.device()));
}

}  // namespace cairn::CAIRN_NS
