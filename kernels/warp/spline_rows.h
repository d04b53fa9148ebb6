#pragma once
// The inner loops of warp_points on the cpu, along `count` points: a logarithm for each point and
// control point. T is float or double; control [n,2] and theta [n+3,2] as in warp_points.h.
#include <cstdint>

#include "kernels/isa.h"

namespace cairn {

CAIRN_ON_EACH_ISA(
    /// (u, v) = T(x, y)
    template <class T> void spline_row(const T* control, const T* theta, int64_t n, const T* x,
                                       const T* y, T* u, T* v, int64_t count);
    /// (dx, dy) = J(x, y)^T (du, dv)
    template <class T>
    void spline_slope_row(const T* control, const T* theta, int64_t n, const T* x, const T* y,
                          const T* du, const T* dv, T* dx, T* dy, int64_t count);)

}  // namespace cairn
