// conv2d_pair of bf16 on Hopper's tensor cores: blocks that stay keep the second weights in shared
// memory, and while the products of one tile run, the same threads make the map between of the next
// (pair_first.cuh) on the cores that wgmma leaves idle.
//
//   Launch    one block of 256 threads a multiprocessor, or one a tile if these are fewer; tiles of
//             16x16 before the pool, 1200 for an image of 480x640
//   Shared    74 KiB of weights, twice 41 of the map with its ring, the image under it: 161 KiB
//             (C = 3: 169)
//   Registers 64 sums a thread beside what the first step needs: 164 in all (C = 3: 197)
//   Order     products of tile t begin; outputs of t - 1 are written; image and map of t + 1; wait
//   Traffic   x once (its rings from L2), y once: 10.4 MB of 480x640 with C = 1, 2 us; the second
//             weights once a block, 10 MB from L2 where blocks of the mma.sync kernel fetch 88
//   Work      as conv2d_pair.cu: 22.6 GFLOP of the second step for 480x640, 0.45 of the first
//   Floor     29 us for that image on an H200 at the 790 TFLOP/s that a large product reaches
//   Predicted a tile is 4608 clocks of products. Shared memory is busier: 3456 for them, 810 for
//             what the first step reads, 650 for what it writes, 4916 in all; its arithmetic, 2400,
//             is hidden. With 300 for the pool and the barriers and 10 tiles a block 30 us at 1755
//             MHz, where the mma.sync kernel's products alone take 57
//   Repeats   bitwise: one writer per element, one order of sums, which begins with the bias
//   Not tried on hardware yet.
#include <algorithm>

#include "kernels/conv/pair_first.cuh"
#include "kernels/conv/warpgroup_tile.cuh"
#include "kernels/gemm/tiled_product.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr int features = ConvPair::features, chunks = features / 8;
using Tile = WarpgroupTile<1>;
static_assert(Tile::Outputs == features);

template <int C>
struct WarpgroupPair {
  using First = PairTile<Tile::Rows, C, Tile::Threads>;
  static_assert(First::MapColumns == Tile::Across && First::Columns == Tile::Columns);

  struct Memory {
    alignas(128) bf16 map[2][chunks * Tile::PixelChunk];
    alignas(128) bf16 w2[9 * chunks * Tile::WeightChunk];
    typename First::Inputs inputs;
  };
};

template <int C>
CAIRN_KERNEL void CAIRN_BOUNDS(256, 1) pair_on_warpgroups(ConvPair p, int tiles) {
  using Pair = WarpgroupPair<C>;
  using First = typename Pair::First;
  auto& s = *dynamic_shared<typename Pair::Memory>();
  const auto place = [&](int tile) { return PairPlace::of(p, tile, First()); };
  const auto make_map = [&](int tile, bf16* map) {
    first_step<First>(
        p, place(tile), s.inputs, [&](int row, int column, int feature, const auto& values) {
#pragma unroll
          for (int i = 0; i < First::Run; ++i) {
            Pack<bf16, 4> out;
#pragma unroll
            for (int e = 0; e < 4; ++e) out[e] = bf16(values[i][e]);
            const int pixel = row * Tile::Across + column + i;
            store_pack(map + feature / 8 * Tile::PixelChunk + pixel * 8 + feature % 8, out);
          }
        });
    copies_are_for_warpgroups();  // ordinary stores, that is
  };
  const auto outputs_of = [&](int tile) {
    const PairPlace at = place(tile);
    const int height = p.height / 2, width = p.width / 2;
    bf16* image = static_cast<bf16*>(p.y) + int64_t(at.image) * height * width * features;
    return WarpgroupOutputs{image, height, width, features, 0, at.top, at.left};
  };

  int tile = int(blockIdx.x);
  copy_weights<Tile, chunks>(static_cast<const bf16*>(p.w2.data), features, 0, false, s.w2);
  cp_async_commit();
  load_first_weights<bf16, First>(p, s.inputs);
  load_image<bf16, First>(p, place(tile), s.inputs);
  cp_async_wait<0>();
  sync_threads();
  make_map(tile, s.map[0]);

  const auto* bias = static_cast<const bf16*>(p.b2);
  float shift[2] = {};
  if (bias)
    for (int h = 0; h < 2; ++h) shift[h] = float(bias[warpgroup_output() + 8 * h]);
  float acc[1][16][4] = {};
  PooledSums<Tile> pooled(acc);
  int done = -1;
  for (int buffer = 0; tile < tiles; tile += int(gridDim.x), buffer ^= 1) {
    sync_threads();  // the map is there, the image is read, the other map's products are done
#pragma unroll
    for (int k = 0; k < 64; ++k) acc[0][k / 4][k % 4] = shift[k / 2 % 2];
    multiply_taps<Tile, chunks>(s.w2, s.map[buffer], acc);
    if (done >= 0) pooled.write(outputs_of(done));
    const int next = tile + int(gridDim.x);
    if (next < tiles) {
      load_image<bf16, First>(p, place(next), s.inputs);
      sync_threads();
      make_map(next, s.map[buffer ^ 1]);
    }
    warpgroup_wait(acc);
    pooled = PooledSums<Tile>(acc);
    activate_each<Activation::relu, 16>(0.f, [&](int k) -> float& { return pooled[k]; });
    done = tile;
  }
  pooled.write(outputs_of(done));
}

template <int C>
void start(ConvPair p, int64_t images, Device device) {
  const int64_t down = Tile::down(p.height), across = Tile::across(p.width);
  p.tiles_down = Divisor(down);
  p.tiles_across = Divisor(across);
  const int tiles = index_count(images * down * across);
  launch("conv2d_pair wgmma", pair_on_warpgroups<C>, std::min(tiles, blocks_at_once(device)),
         Tile::Threads, sizeof(typename WarpgroupPair<C>::Memory), p, tiles);
}

}  // namespace

bool warpgroups_serve_pair(const ConvPair& p, Device device) {
  const auto places = reinterpret_cast<uintptr_t>(p.w2.data) | reinterpret_cast<uintptr_t>(p.y);
  return has_warpgroups(device) && places % 16 == 0;
}

void pair_by_warpgroups(ConvPair p, int64_t images, int64_t C, Device device) {
  C == 1 ? start<1>(p, images, device) : start<3>(p, images, device);
}

}  // namespace cairn::CAIRN_NS
