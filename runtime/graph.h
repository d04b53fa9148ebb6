#pragma once
// Device work that is written down once and then repeated without the host: a CUDA graph on cuda;
// on simt a list of the same launches, copies and fills, so that what a GPU would refuse or
// silently get wrong is found without one.
//
// While a graph is captured nothing runs, and no value exists before the first replay. The host's
// decisions are made once, arguments passed by value keep their values, addresses stay what they
// were. Of the device that is captured, and on the thread that captures it:
//
//   refused   copies from and to the host (Tensor::from, item(), values(), to(dtype)), waiting for
//             the device, a capture within another, giving up memory from before the capture; each
//             is an Error that names the op
//   owned     memory that is asked for belongs to the graph and is used again within it. A tensor
//             that outlives the capture holds what the last replay wrote. The memory goes back to
//             the device's pool with the graph and the last of these tensors.
//   not seen  host code that follows a pointer to simt's memory
//
// Memory from before the capture must outlive the graph.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/device.h"

namespace cairn {

class GraphMemory;

class Graph {
 public:
  static bool exists_on(Device d) { return d != Device::cpu; }

  /// Captures the work that f gives to `d`. Throws an Error where f does what is refused, and what
  /// f throws; `d` can be used as before.
  Graph(Device d, const std::function<void()>& f);
  ~Graph();
  Graph(const Graph&) = delete;

  /// Gives the work to the device again, in stream order.
  void replay();

 private:
  const Device device_;
  std::shared_ptr<GraphMemory> memory_;
  std::vector<std::shared_ptr<const void>> held_;
  std::vector<std::function<void()>> work_;  // simt
  void* executable_ = nullptr;               // cuda
};

// ---- for those who give work to a device -------------------------------------------------------

namespace capture {

bool running(Device d);  ///< whether this thread captures the work of `d`

/// Throws an Error that names the op if this thread captures the work of `d`.
void refuse(Device d, const std::string& what);

void add(std::function<void()> work);  ///< to the graph of simt that this thread captures

/// The graph that this thread captures keeps it alive: memory from before that others may give up.
void hold(std::shared_ptr<const void> what);

/// Host work on the memory of cpu or simt: done now, or by each replay.
template <class F>
void run(Device d, F&& f) {
  if (d == Device::simt && running(d))
    add(std::forward<F>(f));
  else
    f();
}

}  // namespace capture
}  // namespace cairn
