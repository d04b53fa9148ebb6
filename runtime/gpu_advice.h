#pragma once
// What to say when a GPU cannot be used, runs out of memory, or fails: plain functions of what the
// driver reports, so that they are tested where there is no GPU.
#include <cstddef>
#include <string>

namespace cairn {

enum class GpuFailure {
  no_code,     ///< this build has no code for the GPU's architecture
  old_driver,  ///< the driver is older than the build needs
  occupied,    ///< another process has the GPU for itself
  lost,        ///< the GPU or its memory failed, or a watchdog ended the kernel
  kernel,      ///< a kernel did something wrong
};

/// What to do about it.
std::string gpu_remedy(GpuFailure failure);

/// A sentence with the command that rebuilds, unless code for `built_for`, the names of CMake
/// (80-real,90a-real,120) with commas, runs on compute capability major.minor: machine code runs
/// on its own major version from its minor one on, PTX on everything newer, and names with a letter
/// on that one alone. Empty if it does, or if a name is not a number ("native").
std::string missing_architecture(const std::string& built_for, int major, int minor);

/// A sentence on the memory that other processes hold, or "" if it is less than a sixteenth:
/// of `total` bytes `free` are free and `ours` are this process's.
std::string memory_of_others(size_t total, size_t free, size_t ours);

}  // namespace cairn
