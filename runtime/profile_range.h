#pragma once
// A named piece of work, marked where it is done: what profiles (runtime/profile.h) and, in builds
// with CUDA, Nsight's tools (NVTX) show. While no profile is recorded it costs the test of one
// flag, and the NVTX call, which does nothing unless a tool listens.
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "runtime/device.h"

namespace cairn {

/// What a range is: its category in the trace.
enum class Work : unsigned char {
  host,    ///< a phase of the program: a step, waiting for a batch, a checkpoint
  module,  ///< "conv1a", "conv1a backward"; for a function outside of modules "add backward"
  op,      ///< a call of kernels/
  copy,    ///< from device to device, or within one that is not the cpu
};

/// Work of this thread, from here to the end of the scope.
class ProfileRange {
 public:
  using Note = std::variant<int64_t, std::string>;

  /// The name is the parts in sequence.
  explicit ProfileRange(Work work, std::string_view name, std::string_view more = {},
                        std::string_view rest = {}) {
    if (build::has_cuda || recording()) open(work, name, more, rest);
  }
  ~ProfileRange() {
    if (build::has_cuda || recorded_) close();
  }
  ProfileRange(const ProfileRange&) = delete;

  /// Times it on the GPU too, from what is given to the stream now to the end of the scope.
  void also_on(Device device) const {
    if (build::has_cuda && recorded_ && device == Device::cuda) mark_begin();
  }
  /// Something to know of it, which the trace shows with it: {"bytes", 4096}.
  void note(const char* key, Note value) const {
    if (recorded_) add_note(key, std::move(value));
  }
  bool recorded() const { return recorded_ != 0; }

 private:
  friend class Profile;
  static bool recording() { return recording_.load(std::memory_order_relaxed); }
  void open(Work work, std::string_view name, std::string_view more, std::string_view rest);
  void close();
  void mark_begin() const;
  void add_note(const char* key, Note value) const;

  static inline std::atomic<bool> recording_{false};
  int recorded_ = 0;  // the number of the recording that it is part of
};

}  // namespace cairn
