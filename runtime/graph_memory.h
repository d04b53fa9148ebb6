#pragma once
// The memory of one graph (runtime/graph.h): blocks of the device's pool, which are used again here
// alone, and go back when the graph and the last tensor in them are gone.
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "runtime/device.h"

namespace cairn {

class GraphMemory : public std::enable_shared_from_this<GraphMemory> {
 public:
  explicit GraphMemory(Device d) : device_(d) {}

  /// While it lives, the device's pool serves this thread from here.
  class Use {
   public:
    explicit Use(GraphMemory& m) { current() = &m; }
    ~Use() { current() = nullptr; }
    Use(const Use&) = delete;
  };
  /// Of this thread and of `d`, or null.
  static GraphMemory* in_use(Device d);

  /// A block of at least `size` and at most `size + slack` bytes: one that is free here, or a fresh
  /// one of the device's pool.
  std::shared_ptr<void> allocate(size_t size, size_t slack,
                                 const std::function<std::shared_ptr<void>()>& fresh);

  /// The op in which a block of another owner was given up during a Use ("" outside of any op), or
  /// null.
  const char* given_up() const { return given_up_; }
  void give_up_other(const char* op) { given_up_ = op; }

 private:
  static GraphMemory*& current();

  const Device device_;
  const char* given_up_ = nullptr;
  std::mutex mutex_;
  std::multimap<size_t, std::shared_ptr<void>> free_;
};

}  // namespace cairn
