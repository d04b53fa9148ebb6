#include "kernels/heatmap/disk_targets.h"

#include "kernels/heatmap/map_parts.h"

namespace cairn::cpu {
namespace {

template <class T>
void draw(const T* points, const uint8_t* visible, int64_t instances, T radius, const MapParts& map,
          T* disks, T* weights, T* offsets) {
  const int64_t K = map.channels;
  map.each([&](int64_t, int64_t image, int64_t y0, int64_t y1) {
    const int64_t first = image * instances * K;
    int64_t at = map.offset(image, y0, 0);
    for (int64_t y = y0; y < y1; ++y)
      for (int64_t x = 0; x < map.width; ++x)
        for (int64_t i = first; i < first + K; ++i, ++at) {
          const DiskTarget<T> t =
              disk_target(points + 2 * i, visible + i, K, instances * K, radius, T(x), T(y));
          disks[at] = t.disk;
          weights[at] = t.weight;
          offsets[2 * at] = t.dx;
          offsets[2 * at + 1] = t.dy;
        }
  });
}

}  // namespace

void disk_targets(const Tensor& points, const Tensor& visible, double radius, Tensor& disks,
                  Tensor& weights, Tensor& offsets) {
  with_float(disks.dtype(), [&](auto type) {
    using T = decltype(type);
    draw<T>(points.data<T>(), visible.data<uint8_t>(), points.dim(1), T(radius),
            MapParts(disks.shape()), disks.data<T>(), weights.data<T>(), offsets.data<T>());
  });
}

}  // namespace cairn::cpu
