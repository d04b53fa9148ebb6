#include "runtime/host_staging.h"

#include <cstring>

#include "runtime/cuda.h"

namespace cairn {

HostStaging::~HostStaging() {
  if constexpr (build::has_cuda)
    for (Buffer& b : buffers_) {
      if (b.read) cuda::release_event(b.read);
      if (b.memory) cuda::release_pinned(b.memory);
    }
}

HostStaging::Buffer& HostStaging::next_buffer(size_t bytes) {
  Buffer& b = buffers_[turn_];
  turn_ = 1 - turn_;
  if constexpr (build::has_cuda) {
    if (!b.read) b.read = cuda::make_event();
    cuda::wait_for(b.read);
    if (b.bytes < bytes) {
      if (b.memory) cuda::release_pinned(b.memory);
      b.memory = cuda::allocate_pinned(bytes);
      b.bytes = bytes;
    }
  }
  return b;
}

void HostStaging::copy(const std::vector<std::pair<Tensor, Tensor>>& tensors) {
  size_t staged = 0;
  for (auto [from, to] : tensors)
    if (from.device() == Device::cpu && to.device() == Device::cuda)
      staged += from.bytes();
    else
      to.copy_from(from);
  if (staged == 0) return;
  if constexpr (build::has_cuda) {
    Buffer& buffer = next_buffer(staged);
    char* at = static_cast<char*>(buffer.memory);
    for (auto [from, to] : tensors) {
      if (from.device() != Device::cpu || to.device() != Device::cuda) continue;
      std::memcpy(at, from.raw(), from.bytes());
      cuda::copy(to.raw(), at, from.bytes(), cuda::Copy::to_device);
      at += from.bytes();
    }
    cuda::record(buffer.read);
  }
}

const std::vector<Tensor>& HostReading::read(const std::vector<Tensor>& tensors) {
  host_.resize(tensors.size());
  bool waits = false;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& from = tensors[i];
    Tensor& to = host_[i];
    if (from.device() != Device::cuda) {
      to = from.to(Device::cpu);
    } else if constexpr (build::has_cuda) {
      if (!to.defined() || to.shape() != from.shape() || to.dtype() != from.dtype())
        to = Tensor::pinned(from.shape(), from.dtype());
      cuda::copy(to.raw(), from.raw(), from.bytes(), cuda::Copy::to_pinned);
      waits = true;
    }
  }
  if constexpr (build::has_cuda)
    if (waits) cuda::synchronize();
  return host_;
}

}  // namespace cairn
