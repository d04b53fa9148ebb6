// best_peaks: suppression tile by tile in shared memory, then ranks.
//
// A block loads its tile of the map and a halo of 16 pixels, and decides there what can be decided:
// a point is deleted if one that is kept is near, and kept if it is the strongest of its window.
// Both are final, whatever lies beyond the halo, as long as a window that reaches beyond it keeps
// nothing. Rounds go on until one changes nothing. For radius 4 that leaves nothing open in the
// heatmaps of photographs (weights/superpoint.safetensors, thresholds 0.005 and 0.015), and 97 of
// 307,200 points in white noise. The rest, chains of points longer than the halo, is finished by
// the image's last block, in the whole map: the number of rounds is found on the device, and the
// launches are always the same.
//
// detector_peaks: the same, and a block computes the softmax of the cells of its tile and its halo
// itself instead of reading a heatmap, which it writes: a launch and 4 B per pixel less.
//
//   Launch    two, after the counts are zeroed: tiles of 40 x 64 by 256 threads, 46 KB of shared
//             memory; a warp per peak for its rank and refinement. A third between them, of one
//             block per image for what stayed open, found nothing to do in photographs: it was a
//             launch for one read, and is now what the last block does.
//   Traffic   8 B per pixel: the heat, and what became of it, should something stay open. The halo
//             is read again, 2.7 times the tile in all, from the cache. Per peak up to 76 B, and
//             8 B of each other one, from the cache; floor = 8 B * pixels / bandwidth, plus two
//             launches and the zeroing.
//   Work      per round and open point a window of (2 radius + 1)^2 in shared memory. 480 x 640
//             with 3 % of its pixels open, 3 rounds: predicted 2 us beyond the launch.
//             Where all scores are equal (a network that has learnt nothing, above the threshold)
//             what is kept follows from the corner on, and the last block takes a round for every
//             step of that way: of order 0.1 s an image.
//   Repeats   bitwise: the lists are filled in any order, but what is kept and how it ranks does
//             not depend on it, and no two peaks share a rank.
#include "kernels/points/best_peaks.h"

#include "kernels/heatmap/detector_cell.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr int threads = 256, halo = 16;
constexpr int tile_height = 40, tile_width = 64;
constexpr int area_height = tile_height + 2 * halo, area_width = tile_width + 2 * halo;
static_assert(area_height * area_width % threads == 0 && tile_height * tile_width % threads == 0,
              "a warp's lanes append together");

// What a point is: absent, open with a key that orders as its score does, or kept.
constexpr int absent = INT32_MIN, kept = INT32_MAX;

CAIRN_DEVICE int open_key(float score) {
  const int bits = int(float_bits(score + 0.0f));  // -0 equals 0
  return bits < 0 ? bits ^ INT32_MAX : bits;
}
CAIRN_DEVICE bool is_open(int key) { return key != absent && key != kept; }

struct Map {
  const float* heat;
  int height, width, radius, border;
  float threshold;

  CAIRN_DEVICE_MEMBER bool has(int y, int x) const {
    return y >= 0 && y < height && x >= 0 && x < width;
  }
  CAIRN_DEVICE_MEMBER bool has_peak(int y, int x) const {
    return y >= border && y < height - border && x >= border && x < width - border;
  }
};

/// A rectangle of a map that starts at (top, left), and the keys in it, row by row.
struct Area {
  int top, left, height, width;
  int* key;
};

/// The peaks so far: lists of `capacity` places per image, and how many are taken.
struct Peaks {
  int* index;
  float* score;
  int* count;
  int capacity;

  CAIRN_DEVICE_MEMBER void set(int64_t image, int place, int i, float s) const {
    index[image * capacity + place] = i;
    score[image * capacity + place] = s;
  }
};

/// A place in a list of `count` for each lane that wants one. All lanes of a warp call it.
CAIRN_DEVICE int take_place(bool wanted, int* count) {
  const unsigned votes = ballot(full_warp, wanted);
  int first = 0;
  if (votes && lane_index() == 0) first = atomic_add(count, popcount(votes));
  return shuffle(full_warp, first, 0) + popcount(votes & ((1u << lane_index()) - 1));
}

/// What becomes of the open point `i` of an area.
CAIRN_DEVICE int next_key(const Map& m, const Area& a, int i) {
  const int y = a.top + i / a.width, x = a.left + i % a.width, mine = a.key[i];
  const int top = max(y - m.radius, 0), bottom = min(y + m.radius, m.height - 1);
  const int left = max(x - m.radius, 0), right = min(x + m.radius, m.width - 1);
  bool strongest =
      top >= a.top && bottom < a.top + a.height && left >= a.left && right < a.left + a.width;
  for (int v = max(top, a.top); v <= min(bottom, a.top + a.height - 1); ++v)
    for (int u = max(left, a.left); u <= min(right, a.left + a.width - 1); ++u) {
      const int j = (v - a.top) * a.width + u - a.left, other = a.key[j];
      if (other == kept) return absent;
      if (other > mine || (other == mine && j < i)) strongest = false;
    }
  return strongest ? kept : mine;
}

/// Rounds over the open points of an area, in `open`, until one decides nothing; *count of them
/// stay there. Calls f(whether this thread keeps a point, which one) with all lanes of a warp. A
/// point sees the decisions of the same round as far as they have been made.
template <class Index, class F>
CAIRN_DEVICE void settle(const Map& m, const Area& a, Index* open, int* count, F&& f) {
  for (int before = 0, now = *count; now > 0 && now != before;) {
    before = now;
    sync_threads();
    if (threadIdx.x == 0) *count = 0;
    for (int first = 0; first < before; first += int(blockDim.x)) {
      const int k = first + int(threadIdx.x);
      const int i = k < before ? int(open[k]) : 0, next = k < before ? next_key(m, a, i) : absent;
      sync_threads();
      if (k < before && !is_open(next)) a.key[i] = next;
      const int place = take_place(is_open(next), count);
      if (is_open(next)) open[place] = Index(i);
      f(next == kept, i);
      sync_threads();
    }
    now = *count;
  }
}

struct Tile {
  int key[area_height * area_width];
  uint16_t open[area_height * area_width], kept[tile_height * tile_width];
  int open_count, kept_count, first_peak;
};

/// Where the scores come from. Calls f(place in the area, score) for all of an area, with all lanes
/// of a warp; outside of the map the score is the threshold.
struct HeatSource {
  template <class F>
  CAIRN_DEVICE_MEMBER void load(const Map& m, int64_t image, const Area& a, F&& f) const {
    for (int i = threadIdx.x; i < area_height * area_width; i += threads) {
      const int y = a.top + i / area_width, x = a.left + i % area_width;
      f(i, m.has(y, x) ? m.heat[(image * m.height + y) * m.width + x] : m.threshold);
    }
  }
};

/// A warp takes a cell; the cells of the tile are written to the map.
struct LogitSource {
  const float* logits;
  float* heat;

  template <class F>
  CAIRN_DEVICE_MEMBER void load(const Map& m, int64_t image, const Area& a, F&& f) const {
    constexpr int cell = detector_cell, channels = cell * cell + 1, columns = area_width / cell,
                  rows = area_height / cell, border = halo / cell;
    static_assert(halo % cell == 0 && tile_height % cell == 0 && tile_width % cell == 0);
    for (int c = warp_index(); c < rows * columns; c += threads / 32) {
      const int row = c / columns, column = c % columns;
      const int y = a.top + row * cell + lane_index() / cell,
                x = a.left + column * cell + lane_index() % cell;
      const bool inside = m.has(y, x);  // all of the cell is, or nothing
      Float2 p{m.threshold, m.threshold};
      if (inside)
        p = cell_softmax(logits +
                         ((image * m.height + y) / cell * (m.width / cell) + x / cell) * channels);
      if (inside && row >= border && row < rows - border && column >= border &&
          column < columns - border) {
        float* to = heat + (image * m.height + y) * m.width + x;
        to[0] = p.x;
        to[4 * m.width] = p.y;  // channel lane + 32: four rows below
      }
      const int i = (y - a.top) * area_width + x - a.left;
      f(i, p.x);
      f(i + 4 * area_width, p.y);
    }
  }
};

/// What the tiles leave open: the keys of whole maps, lists of the open points with their counts,
/// and how many tiles of each image are done.
struct Rest {
  int *key, *open, *count, *tiles_done;
};

template <class Source>
CAIRN_KERNEL void CAIRN_BOUNDS(threads) peaks_kernel(Source source, Map m, Rest rest, Peaks peaks) {
  auto& s = shared<Tile>();
  const int64_t image = blockIdx.z, base = image * m.height * m.width;
  const int top = int(blockIdx.y) * tile_height, left = int(blockIdx.x) * tile_width;
  const Area area{top - halo, left - halo, area_height, area_width, s.key};
  if (threadIdx.x == 0) s.open_count = s.kept_count = 0;
  sync_threads();
  source.load(m, image, area, [&](int i, float score) {
    const bool open = score > m.threshold;
    s.key[i] = open ? open_key(score) : absent;
    const int place = take_place(open, &s.open_count);
    if (open) s.open[place] = uint16_t(i);
  });
  sync_threads();

  settle(m, area, s.open, &s.open_count, [&](bool keeps, int i) {
    const int y = area.top + i / area_width, x = area.left + i % area_width;
    const bool mine = y >= top && y < top + tile_height && x >= left && x < left + tile_width;
    const bool found = keeps && mine && m.has_peak(y, x);
    const int place = take_place(found, &s.kept_count);
    if (found) s.kept[place] = uint16_t(i);
  });

  for (int i = threadIdx.x; i < tile_height * tile_width; i += threads) {
    const int v = i / tile_width, u = i % tile_width, y = top + v, x = left + u;
    const int key = s.key[(v + halo) * area_width + u + halo];
    if (m.has(y, x)) rest.key[base + y * m.width + x] = key;
    const int place = take_place(is_open(key), rest.count + image);
    if (is_open(key)) rest.open[base + place] = y * m.width + x;
  }
  if (threadIdx.x == 0) s.first_peak = atomic_add(peaks.count + image, s.kept_count);
  sync_threads();
  for (int k = threadIdx.x; k < s.kept_count; k += threads) {
    const int y = area.top + s.kept[k] / area_width, x = area.left + s.kept[k] % area_width;
    const int i = y * m.width + x;
    peaks.set(image, s.first_peak + k, i, m.heat[base + i]);
  }

  if (!arrives_last(rest.tiles_done + image, int(gridDim.x * gridDim.y))) return;
  const Area all{0, 0, m.height, m.width, rest.key + base};
  settle(m, all, rest.open + base, rest.count + image, [&](bool keeps, int i) {
    const bool found = keeps && m.has_peak(i / m.width, i % m.width);
    const int place = take_place(found, peaks.count + image);
    if (found) peaks.set(image, place, i, m.heat[base + i]);
  });
}

struct Best {
  int* index;
  float *score, *point;
  int *count, k;

  CAIRN_DEVICE_MEMBER float* set(int64_t image, int place, int i, float s) const {
    index[image * k + place] = i;
    score[image * k + place] = s;
    return point + 2 * (image * k + place);
  }
};

/// A peak's place is the number of those that are better.
CAIRN_KERNEL void rank_kernel(Map m, Peaks peaks, Refinement how, Best best) {
  const int64_t image = blockIdx.y, in = image * peaks.capacity;
  const int found = peaks.count[image], listed = min(found, best.k);
  const int mine = int(global_thread() / 32);
  if (mine < found) {
    const int my_index = peaks.index[in + mine];
    const float my_score = peaks.score[in + mine];
    int rank = 0;
    for (int i = lane_index(); i < found; i += 32) {
      const float other = peaks.score[in + i];
      rank += other > my_score || (other == my_score && peaks.index[in + i] < my_index);
    }
    rank = warp_sum(rank);
    if (lane_index() == 0 && rank < best.k)
      refine_point(m.heat + image * m.height * m.width, m.height, m.width, my_index, how,
                   best.set(image, rank, my_index, my_score));
  }
  if (global_thread() == 0) best.count[image] = listed;
  for (int64_t place = listed + global_thread(); place < best.k; place += global_threads()) {
    float* point = best.set(image, int(place), -1, 0);
    point[0] = point[1] = 0;
  }
}

template <class Source>
void find_peaks(const char* op, const Source& source, const Tensor& heat, const PeakRule& rule,
                BestPeaks& best) {
  const int64_t images = heat.dim(0), height = heat.dim(1), width = heat.dim(2);
  const int64_t capacity = most_peaks(height, width, rule.radius);
  const auto integers = [&](const Shape& s) { return Tensor::empty(s, DType::i32, heat.device()); };
  Tensor keys = integers(heat.shape()), open = integers(heat.shape()),
         peak_index = integers({images, capacity}),
         peak_score = heat.empty_like({images, capacity}),
         counts = Tensor::zeros({3, images}, DType::i32, heat.device());
  int* const count = counts.data<int32_t>();
  const Map m{heat.data<float>(), int(height), int(width),
              rule.radius,        rule.border, float(rule.threshold)};
  const Rest rest{keys.data<int32_t>(), open.data<int32_t>(), count, count + images};
  const Peaks peaks{peak_index.data<int32_t>(), peak_score.data<float>(), count + 2 * images,
                    int(capacity)};
  const auto tiles = [](int64_t side, int tile) { return (side + tile - 1) / tile; };

  launch(op, peaks_kernel<Source>,
         Dim3(tiles(width, tile_width), tiles(height, tile_height), images), threads, 0, source, m,
         rest, peaks);
  launch(op, rank_kernel, Dim3(tiles(std::max<int64_t>(capacity, 1), 8), images), threads, 0, m,
         peaks, rule.refinement,
         Best{best.index.data<int32_t>(), best.score.data<float>(), best.point.data<float>(),
              best.count.data<int32_t>(), int(best.index.dim(1))});
}

}  // namespace

void best_peaks(const Tensor& heat, const PeakRule& rule, BestPeaks& best) {
  find_peaks("best_peaks", HeatSource{}, heat, rule, best);
}

void detector_peaks(const Tensor& logits, const PeakRule& rule, Tensor& heat, BestPeaks& best) {
  find_peaks("detector_peaks", LogitSource{logits.data<float>(), heat.data<float>()}, heat, rule,
             best);
}

}  // namespace cairn::CAIRN_NS
