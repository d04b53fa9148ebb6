// warp_points: points through an affine map and a thin-plate spline.
//
//   Launch    one thread per point, 256 per block, grid-stride; it walks over the control points,
//             which are the same for a warp's lanes as a rule: one broadcast each.
//   Traffic   16 B a point (8 B for a grid, 24 B backward), and 16 B * n an image that stay in the
//             first-level cache; per point and control point a logarithm and 10 flops, about 30
//             instructions. Compute-bound; floor = 30 N P n / instruction rate (one a cycle and
//             lane): 8 us for 16 grids of 96 x 96 and n = 49 on an H200.
//   Repeats   bitwise: every element has one writer, which adds in the order of control points.
#include "kernels/warp/warp_points.h"

#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr int threads = 256;

template <class T>
struct Maps {
  const T *control, *theta, *affine;
  int count;

  explicit Maps(const PointWarp& w)
      : control(w.control.data<T>()),
        theta(w.theta.data<T>()),
        affine(w.affine.data<T>()),
        count(int(w.control.dim(1))) {}
};

/// (T(q) + 1)/2 with the map of an image.
template <class T>
CAIRN_DEVICE void bend(const Maps<T>& maps, int64_t image, const AffinePlace<T>& q, T* to) {
  const T *c = maps.control + image * 2 * maps.count,
          *w = maps.theta + image * 2 * (maps.count + 3);
  T u = 0, v = 0;
  for (int j = 0; j < maps.count; ++j, c += 2, w += 2) {
    const T ex = q.x - c[0], ey = q.y - c[1], r2 = ex * ex + ey * ey;
    const T bump = r2 > 0 ? r2 * log(r2) : T(0);
    u += w[0] * bump;
    v += w[1] * bump;
  }
  to[0] = (u + (w[0] + w[2] * q.x + w[4] * q.y) + 1) / 2;
  to[1] = (v + (w[1] + w[3] * q.x + w[5] * q.y) + 1) / 2;
}

template <class T>
CAIRN_KERNEL void warp_points_kernel(Maps<T> maps, const T* points, int64_t count,
                                     int64_t per_image, T* y) {
  for (int64_t i = global_thread(); i < count; i += global_threads()) {
    const int64_t image = i / per_image;
    const AffinePlace<T> q(maps.affine + 6 * image, points[2 * i], points[2 * i + 1]);
    bend(maps, image, q, y + 2 * i);
  }
}

template <class T>
CAIRN_KERNEL void warped_grid_kernel(Maps<T> maps, int64_t count, int height, int width, T* grid) {
  for (int64_t i = global_thread(); i < count; i += global_threads()) {
    const int64_t row = i / width, image = row / height;
    const AffinePlace<T> q(maps.affine + 6 * image, (T(i % width) + T(0.5)) / T(width),
                           (T(row % height) + T(0.5)) / T(height));
    bend(maps, image, q, grid + 2 * i);
  }
}

template <class T>
CAIRN_KERNEL void warp_points_backward_kernel(Maps<T> maps, const T* points, const T* dy,
                                              int64_t count, int64_t per_image, T* dpoints) {
  for (int64_t i = global_thread(); i < count; i += global_threads()) {
    const int64_t image = i / per_image;
    const T* a = maps.affine + 6 * image;
    const AffinePlace<T> q(a, points[2 * i], points[2 * i + 1]);
    const T du = dy[2 * i], dv = dy[2 * i + 1];
    const T *c = maps.control + image * 2 * maps.count,
            *w = maps.theta + image * 2 * (maps.count + 3);
    T dx = 0, dz = 0;
    for (int j = 0; j < maps.count; ++j, c += 2, w += 2) {
      const T ex = q.x - c[0], ey = q.y - c[1], r2 = ex * ex + ey * ey;
      const T slope = r2 > 0 ? 2 * (log(r2) + 1) * (w[0] * du + w[1] * dv) : T(0);
      dx += slope * ex;
      dz += slope * ey;
    }
    dx += w[2] * du + w[3] * dv;
    dz += w[4] * du + w[5] * dv;
    dpoints[2 * i] = a[0] * dx + a[3] * dz;
    dpoints[2 * i + 1] = a[1] * dx + a[4] * dz;
  }
}

}  // namespace

void warp_points(const Tensor& points, const PointWarp& warp, Tensor& y) {
  const int64_t count = y.count() / 2;
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("warp_points", warp_points_kernel<T>, blocks_for(count, threads), threads, 0,
           Maps<T>(warp), points.data<T>(), count, y.dim(1), y.data<T>());
  });
}

void warp_points_backward(const Tensor& points, const PointWarp& warp, const Tensor& dy,
                          Tensor& dpoints) {
  const int64_t count = dy.count() / 2;
  with_float(dpoints.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("warp_points_backward", warp_points_backward_kernel<T>, blocks_for(count, threads),
           threads, 0, Maps<T>(warp), points.data<T>(), dy.data<T>(), count, dy.dim(1),
           dpoints.data<T>());
  });
}

void warped_grid(const PointWarp& warp, Tensor& grid) {
  const int64_t count = grid.count() / 2;
  with_float(grid.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("warped_grid", warped_grid_kernel<T>, blocks_for(count, threads), threads, 0,
           Maps<T>(warp), count, int(grid.dim(1)), int(grid.dim(2)), grid.data<T>());
  });
}

}  // namespace cairn::CAIRN_NS
