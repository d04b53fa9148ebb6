#pragma once
// What a recording holds when it ends, and the two things that are made of it: the trace and the
// summary.
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/profile.h"

namespace cairn {

struct RecordedRange {
  Work work;
  std::string name;
  int64_t begin, end;         ///< ns of the steady clock
  size_t depth;               ///< ranges around it on its thread
  const char* key = nullptr;  ///< of its note, if there is one
  ProfileRange::Note note = {};
  int device_begin = -1, device_end = -1;  ///< marks on the CUDA stream (runtime/cuda_profile.h)
  std::string module = {};                 ///< on the GPU: what it was part of
};

/// One line of the picture.
struct ProfileTrack {
  std::string name;
  std::vector<RecordedRange> ranges;  ///< in the order in which they begin, parents first

  void sort();
};

struct MemorySample {
  Device device;
  int64_t at;
  size_t bytes;
};

struct ProfileTracks {
  int64_t start_ns = 0, end_ns = 0;
  int64_t dropped = 0;
  std::vector<ProfileTrack> threads;
  ProfileTrack device{"stream", {}};
  std::vector<MemorySample> samples;
};

/// Chrome's trace event format, one event a line: complete events ("X") of the threads as process 1
/// and of the device as process 2, counters ("C"), and names ("M"); microseconds since the start.
void write_trace(AtomicFile& file, const ProfileTracks& tracks);

ProfileSummary summarized(const ProfileTracks& tracks);

}  // namespace cairn
