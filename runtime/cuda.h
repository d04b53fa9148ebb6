#pragma once
// The few calls of the CUDA runtime that host code needs; runtime/cuda.cpp is the only file that
// includes its header. In a build without CUDA nothing here is defined, and nothing calls it
// (callers stand behind `if constexpr (build::has_cuda)`).
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace cairn::cuda {

std::string why_unavailable();  ///< empty when a GPU can be used
std::string describe();         ///< "NVIDIA H200, sm_90, 139.8 GiB, driver 13.0"
int architecture();             ///< 90 of compute capability 9.0
int multiprocessors();

void* allocate(size_t bytes);  ///< nullptr when the device is out of memory
void release(void* p);
size_t free_bytes();
std::string others(size_t ours);  ///< memory_of_others() now (runtime/gpu_advice.h)

enum class Copy { to_device, to_host, to_pinned, on_device };
void copy(void* to, const void* from, size_t bytes, Copy kind);  ///< in stream order; to_host waits
void fill(void* p, unsigned char value, size_t bytes);           ///< in stream order
/// `count` copies of the element of `size` bytes, in stream order and without memory of the host.
void fill(void* p, const void* element, size_t size, int64_t count);

/// What the stream is given from here on becomes a graph instead of running; no copies from or to
/// the host may be among it.
void begin_capture();
void* end_capture();     ///< the cudaGraphExec_t
void abandon_capture();  ///< after an error
void launch_graph(void* graph);
void release_graph(void* graph);

void* allocate_pinned(size_t bytes);  ///< host memory that copies to the device need not wait for
void release_pinned(void* p);

void* make_event();               ///< a cudaEvent_t; nothing is before it yet
void record(void* event);         ///< the event comes when all work given so far is done
void wait_for(void* event);       ///< the host waits
void release_event(void* event);  ///< waits for it first

/// Milliseconds that the GPU takes for the work, which is not captured; waits for it.
double milliseconds(const std::function<void()>& work);

void* stream();  ///< the cudaStream_t that all of Cairn's work goes to
void synchronize();

/// Throws an Error naming `call` unless `code` (a cudaError_t) is success.
void check(int code, const char* call);

}  // namespace cairn::cuda
