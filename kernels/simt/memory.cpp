#include "kernels/simt/memory.h"

#include <cstdlib>

namespace cairn::simt {

void* allocate(size_t bytes) {
  void* p = nullptr;
  return posix_memalign(&p, 64, bytes) == 0 ? p : nullptr;
}

void release(void* p) { std::free(p); }

}  // namespace cairn::simt
