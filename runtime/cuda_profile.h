#pragma once
// What a profile needs of CUDA: ranges for Nsight's tools, and when work on the stream was done. As
// runtime/cuda.h, not defined in builds without CUDA.
#include <cstdint>
#include <vector>

namespace cairn::cuda {

/// NVTX ranges of this thread; next to nothing unless a tool listens.
void push_range(const char* name);
void pop_range();

/// Marks are CUDA events on the stream. start_marks() waits for it, to set one against the host's
/// clock (within a few microseconds), and forgets earlier ones.
void start_marks();
/// The number of a new mark behind all that the stream has been given so far. -1 while the stream
/// is captured into a graph, where an event has no time, and after an error, which is reported by
/// the work that made it.
int mark() noexcept;
/// Of all marks, by the host's steady clock in ns. Waits for the stream; throws an Error when a
/// kernel failed.
std::vector<int64_t> mark_times();

}  // namespace cairn::cuda
