#include "kernels/simt/memory.h"

#include <cstdlib>

#include "kernels/simt/checker/checker.h"

namespace cairn::simt {
namespace {

// The checker's red zones: wide enough that an index beyond a row still falls into one.
constexpr size_t zone = emulator::checker::built ? 16384 : 0;

}  // namespace

void* allocate(size_t bytes) {
  void* p = nullptr;
  if (posix_memalign(&p, 64, bytes + 2 * zone) != 0) return nullptr;
  char* begin = static_cast<char*>(p) + zone;
  if constexpr (emulator::checker::built)
    emulator::checker::add_region(begin, bytes, zone, emulator::checker::Space::device);
  return begin;
}

void release(void* p) {
  if constexpr (emulator::checker::built) emulator::checker::remove_region(p);
  std::free(static_cast<char*>(p) - zone);
}

}  // namespace cairn::simt
