#pragma once
// The inner loops of the heatmap kernels on the cpu, along `count` elements of a row. T is float or
// double.
#include <cstdint>

#include "kernels/isa.h"

namespace cairn {

CAIRN_ON_EACH_ISA(
    /// y = exp(gain (z - top))
    template <class T> void exp_row(const T* z, const T* top, T gain, T* y, int64_t count);
    /// largest = max(largest, x)
    template <class T> void raise_row(const T* x, T* largest, int64_t count);
    /// sums += x
    template <class T> void add_row(const T* x, double* sums, int64_t count);
    /// sums += a b
    template <class T> void add_products(const T* a, const T* b, double* sums, int64_t count);
    /// s += w, sy += w y, syy += w y^2
    template <class T>
    void add_moments(const T* w, double y, double* s, double* sy, double* syy, int64_t count);
    /// y = softmax over the channels of each of `pixels`; `top` is room for as many elements
    template <class T>
    void softmax_pixels(const T* z, int64_t pixels, int64_t channels, T* top, T* y);
    /// dz = y (dy - sum over the channels of dy y)
    template <class T>
    void softmax_slope(const T* y, const T* dy, int64_t pixels, int64_t channels, T* dz);)

}  // namespace cairn
