#include "kernels/warp/warp_points.h"

#include <algorithm>

#include "kernels/warp/spline_rows.h"
#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

constexpr int64_t block = 64;  // points side by side in the inner loops

template <class T>
struct Maps {
  int64_t count;
  const T *control, *theta, *affine;

  explicit Maps(const PointWarp& w)
      : count(w.control.dim(1)),
        control(w.control.data<T>()),
        theta(w.theta.data<T>()),
        affine(w.affine.data<T>()) {}

  const T* control_of(int64_t image) const { return control + image * 2 * count; }
  const T* theta_of(int64_t image) const { return theta + image * 2 * (count + 3); }
  const T* affine_of(int64_t image) const { return affine + 6 * image; }
};

// Calls f(image, first, run) for the blocks of `points` points of each image.
template <class F>
void for_blocks(int64_t images, int64_t points, F&& f) {
  const int64_t blocks = (points + block - 1) / block;
  parallel_for(images * blocks, 4, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const int64_t first = b % blocks * block;
      f(b / blocks, first, std::min(block, points - first));
    }
  });
}

// `point(i, u, v)` tells where point i of all lies.
template <class T, class Point>
void forward(const Maps<T>& maps, int64_t images, int64_t points, T* to, const Point& point) {
  for_blocks(images, points, [&](int64_t image, int64_t first, int64_t run) {
    T x[block], y[block], u[block], v[block];
    for (int64_t i = 0; i < run; ++i) {
      const AffinePlace<T> q = point(maps.affine_of(image), image * points + first + i);
      x[i] = q.x;
      y[i] = q.y;
    }
    CAIRN_ISA_CALL(spline_row, maps.control_of(image), maps.theta_of(image), maps.count, x, y, u, v,
                   run);
    T* out = to + 2 * (image * points + first);
    for (int64_t i = 0; i < run; ++i) {
      out[2 * i] = (u[i] + 1) / 2;
      out[2 * i + 1] = (v[i] + 1) / 2;
    }
  });
}

template <class T>
void backward(const Maps<T>& maps, int64_t images, int64_t points, const T* at, const T* dto,
              T* dat) {
  for_blocks(images, points, [&](int64_t image, int64_t first, int64_t run) {
    const T* a = maps.affine_of(image);
    const int64_t offset = 2 * (image * points + first);
    T x[block], y[block], du[block], dv[block], dx[block], dy[block];
    for (int64_t i = 0; i < run; ++i) {
      const AffinePlace<T> q(a, at[offset + 2 * i], at[offset + 2 * i + 1]);
      x[i] = q.x;
      y[i] = q.y;
      du[i] = dto[offset + 2 * i];
      dv[i] = dto[offset + 2 * i + 1];
    }
    CAIRN_ISA_CALL(spline_slope_row, maps.control_of(image), maps.theta_of(image), maps.count, x, y,
                   du, dv, dx, dy, run);
    for (int64_t i = 0; i < run; ++i) {
      dat[offset + 2 * i] = a[0] * dx[i] + a[3] * dy[i];
      dat[offset + 2 * i + 1] = a[1] * dx[i] + a[4] * dy[i];
    }
  });
}

}  // namespace

void warp_points(const Tensor& points, const PointWarp& warp, Tensor& y) {
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* at = points.data<T>();
    forward(Maps<T>(warp), y.dim(0), y.dim(1), y.data<T>(), [=](const T* affine, int64_t i) {
      return AffinePlace<T>(affine, at[2 * i], at[2 * i + 1]);
    });
  });
}

void warp_points_backward(const Tensor& points, const PointWarp& warp, const Tensor& dy,
                          Tensor& dpoints) {
  with_float(dpoints.dtype(), [&](auto type) {
    using T = decltype(type);
    backward(Maps<T>(warp), points.dim(0), points.dim(1), points.data<T>(), dy.data<T>(),
             dpoints.data<T>());
  });
}

void warped_grid(const PointWarp& warp, Tensor& grid) {
  with_float(grid.dtype(), [&](auto type) {
    using T = decltype(type);
    const int64_t height = grid.dim(1), width = grid.dim(2);
    forward(Maps<T>(warp), grid.dim(0), height * width, grid.data<T>(),
            [=](const T* affine, int64_t i) {
              return AffinePlace<T>(affine, (T(i % width) + T(0.5)) / T(width),
                                    (T(i / width % height) + T(0.5)) / T(height));
            });
  });
}

}  // namespace cairn::cpu
