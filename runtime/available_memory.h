#pragma once
#include <cstddef>

#include "runtime/device.h"

namespace cairn {

/// Bytes that the machine (cpu, simt) or the GPU could still give without pushing anything out.
/// Where a container has a limit below the machine's, it is not known here.
size_t available_memory(Device d);

}  // namespace cairn
