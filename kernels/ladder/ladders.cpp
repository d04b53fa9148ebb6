#include "kernels/ladder/ladders.h"

#include "runtime/error.h"

namespace cairn {

void refuse_ladder(const char* ladder, Device device) {
  require_available(device);
  throw Error(ladder, text("asked for on ", device), "a device that runs kernels: simt or cuda",
              "choose one with --device");
}

}  // namespace cairn
