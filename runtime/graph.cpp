#include "runtime/graph.h"

#include "runtime/cuda.h"
#include "runtime/error.h"
#include "runtime/graph_memory.h"
#include "runtime/memory.h"

namespace cairn {
namespace {

struct Running {
  Device device;
  std::vector<std::function<void()>>* work;
  std::vector<std::shared_ptr<const void>>* held;
};
thread_local const Running* now = nullptr;

// Between these two, what the thread gives to the device is written down.
class Scope {
 public:
  explicit Scope(const Running& r) : device_(r.device) {
    if constexpr (build::has_cuda)
      if (device_ == Device::cuda) cuda::begin_capture();
    now = &r;
  }
  ~Scope() {
    now = nullptr;
    if constexpr (build::has_cuda)
      if (device_ == Device::cuda && !done_) cuda::abandon_capture();
  }
  Scope(const Scope&) = delete;
  void* end() {
    done_ = true;
    if constexpr (build::has_cuda)
      if (device_ == Device::cuda) return cuda::end_capture();
    return nullptr;
  }

 private:
  const Device device_;
  bool done_ = false;
};

}  // namespace

namespace capture {

bool running(Device d) { return now && now->device == d; }

void refuse(Device d, const std::string& what) {
  if (!running(d)) return;
  const char *op = OpScope::current(), *last = OpScope::last();
  throw Error(*op     ? std::string(op)
              : *last ? text("after ", last)
                      : "graph",
              text(what, " while work on ", d, " is captured"), text("work on ", d, " alone"),
              "make constants once and keep them on the device; read values after the replay");
}

void add(std::function<void()> work) { now->work->push_back(std::move(work)); }

void hold(std::shared_ptr<const void> what) { now->held->push_back(std::move(what)); }

}  // namespace capture

Graph::Graph(Device d, const std::function<void()>& f) : device_(d) {
  if (!exists_on(d))
    throw Error("graph", text("work on ", d, " cannot be captured"), "simt or cuda",
                "run it directly");
  require_available(d);
  if (now) capture::refuse(now->device, "another capture begins");
  memory_ = std::make_shared<GraphMemory>(d);
  const Running running{d, &work_, &held_};
  const GraphMemory::Use use(*memory_);
  Scope scope(running);
  f();
  if (const char* op = memory_->given_up())
    throw Error(*op ? op : "graph",
                text("memory from before is given up while work on ", d, " is captured"),
                "memory that outlives the graph", "hold on to the tensor until the graph is gone");
  executable_ = scope.end();
}

Graph::~Graph() {
  if constexpr (build::has_cuda)
    if (executable_) cuda::release_graph(executable_);
}

void Graph::replay() {
  capture::refuse(device_, "a graph is replayed");
  for (const auto& work : work_) work();
  if constexpr (build::has_cuda)
    if (executable_) cuda::launch_graph(executable_);
}

}  // namespace cairn
