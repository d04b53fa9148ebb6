#include "runtime/graph_memory.h"

namespace cairn {

GraphMemory*& GraphMemory::current() {
  thread_local GraphMemory* memory = nullptr;
  return memory;
}

GraphMemory* GraphMemory::in_use(Device d) {
  GraphMemory* memory = current();
  return memory && memory->device_ == d ? memory : nullptr;
}

std::shared_ptr<void> GraphMemory::allocate(size_t size, size_t slack,
                                            const std::function<std::shared_ptr<void>()>& fresh) {
  std::shared_ptr<void> block;
  {
    std::lock_guard lock(mutex_);
    const auto found = free_.lower_bound(size);
    if (found != free_.end() && found->first <= size + slack) {
      size = found->first;
      block = std::move(found->second);
      free_.erase(found);
    }
  }
  if (!block) block = fresh();
  void* p = block.get();
  return std::shared_ptr<void>(p, [own = shared_from_this(), block, size](void*) {
    std::lock_guard lock(own->mutex_);
    own->free_.emplace(size, block);
  });
}

}  // namespace cairn
