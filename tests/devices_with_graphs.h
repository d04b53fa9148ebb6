#pragma once
// The devices of this build and machine that capture and replay.
#include <vector>

#include "runtime/graph.h"

namespace cairn {

inline std::vector<Device> devices_with_graphs() {
  std::vector<Device> found;
  for (Device d : available_devices())
    if (Graph::exists_on(d)) found.push_back(d);
  return found;
}

}  // namespace cairn
