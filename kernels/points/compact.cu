// compact: the places above a threshold, in order, as a list.
//
//   Launch    a block of 256 per tile of 2048 pixels, twice: to count, and to write each point to
//             its place, which is the number of points in the tiles before plus those before it in
//             the tile (ballots and their bit counts).
//   Traffic   8 B per pixel and 8 B per place of the list: bandwidth-bound;
//             floor = (8 B * pixels + 8 B * capacity) / bandwidth.
//   Repeats   bitwise: places follow from counts alone.
#include "kernels/points/compact.h"

#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr int threads = 256, warps = threads / 32, tile = 2048;

struct Map {
  const float* heat;
  int height, width, border;
  float threshold;

  CAIRN_DEVICE_MEMBER bool has_point(int64_t image, int i) const {
    if (i >= height * width) return false;
    const int y = i / width, x = i % width;
    return x >= border && x < width - border && y >= border && y < height - border &&
           heat[image * height * width + i] > threshold;
  }
};

CAIRN_KERNEL void count_kernel(Map m, int* tile_counts) {
  const int first = blockIdx.x * tile;
  int found = 0;
  for (int i = first + int(threadIdx.x); i < first + tile; i += threads)
    found += m.has_point(blockIdx.y, i);
  found = block_sum<threads>(found);
  if (threadIdx.x == 0) tile_counts[blockIdx.y * gridDim.x + blockIdx.x] = found;
}

struct WarpCounts {
  int count[warps];
};

CAIRN_KERNEL void list_kernel(Map m, const int* tile_counts, int capacity, int* index, float* score,
                              int* count) {
  const int64_t image = blockIdx.y;
  int before = 0, total = 0;
  for (int t = threadIdx.x; t < int(gridDim.x); t += threads) {
    const int n = tile_counts[image * gridDim.x + t];
    total += n;
    if (t < int(blockIdx.x)) before += n;
  }
  before = block_sum<threads>(before);
  total = block_sum<threads>(total);

  auto& in_warp = shared<WarpCounts>();
  for (int k = 0; k < tile; k += threads) {
    const int i = blockIdx.x * tile + k + threadIdx.x;
    const bool here = m.has_point(image, i);
    const unsigned votes = ballot(full_warp, here);
    if (lane_index() == 0) in_warp.count[warp_index()] = popcount(votes);
    sync_threads();
    int place = before + popcount(votes & ((1u << lane_index()) - 1));
    for (int w = 0; w < warps; ++w) {
      if (w < warp_index()) place += in_warp.count[w];
      before += in_warp.count[w];
    }
    sync_threads();
    if (here && place < capacity) {
      index[image * capacity + place] = i;
      score[image * capacity + place] = m.heat[image * m.height * m.width + i];
    }
  }

  if (blockIdx.x == 0 && threadIdx.x == 0) count[image] = total;
  for (int64_t place = total + global_thread(); place < capacity; place += global_threads()) {
    index[image * capacity + place] = -1;
    score[image * capacity + place] = 0;
  }
}

}  // namespace

void compact(const Tensor& heat, double threshold, int border, Tensor& index, Tensor& score,
             Tensor& count) {
  const Map m{heat.data<float>(), int(heat.dim(1)), int(heat.dim(2)), border, float(threshold)};
  const int64_t tiles = std::max<int64_t>(1, (heat.dim(1) * heat.dim(2) + tile - 1) / tile);
  Tensor tile_counts = Tensor::empty({heat.dim(0), tiles}, DType::i32, heat.device());
  launch("compact", count_kernel, Dim3(tiles, heat.dim(0)), threads, 0, m,
         tile_counts.data<int32_t>());
  launch("compact", list_kernel, Dim3(tiles, heat.dim(0)), threads, 0, m,
         tile_counts.data<int32_t>(), int(index.dim(1)), index.data<int32_t>(), score.data<float>(),
         count.data<int32_t>());
}

}  // namespace cairn::CAIRN_NS
