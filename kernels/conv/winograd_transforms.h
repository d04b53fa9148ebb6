#pragma once
// The transforms of F(4x4, 3x3) on vectors of channels, for the points 0, 1, -1, 2, -2 and
// infinity; for
// *.isa.cpp files alone. A two-dimensional transform runs the one-dimensional one down the columns
// and then along the rows.
#include "kernels/simd.h"

namespace cairn::CAIRN_ISA {
namespace {

using V = Vector<float>;
constexpr int L = lanes<float>;

#define CAIRN_INLINE inline __attribute__((always_inline))

// The points 0, a, -a, b, -b and infinity. Small fractions keep the powers near 1: half the error
// of the usual 1 and 2, and still exact in binary.
constexpr float a = 5.f / 8, a2 = a * a, a3 = a2 * a;
constexpr float b = 3.f / 2, b2 = b * b, b3 = b2 * b;
constexpr float at_zero = 1 / (a2 * b2), at_a = 1 / (2 * a2 * (a2 - b2));
constexpr float at_b = 1 / (2 * b2 * (b2 - a2));

/// B' d: six inputs to six points.
CAIRN_INLINE void input_points(const V (&d)[6], V (&t)[6]) {
  const V even = d[4] - b2 * d[2], odd = a * (d[3] - b2 * d[1]);
  const V even2 = d[4] - a2 * d[2], odd2 = b * (d[3] - a2 * d[1]);
  t[0] = (a2 * b2) * d[0] - (a2 + b2) * d[2] + d[4];
  t[1] = even + odd;
  t[2] = even - odd;
  t[3] = even2 + odd2;
  t[4] = even2 - odd2;
  t[5] = (a2 * b2) * d[1] - (a2 + b2) * d[3] + d[5];
}

/// A' m: six points to four outputs.
CAIRN_INLINE void output_values(const V (&m)[6], V (&y)[4]) {
  const V sum = m[1] + m[2], difference = m[1] - m[2];
  const V sum2 = m[3] + m[4], difference2 = m[3] - m[4];
  y[0] = m[0] + sum + sum2;
  y[1] = a * difference + b * difference2;
  y[2] = a2 * sum + b2 * sum2;
  y[3] = a3 * difference + b3 * difference2 + m[5];
}

/// A y: the transpose of output_values.
CAIRN_INLINE void output_points(const V (&y)[4], V (&m)[6]) {
  const V even = y[0] + a2 * y[2], odd = a * y[1] + a3 * y[3];
  const V even2 = y[0] + b2 * y[2], odd2 = b * y[1] + b3 * y[3];
  m[0] = y[0];
  m[1] = even + odd;
  m[2] = even - odd;
  m[3] = even2 + odd2;
  m[4] = even2 - odd2;
  m[5] = y[3];
}

/// G g: three taps to six points.
CAIRN_INLINE void weight_points(const V (&g)[3], V (&u)[6]) {
  const V even = at_a * (g[0] + a2 * g[2]), odd = (at_a * a) * g[1];
  const V even2 = at_b * (g[0] + b2 * g[2]), odd2 = (at_b * b) * g[1];
  u[0] = at_zero * g[0];
  u[1] = even + odd;
  u[2] = even - odd;
  u[3] = even2 + odd2;
  u[4] = even2 - odd2;
  u[5] = g[2];
}

/// G' u: the transpose of weight_points.
CAIRN_INLINE void weight_values(const V (&u)[6], V (&g)[3]) {
  const V sum = at_a * (u[1] + u[2]), sum2 = at_b * (u[3] + u[4]);
  g[0] = at_zero * u[0] + sum + sum2;
  g[1] = (at_a * a) * (u[1] - u[2]) + (at_b * b) * (u[3] - u[4]);
  g[2] = a2 * sum + b2 * sum2 + u[5];
}

/// The two-dimensional form of a one-dimensional transform of `From` values to `To`: get(i, j)
/// gives the input, put(i, j, value) takes the output.
template <int From, int To, class Get, class Transform, class Put>
CAIRN_INLINE void transform_2d(Get&& get, Transform&& transform, Put&& put) {
  V half[To][From];
#pragma GCC unroll 6
  for (int j = 0; j < From; ++j) {
    V column[From], out[To];
#pragma GCC unroll 6
    for (int i = 0; i < From; ++i) column[i] = get(i, j);
    transform(column, out);
#pragma GCC unroll 6
    for (int i = 0; i < To; ++i) half[i][j] = out[i];
  }
#pragma GCC unroll 6
  for (int i = 0; i < To; ++i) {
    V out[To];
    transform(half[i], out);
#pragma GCC unroll 6
    for (int j = 0; j < To; ++j) put(i, j, out[j]);
  }
}

}  // namespace
}  // namespace cairn::CAIRN_ISA
