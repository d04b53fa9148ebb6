#pragma once
// What ladders claim of the launches that they share. Included by .cu files only.
#include "kernels/gemm/tiled_product.h"
#include "kernels/heatmap/over_pixels.h"
#include "kernels/ladder/ladders.h"

namespace cairn::CAIRN_NS {

/// Operations of an exponential: its unit serves 16 lanes of a multiprocessor a cycle, where the
/// others do 256 additions and multiplications.
constexpr double exponential = 16;

/// Sectors that a warp fetches, in bytes for each byte it asks for, when its threads read floats
/// that lie `apart` elements from each other.
inline double sector_waste(int64_t apart) { return double(std::min<int64_t>(apart, 8)); }

/// Claims of the kernels of over_pixels.h. `loaded`, `stored` and `flops` are per element,
/// `constants` what a thread loads of its map.
struct PixelClaims {
  PixelGrid grid;

  uint64_t maps() const { return uint64_t(grid.maps()); }
  uint64_t elements() const { return maps() * uint64_t(grid.height) * uint64_t(grid.width); }
  uint64_t states() const { return maps() * uint64_t(grid.slices); }
  uint64_t threads() const { return states() * uint64_t(grid.slots); }

  LadderLaunch each_pixel(uint64_t loaded, uint64_t stored, uint64_t constants,
                          double flops) const {
    return {.bytes = {.loaded = loaded * elements() + constants * threads(),
                      .stored = stored * elements(),
                      .distinct_loaded = loaded * elements() + constants * maps(),
                      .distinct_stored = stored * elements()},
            .flops = flops * double(elements()),
            .blocks = grid.blocks().count()};
  }
  /// The two launches of reduce_pixels, with states and results of so many bytes.
  std::vector<LadderLaunch> reduce(uint64_t loaded, uint64_t constants, uint64_t state,
                                   uint64_t result, double flops) const {
    LadderLaunch slices = each_pixel(loaded, 0, constants, flops), merge;
    slices.bytes.stored = slices.bytes.distinct_stored = state * states();
    merge.bytes = {state * states(), result * maps(), state * states(), result * maps()};
    merge.blocks = blocks_for(grid.maps(), 64).count();
    return {slices, merge};
  }
};

/// The tiles into which a float32 product of m rows by n columns is cut (kernels/gemm/gemm.cu). A
/// column of a tile is shared by `threads_down` of its threads.
struct ProductTiles {
  int64_t m, n, rows, columns, down, across, threads, threads_down;

  ProductTiles(int64_t m_, int64_t n_) : m(m_), n(n_) {
    Product p;
    p.m = index_count(m);
    p.n = index_count(n);
    const bool large = usual_tile(p, DType::f32) == ProductTile::ffma_128x64;
    rows = large ? 128 : 32;
    columns = large ? 64 : 32;
    threads = large ? 128 : 64;
    threads_down = large ? 16 : 8;
    down = (m + rows - 1) / rows;
    across = (n + columns - 1) / columns;
  }
  int64_t count() const { return down * across; }

  /// C = A B': each tile loads its rows of A, of which `inside` elements lie in the tensor, and its
  /// columns of B [n,k].
  LadderLaunch product(int64_t a_elements, int64_t inside, int64_t k) const {
    LadderLaunch l;
    l.bytes.loaded = 4 * uint64_t(inside * across + n * k * down);
    l.bytes.distinct_loaded = 4 * uint64_t(a_elements + n * k);
    l.bytes.stored = l.bytes.distinct_stored = 4 * uint64_t(m * n);
    l.flops = 2 * double(m * n) * double(k);
    l.l2_bytes = double(l.bytes.loaded);
    l.blocks = count();
    return l;
  }
};

inline std::vector<LadderLaunch> joined(std::initializer_list<std::vector<LadderLaunch>> lists) {
  std::vector<LadderLaunch> all;
  for (const auto& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

}  // namespace cairn::CAIRN_NS
