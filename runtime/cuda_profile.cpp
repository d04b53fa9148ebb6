#include "runtime/cuda_profile.h"

#include <cuda_runtime_api.h>
#include <nvtx3/nvToolsExt.h>

#include <chrono>
#include <mutex>

#include "runtime/cuda.h"

namespace cairn::cuda {
namespace {

struct Marks {
  std::mutex mutex;
  std::vector<cudaEvent_t> events;  // kept for the next recording
  size_t used = 0;
  int64_t start_ns = 0;  // of the first
};

Marks& marks() {
  static auto* all = new Marks;  // never destroyed: the driver may be gone before static storage
  return *all;
}

int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

cudaStream_t work_stream() { return static_cast<cudaStream_t>(stream()); }

}  // namespace

void push_range(const char* name) { nvtxRangePushA(name); }
void pop_range() { nvtxRangePop(); }

void start_marks() {
  Marks& m = marks();
  m.used = 0;
  synchronize();
  const int64_t before = now_ns();
  mark();
  synchronize();
  m.start_ns = before + (now_ns() - before) / 2;
}

int mark() noexcept {
  auto capture = cudaStreamCaptureStatusNone;
  if (cudaStreamIsCapturing(work_stream(), &capture) != cudaSuccess ||
      capture != cudaStreamCaptureStatusNone)
    return -1;
  Marks& m = marks();
  std::lock_guard lock(m.mutex);
  if (m.used == m.events.size()) {
    cudaEvent_t event = nullptr;
    if (cudaEventCreate(&event) != cudaSuccess) return -1;
    m.events.push_back(event);
  }
  if (cudaEventRecord(m.events[m.used], work_stream()) != cudaSuccess) return -1;
  return int(m.used++);
}

std::vector<int64_t> mark_times() {
  Marks& m = marks();
  std::lock_guard lock(m.mutex);
  synchronize();
  std::vector<int64_t> times;
  double ns = 0;
  for (size_t i = 0; i < m.used; ++i) {
    // From mark to mark: a float holds short times to the nanosecond, long ones not.
    float ms = 0;
    if (i > 0)
      check(cudaEventElapsedTime(&ms, m.events[i - 1], m.events[i]), "cudaEventElapsedTime");
    ns += 1e6 * double(ms);
    times.push_back(m.start_ns + int64_t(ns));
  }
  return times;
}

}  // namespace cairn::cuda
