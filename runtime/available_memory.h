#pragma once
#include <cstddef>

#include "runtime/device.h"

namespace cairn {

/// Bytes that the machine (cpu, simt) or the GPU could still give without pushing anything out,
/// and that the pool's limit, if it has one, still allows.
/// Where a container has a limit below the machine's, it is not known here.
size_t available_memory(Device d);

}  // namespace cairn
