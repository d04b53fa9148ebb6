#pragma once
// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as
// 1, 2, 3", SC 2011). A triple (seed, stream, counter) gives the same numbers on every device and
// in any order, so a run is reproducible and can be resumed from three integers.
#include <cmath>
#include <cstdint>

#include "runtime/host_device.h"

namespace cairn {

struct Philox {
  uint32_t v[4];
};

/// The four 32-bit numbers at (seed, stream, counter).
CAIRN_HD inline Philox philox(uint64_t seed, uint64_t stream, uint64_t counter) {
  uint32_t c0 = uint32_t(counter), c1 = uint32_t(counter >> 32);
  uint32_t c2 = uint32_t(stream), c3 = uint32_t(stream >> 32);
  uint32_t k0 = uint32_t(seed), k1 = uint32_t(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53u} * c0, p1 = uint64_t{0xCD9E8D57u} * c2;
    const uint32_t n0 = uint32_t(p1 >> 32) ^ c1 ^ k0, n2 = uint32_t(p0 >> 32) ^ c3 ^ k1;
    c1 = uint32_t(p1);
    c3 = uint32_t(p0);
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

/// Uniform in [0,1) with 24 bits: exact in float32.
CAIRN_HD inline float unit_float(uint32_t bits) { return float(bits >> 8) * 0x1p-24f; }

/// A sequence of numbers on the host: the state is three integers.
class Random {
 public:
  explicit Random(uint64_t seed, uint64_t stream = 0, uint64_t counter = 0)
      : seed_(seed), stream_(stream), counter_(counter) {}

  uint32_t bits() {
    if (used_ == 4) {
      block_ = philox(seed_, stream_, counter_++);
      used_ = 0;
    }
    return block_.v[used_++];
  }
  double uniform() {  ///< [0,1), 53 bits
    const uint64_t high = bits() >> 5, low = bits() >> 6;
    return double(high * 67108864 + low) * 0x1p-53;
  }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  int integer(int low, int high) {  ///< low..high, both included
    return low + int((uint64_t{bits()} * (uint64_t(int64_t{high} - low) + 1)) >> 32);
  }
  double normal() {  ///< mean 0, standard deviation 1 (Box-Muller; one of the pair)
    const double r = std::sqrt(-2 * std::log(1 - uniform()));
    return r * std::cos(6.283185307179586 * uniform());
  }
  double truncated_normal(double mean, double sd) {  ///< resampled until inside mean +- 2 sd
    for (;;) {
      const double z = normal();
      if (z >= -2 && z <= 2) return mean + sd * z;
    }
  }

 private:
  uint64_t seed_, stream_, counter_;
  Philox block_{};
  int used_ = 4;
};

}  // namespace cairn
