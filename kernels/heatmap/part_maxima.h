#pragma once
// The largest value of each channel in a part of a map, for the cpu kernels with a softmax.
#include <limits>

#include "kernels/heatmap/map_parts.h"
#include "kernels/heatmap/row_loops.h"

namespace cairn::cpu {

/// best[k] = the maximum of channel k in rows y0..y1-1 of an image.
template <class T>
void part_maxima(const MapParts& map, const T* z, int64_t image, int64_t y0, int64_t y1, T* best) {
  constexpr T lowest = std::numeric_limits<T>::lowest();
  std::fill_n(best, map.channels, lowest);
  std::vector<T> column(size_t(map.tile_elements()));
  map.each_tile([&](int64_t x0, int64_t x1) {
    const int64_t run = (x1 - x0) * map.channels;
    std::fill_n(column.data(), run, lowest);
    for (int64_t y = y0; y < y1; ++y)
      CAIRN_ISA_CALL(raise_row, z + map.offset(image, y, x0), column.data(), run);
    for (int64_t i = 0; i < run;)
      for (int64_t k = 0; k < map.channels; ++k, ++i) best[k] = std::max(best[k], column[i]);
  });
}

}  // namespace cairn::cpu
