#include "runtime/memory.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#ifdef __linux__
#include <sys/mman.h>
#endif

#include "runtime/cuda.h"
#include "runtime/error.h"
#include "runtime/graph.h"
#include "runtime/graph_memory.h"
#include "runtime/profile.h"
#ifdef CAIRN_HAS_SIMT
#include "kernels/simt/memory.h"
#endif

namespace cairn {
namespace {

thread_local const char *current_op = "", *last_op = "";

// Where a device's memory comes from, beneath the cache.
struct Source {
  void* (*take)(size_t);
  void (*give)(void*);
  void (*fill)(void*, unsigned char, size_t);
};

// Large blocks ask for 2 MiB pages: fewer faults on first touch, and no misses of the address cache
// when a kernel walks across the rows of an image.
void* host_take(size_t bytes) {
  constexpr size_t huge_page = size_t{2} << 20;
  if (bytes < 2 * huge_page) return std::aligned_alloc(64, bytes);
  void* p = std::aligned_alloc(huge_page, (bytes + huge_page - 1) / huge_page * huge_page);
#ifdef MADV_HUGEPAGE
  if (p) madvise(p, bytes, MADV_HUGEPAGE);  // a wish: refused where the system has none
#endif
  return p;
}
void host_fill(void* p, unsigned char value, size_t bytes) { std::memset(p, value, bytes); }

Source source_of(Device d) {
#ifdef CAIRN_HAS_SIMT
  if (d == Device::simt) return {simt::allocate, simt::release, host_fill};
#endif
  if constexpr (build::has_cuda)
    if (d == Device::cuda) return {cuda::allocate, cuda::release, cuda::fill};
  return {host_take, std::free, host_fill};
}

// Freed blocks wait here by size. A request takes the smallest block that is large enough and not
// more than an eighth larger, so that one step's sizes are served by the blocks of the last step.
// On the cpu large requests take up to four times as much rather than fresh memory: the maps of a
// network shrink from layer to layer, and each can lie where a larger one was (whole process:
// detection at 480x640 117 -> 94 MB, a training step of MagicPoint 231 -> 208 MB).
class Pool final : public Memory, public std::enable_shared_from_this<Pool> {
 public:
  explicit Pool(Device d) : device_(d), source_(source_of(d)) {}
  ~Pool() override { release_cached(); }

  std::shared_ptr<void> allocate(size_t bytes) override {
    const size_t size = rounded(bytes);
    const auto own = [&] {
      return std::shared_ptr<void>(take(size),
                                   [pool = shared_from_this()](void* p) { pool->give_back(p); });
    };
    GraphMemory* graph = GraphMemory::in_use(device_);
    const auto block = graph ? graph->allocate(size, slack(size), own) : own();
    if (poison_) {
      void* p = block.get();
      capture::run(device_, [fill = source_.fill, p, size] { fill(p, 0xff, size); });
    }
    return block;
  }

  MemoryUse use() const override {
    std::lock_guard lock(mutex_);
    return use_;
  }
  void reset_peak() override {
    std::lock_guard lock(mutex_);
    use_.peak = use_.in_use;
  }
  void release_cached() override {
    std::lock_guard lock(mutex_);
    release_cached_locked();
  }
  void poison(bool on) override { poison_ = on; }
  void set_limit(size_t bytes) override { limit_ = bytes; }
  size_t limit() const override { return limit_; }

 private:
  // simt keeps exact sizes: its checker puts a red zone right behind the last byte.
  size_t rounded(size_t bytes) const {
    if (device_ == Device::simt) return bytes == 0 ? 1 : bytes;
    const size_t step = bytes < (size_t{1} << 20) ? 512 : size_t{1} << 16;
    return bytes == 0 ? step : (bytes + step - 1) / step * step;
  }

  // How much larger a block may be than what is asked for.
  size_t slack(size_t asked) const {
    const bool shrinking = device_ == Device::cpu && asked >= (size_t{1} << 20);
    return device_ == Device::simt ? 0 : shrinking ? 3 * asked : asked / 8;
  }

  // What a block has beyond the bytes asked for counts as cached.
  struct Block {
    size_t size, asked;
  };

  void* take(size_t asked) {
    std::lock_guard lock(mutex_);
    Block block{asked, asked};
    auto found = cached_.lower_bound(asked);
    void* p = nullptr;
    if (found != cached_.end() && found->first <= asked + slack(asked)) {
      block.size = found->first;
      p = found->second;
      use_.cached -= asked;
      cached_.erase(found);
    } else {
      p = fresh(asked);
    }
    blocks_[p] = block;
    use_.in_use += asked;
    use_.peak = std::max(use_.peak, use_.in_use);
    Profile::memory_in_use(device_, use_.in_use);
    return p;
  }

  void* fresh(size_t size) {
    const auto over = [&] { return limit_ && use_.in_use + use_.cached + size > limit_; };
    if (over()) release_cached_locked();
    void* p = over() ? nullptr : source_.take(size);
    if (!p && !over()) {
      release_cached_locked();
      p = source_.take(size);
    }
    if (p) return p;
    std::string others;
    if constexpr (build::has_cuda)
      if (device_ == Device::cuda) others = cuda::others(use_.in_use + use_.cached);
    throw OutOfMemory(
        *current_op ? current_op : "memory",
        text("out of memory on ", device_, ": ", mib(size), " asked for, ", mib(use_.in_use),
             " in use, peak ", mib(use_.peak), limit_ ? text(", limit ", mib(limit_)) : ""),
        "enough free memory for this operation",
        text("lower the batch size or the image size, or close other programs",
             others.empty() ? "" : "; ", others));
  }

  void give_back(void* p) {
    if (GraphMemory* graph = GraphMemory::in_use(device_)) graph->give_up_other(current_op);
    std::lock_guard lock(mutex_);
    const auto it = blocks_.find(p);
    const Block block = it->second;
    use_.in_use -= block.asked;
    use_.cached += block.asked;
    Profile::memory_in_use(device_, use_.in_use);
    cached_.emplace(block.size, p);
    blocks_.erase(it);
  }

  void release_cached_locked() {
    for (auto& [size, p] : cached_) {
      source_.give(p);
      use_.cached -= size;
    }
    cached_.clear();
  }

  static std::string mib(size_t bytes) { return text((bytes * 10 >> 20) / 10.0, " MiB"); }

  const Device device_;
  const Source source_;
  mutable std::mutex mutex_;
  MemoryUse use_;
  std::multimap<size_t, void*> cached_;
  std::map<void*, Block> blocks_;
  bool poison_ = false;
  size_t limit_ = 0;
};

}  // namespace

Memory& memory(Device d) {
  // Never destroyed: tensors in static storage may outlive any order of destruction.
  static auto* pools = new std::shared_ptr<Pool>[3] {
    std::make_shared<Pool>(Device::cpu), std::make_shared<Pool>(Device::simt),
        std::make_shared<Pool>(Device::cuda)
  };
  return *pools[int(d)];
}

OpScope::OpScope(const char* op, Device device) : range_(Work::op, op), outer_(current_op) {
  current_op = op;
  range_.also_on(device);
}
OpScope::~OpScope() {
  last_op = current_op;
  current_op = outer_;
}
const char* OpScope::current() { return current_op; }
const char* OpScope::last() { return last_op; }

}  // namespace cairn
