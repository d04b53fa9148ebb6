#include "kernels/heatmap/row_loops.h"

#include "kernels/vector_math.h"

// The compiler vectorises all of these.
namespace cairn::CAIRN_ISA {

template <class T>
void exp_row(const T* z, const T* top, T gain, T* y, int64_t count) {
  for (int64_t i = 0; i < count; ++i) y[i] = exp_vec(gain * (z[i] - top[i]));
}
template void exp_row(const float*, const float*, float, float*, int64_t);
template void exp_row(const double*, const double*, double, double*, int64_t);

template <class T>
void raise_row(const T* x, T* largest, int64_t count) {
  for (int64_t i = 0; i < count; ++i) largest[i] = largest[i] < x[i] ? x[i] : largest[i];
}
template void raise_row(const float*, float*, int64_t);
template void raise_row(const double*, double*, int64_t);

template <class T>
void add_row(const T* x, double* sums, int64_t count) {
  for (int64_t i = 0; i < count; ++i) sums[i] += double(x[i]);
}
template void add_row(const float*, double*, int64_t);
template void add_row(const double*, double*, int64_t);

template <class T>
void add_products(const T* a, const T* b, double* sums, int64_t count) {
  for (int64_t i = 0; i < count; ++i) sums[i] += double(a[i]) * double(b[i]);
}
template void add_products(const float*, const float*, double*, int64_t);
template void add_products(const double*, const double*, double*, int64_t);

template <class T>
void add_moments(const T* w, double y, double* s, double* sy, double* syy, int64_t count) {
  const double yy = y * y;
  for (int64_t i = 0; i < count; ++i) {
    const double v = w[i];
    s[i] += v;
    sy[i] += v * y;
    syy[i] += v * yy;
  }
}
template void add_moments(const float*, double, double*, double*, double*, int64_t);
template void add_moments(const double*, double, double*, double*, double*, int64_t);

}  // namespace cairn::CAIRN_ISA
