#include "runtime/available_memory.h"

#include <unistd.h>

#include <fstream>
#include <string>

#include "runtime/cuda.h"

namespace cairn {

size_t available_memory(Device d) {
  if constexpr (build::has_cuda)
    if (d == Device::cuda) return cuda::free_bytes();
  std::ifstream in("/proc/meminfo");
  for (std::string key; in >> key;) {
    size_t kib = 0;
    if (key == "MemAvailable:" && in >> kib) return kib * 1024;
  }
  return size_t(sysconf(_SC_PHYS_PAGES)) * size_t(sysconf(_SC_PAGESIZE));
}

}  // namespace cairn
