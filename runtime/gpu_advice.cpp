#include "runtime/gpu_advice.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "runtime/error.h"

namespace cairn {

std::string gpu_remedy(GpuFailure failure) {
  switch (failure) {
    case GpuFailure::no_code:
      return "rebuild on this machine with -DCMAKE_CUDA_ARCHITECTURES=native";
    case GpuFailure::old_driver:
      return "update the NVIDIA driver, or build with an older CUDA Toolkit";
    case GpuFailure::occupied:
      return "end the other process, which nvidia-smi names, or let processes share the GPU with "
             "nvidia-smi --compute-mode=DEFAULT";
    case GpuFailure::lost:
      return "look at the GPU with nvidia-smi -q and the system's log; a process that starts anew "
             "can use it again if it has recovered";
    case GpuFailure::kernel:
      break;
  }
  return "run with compute-sanitizer, or with --device simt, to find the cause";
}

std::string missing_architecture(const std::string& built_for, int major, int minor) {
  const int wanted = 10 * major + minor;
  std::istringstream list(built_for);
  for (std::string name; std::getline(list, name, ',');) {
    size_t digits = 0;
    while (digits < name.size() && std::isdigit(static_cast<unsigned char>(name[digits]))) ++digits;
    if (digits < 2 || digits > 3) return "";
    const int version = std::stoi(name.substr(0, digits));
    const bool specific = digits < name.size() && name[digits] != '-';
    const bool machine_code = name.find("-virtual") == std::string::npos,
               ptx = name.find("-real") == std::string::npos;
    if (specific) {
      if (version == wanted) return "";
      continue;
    }
    if (machine_code && version / 10 == major && version % 10 <= minor) return "";
    if (ptx && version <= wanted) return "";
  }
  return text("the GPU is of architecture ", wanted, ", this build has code for ", built_for,
              "; rebuild it: cmake -S . -B build -DCAIRN_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES=",
              wanted, " && cmake --build build -j");
}

std::string memory_of_others(size_t total, size_t free, size_t ours) {
  const size_t used = total - std::min(free, total), others = used - std::min(ours, used);
  if (others < total / 16) return "";
  return text("other processes hold ", others >> 20, " of the GPU's ", total >> 20,
              " MiB: nvidia-smi names them");
}

}  // namespace cairn
