#pragma once
// Copies between host and device through pinned memory, where cuda needs it to be fast.
#include <utility>
#include <vector>

#include "runtime/tensor.h"

namespace cairn {

/// From the host, waiting for nothing: on cuda through two pinned buffers in turn, so that the host
/// fills one while the device may still read the other.
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

/// To the host, with one wait for several tensors.
class HostReading {
 public:
  /// What the tensors hold when all work given so far is done, on cpu. It is there until the next
  /// call.
  const std::vector<Tensor>& read(const std::vector<Tensor>& tensors);

 private:
  std::vector<Tensor> host_;
};

}  // namespace cairn
