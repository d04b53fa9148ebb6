#pragma once
// Where the time goes: ranges of work, named where they happen and recorded for a while, as a trace
// in Chrome's event format (Perfetto and chrome://tracing open it) and as a table.
//
//   threads     each has a track of its own; its ranges nest
//   cuda        a second track: ops and copies by the GPU's clock, placed on the host's
//   memory      what the pools hand out, as curves
//
// What a range is and what it costs while nothing is recorded: runtime/profile_range.h.
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/atomic_file.h"
#include "runtime/device.h"
#include "runtime/profile_range.h"

namespace cairn {

/// What a recording says in short. Times are without ranges of the same group inside; those of ops
/// and modules are the GPU's where there is one. Shares are of the recorded time, of which threads
/// that work side by side may have more than all.
struct ProfileSummary {
  struct Row {
    std::string name;
    double ms, share;
    int64_t calls;
  };
  double recorded_ms = 0;
  bool on_cuda = false;
  int64_t dropped = 0;  ///< ranges and samples of memory beyond the most that are recorded
  std::vector<Row> host, modules, ops;  ///< the longest first; copies are among the ops
};

/// A recording of the whole process. One at a time.
class Profile {
 public:
  static constexpr int64_t most_events = 200'000;        ///< ranges and samples: about 30 MB
  static constexpr int64_t most_device_ranges = 50'000;  ///< of them, timed on the GPU

  /// Throws an Error when the file cannot be written: before the work, not after it.
  explicit Profile(const std::string& path);
  /// A recording that was not finished is dropped, and its file not written.
  ~Profile();
  Profile(const Profile&) = delete;

  /// Throws an Error if another one runs.
  void start(Device device);
  /// Ranges that are open on other threads are left out. Writes the file.
  void finish();
  bool finished() const { return finished_; }
  const std::string& path() const { return path_; }
  const ProfileSummary& summary() const { return summary_; }  ///< after finish()

  static bool recording() { return ProfileRange::recording(); }
  /// A point of a device's curve of memory in use.
  static void memory_in_use(Device device, size_t bytes) {
    if (recording()) add_memory(device, bytes);
  }
  /// What this thread is called in the trace; "thread N" otherwise.
  static void name_thread(const std::string& name);

 private:
  static void add_memory(Device device, size_t bytes);

  const std::string path_;
  AtomicFile file_;
  bool started_ = false, finished_ = false;
  ProfileSummary summary_;
};

}  // namespace cairn
