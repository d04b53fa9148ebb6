#include "kernels/heatmap/row_loops.h"

#include "kernels/vector_math.h"

// The compiler vectorises all of these; of the softmax over few channels the exponentials alone.
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

template <class T>
void softmax_pixels(const T* z, int64_t pixels, int64_t channels, T* top, T* y) {
  for (int64_t p = 0; p < pixels; ++p) {
    const T* own = z + p * channels;
    T largest = own[0];
    for (int64_t c = 1; c < channels; ++c) largest = largest < own[c] ? own[c] : largest;
    for (int64_t c = 0; c < channels; ++c) top[p * channels + c] = largest;
  }
  exp_row(z, top, T(1), y, pixels * channels);
  for (int64_t p = 0; p < pixels; ++p, y += channels) {
    T sum = 0;
    for (int64_t c = 0; c < channels; ++c) sum += y[c];
    const T scale = 1 / sum;
    for (int64_t c = 0; c < channels; ++c) y[c] *= scale;
  }
}
template void softmax_pixels(const float*, int64_t, int64_t, float*, float*);
template void softmax_pixels(const double*, int64_t, int64_t, double*, double*);

template <class T>
void softmax_slope(const T* y, const T* dy, int64_t pixels, int64_t channels, T* dz) {
  for (int64_t p = 0; p < pixels; ++p, y += channels, dy += channels, dz += channels) {
    T mean = 0;
    for (int64_t c = 0; c < channels; ++c) mean += dy[c] * y[c];
    for (int64_t c = 0; c < channels; ++c) dz[c] = y[c] * (dy[c] - mean);
  }
}
template void softmax_slope(const float*, const float*, int64_t, int64_t, float*);
template void softmax_slope(const double*, const double*, int64_t, int64_t, double*);

}  // namespace cairn::CAIRN_ISA
