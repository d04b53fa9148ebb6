// The regions of memory that are watched, found by address.
#include <sys/mman.h>

#include <atomic>
#include <map>
#include <mutex>
#include <new>

#include "kernels/simt/checker/shadow.h"

namespace cairn::emulator::checker {
namespace {

std::mutex mutex;
std::map<const char*, Region> regions;  // by the first byte of the red zone before
std::atomic<uint64_t> generation{1};    // changes when one is removed

// Recently found regions, so that a kernel's loads need no search.
struct Recent {
  uint64_t generation = 0;
  const Region* slot[64] = {};
};
thread_local Recent recent;

size_t shadow_bytes(const Region& r) { return r.cell_count() * sizeof(Cell) + 1; }

}  // namespace

void add_region(const void* begin, size_t bytes, size_t zone, Space space) {
  Region r{static_cast<const char*>(begin), bytes, zone, space, nullptr};
  // Pages of zeros that cost nothing until they are touched.
  void* shadow = mmap(nullptr, shadow_bytes(r), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (shadow == MAP_FAILED) throw std::bad_alloc();
  r.cells = static_cast<Cell*>(shadow);
  std::lock_guard lock(mutex);
  regions.emplace(r.begin - zone, r);
}

void remove_region(const void* begin) {
  std::lock_guard lock(mutex);
  const auto found = std::prev(regions.upper_bound(static_cast<const char*>(begin)));
  munmap(found->second.cells, shadow_bytes(found->second));
  regions.erase(found);
  ++generation;
}

const Region* find_region(const void* address) {
  const char* p = static_cast<const char*>(address);
  if (recent.generation != generation) recent = {generation, {}};
  const Region*& slot = recent.slot[reinterpret_cast<uintptr_t>(p) >> 12 & 63];
  if (slot && slot->near(p)) return slot;
  std::lock_guard lock(mutex);
  auto it = regions.upper_bound(p);
  if (it == regions.begin() || !std::prev(it)->second.near(p)) return nullptr;
  return slot = &std::prev(it)->second;
}

}  // namespace cairn::emulator::checker
