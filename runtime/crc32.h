#pragma once
// The checksum of ZIP archives and PNG files: CRC-32 with the reflected polynomial 0xEDB88320.
#include <cstddef>
#include <cstdint>

namespace cairn {

/// Of `bytes` bytes at `data`; `before` is the checksum of what stands before them.
uint32_t crc32(const void* data, size_t bytes, uint32_t before = 0);

}  // namespace cairn
