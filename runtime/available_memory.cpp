#include "runtime/available_memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "runtime/cuda.h"
#include "runtime/memory.h"

namespace cairn {

namespace {

size_t without_limit(Device d) {
  if constexpr (build::has_cuda)
    if (d == Device::cuda) return cuda::free_bytes();
  std::ifstream in("/proc/meminfo");
  for (std::string key; in >> key;) {
    size_t kib = 0;
    if (key == "MemAvailable:" && in >> kib) return kib * 1024;
  }
  return size_t(sysconf(_SC_PHYS_PAGES)) * size_t(sysconf(_SC_PAGESIZE));
}

}  // namespace

size_t available_memory(Device d) {
  const size_t limit = memory(d).limit(), in_use = memory(d).use().in_use;
  if (limit == 0) return without_limit(d);
  return std::min(without_limit(d), limit - std::min(limit, in_use));
}

}  // namespace cairn
