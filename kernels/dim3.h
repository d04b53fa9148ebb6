#pragma once
// The size of a grid or a block.
#include <cstdint>

namespace cairn {

struct Dim3 {
  unsigned x = 1, y = 1, z = 1;

  constexpr Dim3() = default;
  /// From any integers; launch() refuses what does not fit.
  constexpr Dim3(int64_t x_, int64_t y_ = 1, int64_t z_ = 1) : x(fit(x_)), y(fit(y_)), z(fit(z_)) {}
  constexpr int64_t count() const { return int64_t{x} * y * z; }
  /// The index of the i-th of them, x fastest.
  constexpr Dim3 index(int64_t i) const { return Dim3(i % x, i / x % y, i / x / y); }

 private:
  static constexpr unsigned fit(int64_t n) {
    return n < 0 || n > 0xffffffff ? 0xffffffffu : unsigned(n);
  }
};

}  // namespace cairn
