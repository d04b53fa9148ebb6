#pragma once
// Random numbers for the single elements of an image, for host and device.
#include "runtime/random.h"

namespace cairn {

/// Two 32-bit words of a tensor as one key.
CAIRN_HD inline uint64_t joined(const int32_t* words) {
  return uint32_t(words[0]) | uint64_t(uint32_t(words[1])) << 32;
}

/// Of elements 8 block .. 8 block + 7: element e takes the half word e % 8 of
/// philox(key, stream, e / 8).
struct EightHalves {
  Philox words;
  CAIRN_HD EightHalves(uint64_t key, uint64_t stream, int64_t block)
      : words(philox(key, stream, uint64_t(block))) {}
  CAIRN_HD uint32_t operator[](int i) const { return words.v[i / 2] >> 16 * (i % 2) & 0xffff; }
};

}  // namespace cairn
