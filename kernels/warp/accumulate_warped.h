#pragma once
// Maps of one image, each made of the image seen through another homography, brought back and put
// together (homographic adaptation: DeTone et al., "SuperPoint", CVPRW 2018, section 5).
//
//   maps      [B,h,w]; f32 (f64 on cpu)
//   matrices  [B,3,3]; f32 (f64 on cpu): from pixels of the result to pixels of a map
//   map_rows  i32 [B,h,2]: in row y of a map the columns begin <= x < end are trusted, others are 0
//   rows      i32 [B,H,2]: the pixels of the result that a map speaks of, likewise
//   total     f64 [H,W]: the sum, or the largest, of what was said of a pixel before; updated
//   count     i32 [H,W]: by how many maps; updated
//   result    [H,W], type of maps: total / count, or for Aggregation::max total; 0 where count is
//             below least_count, or 0
//
//   for b = 0..B-1, at each pixel p of rows[b]:
//     v = bilinear(trusted map b, at M_b p), 0 outside;   total(p) += v or max= v;   count(p) += 1
//
// The sum is in double, so that N maps with the same float32 value have exactly that mean. Maps
// are not negative where the largest is asked for. No gradient: it makes labels.
#include "kernels/dispatch.h"
#include "kernels/warp/warp_image.h"

namespace cairn {

enum class Aggregation : uint8_t { sum, max };

struct AccumulateOptions {
  Aggregation aggregation = Aggregation::sum;
  int least_count = 0;
};

/// A map of which only a run of columns in each row is trusted.
template <class T>
struct TrustedMap {
  const T* values;
  const int32_t* rows;
  int64_t height, width;

  /// Bilinear at p; what does not exist or is not trusted is 0.
  template <class P>
  CAIRN_HD P sample(const Projected<P>& p) const {
    if (!p.defined) return 0;
    const auto u = axis_tap(p.x, width, Padding::zeros), v = axis_tap(p.y, height, Padding::zeros);
    return v.weight[0] * along_row(v.at[0], u) + v.weight[1] * along_row(v.at[1], u);
  }

 private:
  template <class P>
  CAIRN_HD P along_row(int64_t y, const AxisTap<P>& u) const {
    const int32_t begin = rows[2 * y], end = rows[2 * y + 1];
    const T* row = values + y * width;
    const P left = u.at[0] >= begin && u.at[0] < end ? P(row[u.at[0]]) : P(0);
    const P right = u.at[1] >= begin && u.at[1] < end ? P(row[u.at[1]]) : P(0);
    return u.weight[0] * left + u.weight[1] * right;
  }
};

CAIRN_ON_EACH_DEVICE(void accumulate_warped(const Tensor& maps, const Tensor& matrices,
                                            const Tensor& map_rows, const Tensor& rows,
                                            const AccumulateOptions& options, Tensor& total,
                                            Tensor& count, Tensor& result);)

/// Updates total and count, and writes result.
inline void accumulate_warped(const Tensor& maps, const Tensor& matrices, const Tensor& map_rows,
                              const Tensor& rows, const AccumulateOptions& options, Tensor& total,
                              Tensor& count, Tensor& result) {
  CAIRN_DISPATCH(maps.device(), accumulate_warped, maps, matrices, map_rows, rows, options, total,
                 count, result);
}

}  // namespace cairn
