#include "runtime/cuda.h"

#include <cuda_runtime_api.h>

#include <algorithm>

#include "runtime/error.h"
#include "runtime/gpu_advice.h"

namespace cairn::cuda {

namespace {

GpuFailure failure_of(cudaError_t error) {
  switch (error) {
    case cudaErrorNoKernelImageForDevice:
      return GpuFailure::no_code;
    case cudaErrorInsufficientDriver:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorUnsupportedPtxVersion:
      return GpuFailure::old_driver;
    case cudaErrorDevicesUnavailable:
      return GpuFailure::occupied;
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorLaunchTimeout:
    case cudaErrorNoDevice:
    case cudaErrorUnknown:
      return GpuFailure::lost;
    default:
      return GpuFailure::kernel;
  }
}

}  // namespace

void check(int code, const char* call) {
  if (code == cudaSuccess) return;
  const auto error = static_cast<cudaError_t>(code);
  throw Error(call, text(cudaGetErrorName(error), " (", cudaGetErrorString(error), ")"),
              "the call to succeed", gpu_remedy(failure_of(error)));
}

std::string why_unavailable() {
  int driver = 0, count = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0)
    return "no NVIDIA driver was found";
  int runtime = 0;
  cudaRuntimeGetVersion(&runtime);
  if (driver / 1000 < runtime / 1000)
    return text("the NVIDIA driver is for CUDA ", driver / 1000, ".", driver % 1000 / 10,
                ", this build needs ", runtime / 1000, ".", runtime % 1000 / 10);
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaErrorNoDevice || (error == cudaSuccess && count == 0))
    return "a driver is there, but no GPU";
  if (error != cudaSuccess) return text("the driver answers: ", cudaGetErrorString(error));
  cudaDeviceProp p{};
  if (cudaGetDeviceProperties(&p, 0) != cudaSuccess) return "the GPU does not answer";
  return missing_architecture(CAIRN_CUDA_ARCHITECTURES, p.major, p.minor);
}

std::string describe() {
  cudaDeviceProp p{};
  check(cudaGetDeviceProperties(&p, 0), "cudaGetDeviceProperties");
  int driver = 0;
  cudaDriverGetVersion(&driver);
  return text(p.name, ", sm_", p.major, p.minor, ", ", p.multiProcessorCount, " SMs, ",
              double(p.totalGlobalMem >> 20) / 1024, " GiB, driver for CUDA ", driver / 1000, ".",
              driver % 1000 / 10);
}

namespace {

int attribute(cudaDeviceAttr which) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, which, 0), "cudaDeviceGetAttribute");
  return value;
}

}  // namespace

int architecture() {
  static const int a = 10 * attribute(cudaDevAttrComputeCapabilityMajor) +
                       attribute(cudaDevAttrComputeCapabilityMinor);
  return a;
}

int multiprocessors() {
  static const int count = attribute(cudaDevAttrMultiProcessorCount);
  return count;
}

void* stream() {
  static cudaStream_t s = [] {
    cudaStream_t made;
    check(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking), "cudaStreamCreate");
    return made;
  }();
  return s;
}

void* allocate(size_t bytes) {
  void* p = nullptr;
  const cudaError_t error = cudaMalloc(&p, bytes);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // clears it: the caller reports with more context
    return nullptr;
  }
  check(error, "cudaMalloc");
  return p;
}

void release(void* p) { cudaFree(p); }

size_t free_bytes() {
  size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  return free;
}

std::string others(size_t ours) {
  size_t free = 0, total = 0;
  if (cudaMemGetInfo(&free, &total) != cudaSuccess) return "";
  return memory_of_others(total, free, ours);
}

void copy(void* to, const void* from, size_t bytes, Copy kind) {
  const auto direction = kind == Copy::to_device   ? cudaMemcpyHostToDevice
                         : kind == Copy::on_device ? cudaMemcpyDeviceToDevice
                                                   : cudaMemcpyDeviceToHost;
  const auto s = static_cast<cudaStream_t>(stream());
  check(cudaMemcpyAsync(to, from, bytes, direction, s), "cudaMemcpyAsync");
  if (kind == Copy::to_host) check(cudaStreamSynchronize(s), "cudaStreamSynchronize");
}

void fill(void* p, unsigned char value, size_t bytes) {
  check(cudaMemsetAsync(p, value, bytes, static_cast<cudaStream_t>(stream())), "cudaMemsetAsync");
}

void fill(void* p, const void* element, size_t size, int64_t count) {
  if (count == 0) return;
  const auto* bytes = static_cast<const unsigned char*>(element);
  if (std::all_of(bytes, bytes + size, [&](unsigned char b) { return b == bytes[0]; }))
    return fill(p, bytes[0], size * size_t(count));
  // A column of bytes for each byte of the element: such a fill carries its value with it, where a
  // copy from the host would make a graph read the host's memory at every replay.
  for (size_t i = 0; i < size; ++i)
    check(cudaMemset2DAsync(static_cast<char*>(p) + i, size, bytes[i], 1, size_t(count),
                            static_cast<cudaStream_t>(stream())),
          "cudaMemset2DAsync");
}

// Relaxed: the pool may ask for fresh memory meanwhile. What must not happen, runtime/graph.h
// refuses on every device alike.
void begin_capture() {
  check(cudaStreamBeginCapture(static_cast<cudaStream_t>(stream()), cudaStreamCaptureModeRelaxed),
        "cudaStreamBeginCapture");
}

void* end_capture() {
  cudaGraph_t graph = nullptr;
  check(cudaStreamEndCapture(static_cast<cudaStream_t>(stream()), &graph), "cudaStreamEndCapture");
  cudaGraphExec_t executable = nullptr;
  const cudaError_t error = cudaGraphInstantiateWithFlags(&executable, graph, 0);
  cudaGraphDestroy(graph);
  check(error, "cudaGraphInstantiateWithFlags");
  return executable;
}

void abandon_capture() {
  cudaGraph_t graph = nullptr;
  cudaStreamEndCapture(static_cast<cudaStream_t>(stream()), &graph);
  if (graph) cudaGraphDestroy(graph);
  cudaGetLastError();  // clears what the first error has left
}

void launch_graph(void* graph) {
  check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), static_cast<cudaStream_t>(stream())),
        "cudaGraphLaunch");
}

void release_graph(void* graph) { cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph)); }

void* allocate_pinned(size_t bytes) {
  void* p = nullptr;
  check(cudaMallocHost(&p, bytes), "cudaMallocHost");
  return p;
}

void release_pinned(void* p) { cudaFreeHost(p); }

void* make_event() {
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  return event;
}

void record(void* event) {
  check(cudaEventRecord(static_cast<cudaEvent_t>(event), static_cast<cudaStream_t>(stream())),
        "cudaEventRecord");
}

void wait_for(void* event) {
  check(cudaEventSynchronize(static_cast<cudaEvent_t>(event)), "cudaEventSynchronize");
}

void release_event(void* event) {
  cudaEventSynchronize(static_cast<cudaEvent_t>(event));
  cudaEventDestroy(static_cast<cudaEvent_t>(event));
}

namespace {

// Gives the GPU a third of a millisecond of filling, so that the host is ahead with what is timed
// next: on an idle GPU a short kernel's time would be that of its call.
void keep_busy() {
  constexpr size_t bytes = size_t{32} << 20;
  constexpr int fills = 32;  // of 10 us each
  static void* const memory = allocate(bytes);
  if (memory)
    for (int i = 0; i < fills; ++i) fill(memory, 0, bytes);
}

}  // namespace

double milliseconds(const std::function<void()>& work) {
  struct Events {
    cudaEvent_t begin = nullptr, end = nullptr;
    Events() {
      check(cudaEventCreate(&begin), "cudaEventCreate");
      check(cudaEventCreate(&end), "cudaEventCreate");
    }
    ~Events() {
      cudaEventDestroy(begin);
      cudaEventDestroy(end);
    }
  };
  const Events events;
  const auto s = static_cast<cudaStream_t>(stream());
  keep_busy();
  check(cudaEventRecord(events.begin, s), "cudaEventRecord");
  work();
  check(cudaEventRecord(events.end, s), "cudaEventRecord");
  check(cudaEventSynchronize(events.end), "cudaEventSynchronize");
  float ms = 0;
  check(cudaEventElapsedTime(&ms, events.begin, events.end), "cudaEventElapsedTime");
  return double(ms);
}

void synchronize() {
  check(cudaStreamSynchronize(static_cast<cudaStream_t>(stream())), "cudaStreamSynchronize");
}

}  // namespace cairn::cuda
