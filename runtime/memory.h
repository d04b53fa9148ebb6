#pragma once
// One caching pool per device. Every tensor's memory comes from here, so that the pool can say
// exactly how much is in use, what the peak was, and who asked when it runs out.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "runtime/device.h"
#include "runtime/error.h"
#include "runtime/profile_range.h"

namespace cairn {

struct MemoryUse {
  size_t in_use = 0;  ///< bytes held by living tensors (as rounded by the pool)
  size_t peak = 0;    ///< the largest in_use since the last reset_peak()
  size_t cached = 0;  ///< bytes kept for reuse
};

/// No memory is left on a device.
struct OutOfMemory : Error {
  using Error::Error;
};

class Memory {
 public:
  virtual ~Memory() = default;

  /// A block of at least `bytes`, 64-byte aligned; it returns to the pool when the last owner is
  /// gone. When no memory is left: releases what is cached and tries once more, then throws an
  /// OutOfMemory with the bytes asked for, the running operation, what is in use, by other
  /// processes too where that is much, and what to lower.
  virtual std::shared_ptr<void> allocate(size_t bytes) = 0;

  virtual MemoryUse use() const = 0;
  virtual void reset_peak() = 0;
  virtual void release_cached() = 0;

  /// New blocks are filled with 0xff (NaN, -1), so that tests see elements that nobody wrote.
  virtual void poison(bool on) = 0;
  /// Refuse to hold more than this; for tests. 0: no limit.
  virtual void set_limit(size_t bytes) = 0;
  virtual size_t limit() const = 0;
};

Memory& memory(Device d);

/// Names the running operation in out-of-memory errors and profiles while it lives.
class OpScope {
 public:
  explicit OpScope(const char* op, Device device = Device::cpu);
  ~OpScope();
  OpScope(const OpScope&) = delete;
  static const char* current();  ///< "" outside of any
  static const char* last();     ///< the one of this thread that ended last; "" before any
  const ProfileRange& range() const { return range_; }

 private:
  const ProfileRange range_;
  const char* outer_;
};

}  // namespace cairn
