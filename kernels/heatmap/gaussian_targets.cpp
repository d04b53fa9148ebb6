#include "kernels/heatmap/gaussian_targets.h"

#include "kernels/heatmap/map_parts.h"
#include "kernels/vector_math.h"

namespace cairn::cpu {
namespace {

// The factors of the cells begin..end-1 along one axis, and the range of those inside the stamp.
template <class T>
struct Axis {
  int64_t begin, end;
  std::vector<T> factor;

  Axis(int64_t first, int64_t last, T centre, const TargetOptions& o)
      : begin(last), end(first), factor(size_t(last - first)) {
    const T falloff = T(0.5 / (o.sigma * o.sigma)), reach = T(o.half_width);
    for (int64_t i = first; i < last; ++i) {
      const T d = T(i) - centre;
      if (!(std::abs(d) <= reach)) continue;
      begin = std::min(begin, i);
      end = i + 1;
      factor[i - first] = exp_vec(-falloff * d * d);
    }
  }
};

template <class T>
struct LargestWins {
  void operator()(T& out, int64_t, T value) const {
    if (std::abs(value) > std::abs(out)) out = value;
  }
};

// `seen` counts the stamps on each element of a part.
template <class T>
struct MeanOfAll {
  std::vector<int>& seen;
  void operator()(T& out, int64_t at, T value) const {
    const T count = T(++seen[size_t(at)]);
    out += (value - out) / count;
  }
};

template <class T>
void draw(const T* points, const uint8_t* visible, int64_t instances, const TargetOptions& options,
          const MapParts& map, T* y) {
  map.each([&](int64_t, int64_t image, int64_t y0, int64_t y1) {
    const int64_t first = map.offset(image, y0, 0);
    const int64_t elements = (y1 - y0) * map.width * map.channels;
    std::fill_n(y + first, elements, T(0));
    std::vector<int> seen(options.overlap == TargetOverlap::mean ? size_t(elements) : 0);
    for (int64_t m = 0; m < instances * map.channels; ++m) {
      const int64_t at = image * instances * map.channels + m, k = m % map.channels;
      if (!visible[at]) continue;
      const Axis<T> rows(y0, y1, target_centre(options.centre, points[2 * at + 1]), options);
      if (rows.begin >= rows.end) continue;
      const T amplitude = visible[at] == 1 ? T(options.hidden) : T(1);
      const Axis<T> columns(0, map.width, target_centre(options.centre, points[2 * at]), options);
      const auto stamp = [&](const auto& combine) {
        for (int64_t v = rows.begin; v < rows.end; ++v)
          for (int64_t x = columns.begin; x < columns.end; ++x) {
            const int64_t to = map.offset(image, v, x) + k;
            combine(y[to], to - first, amplitude * rows.factor[v - y0] * columns.factor[x]);
          }
      };
      if (options.overlap == TargetOverlap::mean)
        stamp(MeanOfAll<T>{seen});
      else
        stamp(LargestWins<T>{});
    }
  });
}

}  // namespace

void gaussian_targets(const Tensor& points, const Tensor& visible, const TargetOptions& options,
                      Tensor& y) {
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    draw<T>(points.data<T>(), visible.data<uint8_t>(), points.dim(1), options, MapParts(y.shape()),
            y.data<T>());
  });
}

}  // namespace cairn::cpu
