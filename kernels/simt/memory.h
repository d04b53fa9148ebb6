#pragma once
// The memory of the device simt: exact sizes, so that a checker sees the first byte behind.
#include <cstddef>

namespace cairn::simt {

void* allocate(size_t bytes);  ///< 64-byte aligned; nullptr when there is none
void release(void* p);

}  // namespace cairn::simt
