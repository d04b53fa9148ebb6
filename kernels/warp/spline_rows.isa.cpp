#include "kernels/warp/spline_rows.h"

#include "kernels/vector_math.h"

// The compiler vectorises the loops over points; 0 times the finite log_vec(0) is 0.
namespace cairn::CAIRN_ISA {

template <class T>
void spline_row(const T* control, const T* theta, int64_t n, const T* x, const T* y, T* u, T* v,
                int64_t count) {
  const T* a = theta + 2 * n;
  for (int64_t i = 0; i < count; ++i) {
    u[i] = a[0] + a[2] * x[i] + a[4] * y[i];
    v[i] = a[1] + a[3] * x[i] + a[5] * y[i];
  }
  for (int64_t j = 0; j < n; ++j) {
    const T cx = control[2 * j], cy = control[2 * j + 1], wx = theta[2 * j], wy = theta[2 * j + 1];
    for (int64_t i = 0; i < count; ++i) {
      const T ex = x[i] - cx, ey = y[i] - cy, r2 = ex * ex + ey * ey, bump = r2 * log_vec(r2);
      u[i] += wx * bump;
      v[i] += wy * bump;
    }
  }
}
template void spline_row(const float*, const float*, int64_t, const float*, const float*, float*,
                         float*, int64_t);
template void spline_row(const double*, const double*, int64_t, const double*, const double*,
                         double*, double*, int64_t);

template <class T>
void spline_slope_row(const T* control, const T* theta, int64_t n, const T* x, const T* y,
                      const T* du, const T* dv, T* dx, T* dy, int64_t count) {
  const T* a = theta + 2 * n;
  for (int64_t i = 0; i < count; ++i) {
    dx[i] = a[2] * du[i] + a[3] * dv[i];
    dy[i] = a[4] * du[i] + a[5] * dv[i];
  }
  for (int64_t j = 0; j < n; ++j) {
    const T cx = control[2 * j], cy = control[2 * j + 1], wx = theta[2 * j], wy = theta[2 * j + 1];
    for (int64_t i = 0; i < count; ++i) {
      const T ex = x[i] - cx, ey = y[i] - cy, r2 = ex * ex + ey * ey;
      const T slope = 2 * (log_vec(r2) + 1) * (wx * du[i] + wy * dv[i]);
      dx[i] += slope * ex;
      dy[i] += slope * ey;
    }
  }
}
template void spline_slope_row(const float*, const float*, int64_t, const float*, const float*,
                               const float*, const float*, float*, float*, int64_t);
template void spline_slope_row(const double*, const double*, int64_t, const double*, const double*,
                               const double*, const double*, double*, double*, int64_t);

}  // namespace cairn::CAIRN_ISA
