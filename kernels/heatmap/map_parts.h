#pragma once
// How the cpu kernels walk an NHWC map in which each channel is a picture of its own (a heatmap):
// in parts of whole rows of one image, and within a part in column tiles.
//
// Row y of a tile is one contiguous run of (x1-x0) * channels elements, so inner loops are long
// whatever the number of channels; constants of the channels are repeated along the tile. The cut
// follows from the shape alone: what is summed part by part, in order, does not depend on threads.
#include <algorithm>
#include <vector>

#include "runtime/tensor.h"
#include "runtime/threads.h"

namespace cairn::cpu {

struct MapParts {
  int64_t images, height, width, channels;
  int64_t rows;       ///< of a part: about 2^15 elements, which stay in the second-level cache
  int64_t per_image;  ///< parts of an image
  int64_t tile;       ///< pixels of a tile: at most 2^11 elements, unless one pixel has more

  explicit MapParts(const Shape& nhwc)
      : images(nhwc[0]), height(nhwc[1]), width(nhwc[2]), channels(nhwc[3]) {
    rows = std::clamp<int64_t>((1 << 15) / std::max<int64_t>(width * channels, 1), 1,
                               std::max<int64_t>(height, 1));
    per_image = (height + rows - 1) / rows;
    tile = std::clamp<int64_t>((1 << 11) / std::max<int64_t>(channels, 1), 1,
                               std::max<int64_t>(width, 1));
  }

  int64_t count() const { return images * per_image; }
  int64_t tile_elements() const { return tile * channels; }
  int64_t offset(int64_t image, int64_t y, int64_t x) const {
    return ((image * height + y) * width + x) * channels;
  }

  /// f(part index, image, first row, end row), in parallel. Parts of an image are neighbours.
  template <class F>
  void each(F&& f) const {
    parallel_for(count(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; ++part) {
        const int64_t y0 = part % per_image * rows;
        f(part, part / per_image, y0, std::min(y0 + rows, height));
      }
    });
  }

  /// f(first column, end column) for each tile of a part.
  template <class F>
  void each_tile(F&& f) const {
    for (int64_t x = 0; x < width; x += tile) f(x, std::min(x + tile, width));
  }

  /// The values of the channels, side by side along a tile: one copy, then copies of copies.
  template <class T>
  void repeat(const T* values, T* along) const {
    const int64_t all = tile_elements();
    int64_t done = std::min(channels, all);
    std::copy_n(values, done, along);
    for (; done > 0 && done < all; done = std::min(2 * done, all))
      std::copy_n(along, std::min(done, all - done), along + done);
  }
};

}  // namespace cairn::cpu
