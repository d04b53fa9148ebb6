// top_k: the k best of a list, by rank: a point's place is the number of points that are better.
//
//   Launch    one thread per point, 256 per block; the scores pass through shared memory in tiles.
//   Work      count^2 comparisons: for the 1000 to 8000 points of a heatmap less than what the
//             passes of a sort wait for each other; floor = count^2 / 4 cycles of one
//             multiprocessor (128 lanes), divided by the number of busy ones.
//   Traffic   8 B per point, 8 B per place of the result.
//   Repeats   bitwise: ranks are whole numbers and no two points share one.
#include "kernels/points/top_k.h"

#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr int threads = 256;

struct Tile {
  float score[threads];
};

CAIRN_KERNEL void top_k_kernel(const int* index, const float* score, const int* count, int listed,
                               int k, int* top_index, float* top_score, int* top_count) {
  const int64_t image = blockIdx.y, in = image * listed, out = image * k;
  const int points = min(count[image], listed), best = min(points, k);
  const int mine = int(blockIdx.x) * threads + int(threadIdx.x);
  const float my_score = mine < points ? score[in + mine] : 0;
  auto& s = shared<Tile>();
  int rank = 0;
  if (int(blockIdx.x) * threads < points)
    for (int first = 0; first < points; first += threads) {
      const int other = first + int(threadIdx.x);
      if (other < points) s.score[threadIdx.x] = score[in + other];
      sync_threads();
      for (int i = 0; i < min(threads, points - first); ++i)
        rank += s.score[i] > my_score || (s.score[i] == my_score && first + i < mine);
      sync_threads();
    }
  if (mine < points && rank < k) {
    top_index[out + rank] = index[in + mine];
    top_score[out + rank] = my_score;
  }
  if (mine == 0) top_count[image] = best;
  for (int64_t place = best + global_thread(); place < k; place += global_threads()) {
    top_index[out + place] = -1;
    top_score[out + place] = 0;
  }
}

}  // namespace

void top_k(const Tensor& index, const Tensor& score, const Tensor& count, Tensor& top_index,
           Tensor& top_score, Tensor& top_count) {
  const int64_t listed = score.dim(1), k = top_score.dim(1);
  const int64_t blocks = std::max<int64_t>(1, (listed + threads - 1) / threads);
  launch("top_k", top_k_kernel, Dim3(blocks, score.dim(0)), threads, 0, index.data<int32_t>(),
         score.data<float>(), count.data<int32_t>(), int(listed), int(k), top_index.data<int32_t>(),
         top_score.data<float>(), top_count.data<int32_t>());
}

}  // namespace cairn::CAIRN_NS
