#pragma once
// What the checker remembers of every two bytes of memory.
#include <cstdint>
#include <vector>

#include "kernels/simt/checker/checker.h"

namespace cairn::emulator::checker {

struct Access {
  uint32_t run = 0;       // number of the block's run, counted through the program; 0: none
  uint16_t thread = 0;    // rank in its block
  uint16_t interval = 0;  // barriers that the block had passed
  uint16_t syncs = 0;     // sync_warps that the thread had passed
  uint8_t bytes = 0;      // which of the two: 1, 2 or 3
  bool atomic = false;
  Place place{0};
};

struct Cell {
  Access write;
  Access read[2];      // the last, and the last by another thread
  uint32_t epoch = 0;  // of the masks: the launch's first run; for shared memory the run
  uint8_t read_bytes = 0, written_bytes = 0;
  uint8_t pending = 0;  // bytes that a cp.async will fill; `write` says who issued it
};

struct Region {
  const char* begin;
  size_t bytes, zone;
  Space space;
  Cell* cells;  // one per two bytes, without the zones

  bool near(const char* p) const { return p >= begin - zone && p < begin + bytes + zone; }
  size_t cell_count() const { return (bytes + 1) / 2; }
};

/// The region that p lies in or beside; null if there is none.
const Region* find_region(const void* p);

}  // namespace cairn::emulator::checker
