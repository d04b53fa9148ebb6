#include "runtime/device.h"

#include "runtime/cuda.h"
#include "runtime/error.h"
#include "runtime/graph.h"

namespace cairn {

const char* name(Device d) {
  switch (d) {
    case Device::cpu:
      return "cpu";
    case Device::simt:
      return "simt";
    case Device::cuda:
      return "cuda";
  }
  return "?";
}

Device parse_device(std::string_view s) {
  for (Device d : {Device::cpu, Device::simt, Device::cuda})
    if (s == name(d)) return d;
  throw UsageError("--device", text("'", s, "' is not a device"), "cpu, simt or cuda",
                   "choose one of them; `cairn doctor` lists what this machine offers");
}

std::string why_unavailable(Device d) {
  switch (d) {
    case Device::cpu:
      return "";
    case Device::simt:
      return build::has_simt ? "" : "this build has no simt";
    case Device::cuda:
      if constexpr (build::has_cuda)
        return cuda::why_unavailable();
      else
        return "this build has no CUDA";
  }
  return "unknown device";
}

void require_available(Device d) {
  const std::string why = why_unavailable(d);
  if (why.empty()) return;
  std::string remedy = "use --device cpu";
  if (d == Device::cuda && !build::has_cuda) remedy += ", or rebuild with -DCAIRN_CUDA=ON";
  if (d == Device::simt) remedy += ", or install Boost.Context (libboost-context-dev) and rebuild";
  throw Error(text("device ", d), why, "a device that this machine offers (`cairn doctor`)",
              remedy);
}

std::vector<Device> available_devices() {
  std::vector<Device> found;
  for (Device d : {Device::cpu, Device::simt, Device::cuda})
    if (why_unavailable(d).empty()) found.push_back(d);
  return found;
}

void synchronize(Device d) {
  capture::refuse(d, "the host waits");
  if constexpr (build::has_cuda)
    if (d == Device::cuda) cuda::synchronize();
}

}  // namespace cairn
