#pragma once
// Copies from the host that nobody waits for: on cuda through two pinned buffers in turn, so that
// the host fills one while the device may still read the other.
#include <utility>
#include <vector>

#include "runtime/tensor.h"

namespace cairn {

class HostStaging {
 public:
  HostStaging() = default;
  ~HostStaging();
  HostStaging(const HostStaging&) = delete;

  /// Copies each first tensor into its second, in stream order. The first ones may be freed or
  /// written at once. Waits only where the device has yet to read the call before the last.
  void copy(const std::vector<std::pair<Tensor, Tensor>>& tensors);

 private:
  struct Buffer {  // cuda
    void *memory = nullptr, *read = nullptr;
    size_t bytes = 0;
  };
  Buffer& next_buffer(size_t bytes);

  Buffer buffers_[2];
  int turn_ = 0;
};

}  // namespace cairn
