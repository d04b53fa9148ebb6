// accumulate_warped: maps seen through homographies, brought back to one image and put together.
//
//   Launch    one thread per pixel of the result, 256 per block, grid-stride; a thread goes through
//             the maps in order and keeps its total in a register.
//   Traffic   per pixel 4 B a map read (neighbouring pixels share their taps through the caches;
//             the runs of a row are read by all threads near it) and 28 B of state once; 30 flops
//             and a division a map. Floor = (B * 4 + 28) B * pixels / bandwidth.
//   Repeats   bitwise: every pixel has one writer, which adds in the order of the maps.
#include "kernels/warp/accumulate_warped.h"

#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

struct Maps {
  const float *values, *matrices;
  const int32_t *map_rows, *rows;
  int64_t count;
  int map_height, map_width, height, width;
  bool largest;
  int least_count;
};

CAIRN_KERNEL void accumulate_warped_kernel(Maps m, double* total, int32_t* count, float* result) {
  const int64_t pixels = int64_t(m.height) * m.width, size = int64_t(m.map_height) * m.map_width;
  for (int64_t i = global_thread(); i < pixels; i += global_threads()) {
    const int x = int(i % m.width), y = int(i / m.width);
    double t = total[i];
    int32_t c = count[i];
    for (int64_t b = 0; b < m.count; ++b) {
      const int32_t* span = m.rows + 2 * (b * m.height + y);
      if (x < span[0] || x >= span[1]) continue;
      const TrustedMap<float> map{m.values + b * size, m.map_rows + 2 * b * m.map_height,
                                  m.map_height, m.map_width};
      const double v = map.sample(Projected<float>(m.matrices + 9 * b, float(x), float(y)));
      t = m.largest ? (v > t ? v : t) : t + v;
      ++c;
    }
    total[i] = t;
    count[i] = c;
    result[i] = c < m.least_count ? 0.f : float(m.largest ? t : t / c);
  }
}

}  // namespace

void accumulate_warped(const Tensor& maps, const Tensor& matrices, const Tensor& map_rows,
                       const Tensor& rows, const AccumulateOptions& options, Tensor& total,
                       Tensor& count, Tensor& result) {
  const Maps m{maps.data<float>(),
               matrices.data<float>(),
               map_rows.data<int32_t>(),
               rows.data<int32_t>(),
               maps.dim(0),
               int(maps.dim(1)),
               int(maps.dim(2)),
               int(total.dim(0)),
               int(total.dim(1)),
               options.aggregation == Aggregation::max,
               std::max(options.least_count, 1)};
  launch("accumulate_warped", accumulate_warped_kernel, blocks_for(total.count(), 256), 256, 0, m,
         total.data<double>(), count.data<int32_t>(), result.data<float>());
}

}  // namespace cairn::CAIRN_NS
