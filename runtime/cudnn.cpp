#include "runtime/cudnn.h"

#include <dlfcn.h>

#include <algorithm>
#include <tuple>

#include "runtime/cuda.h"
#include "runtime/cudnn_graph.h"
#include "runtime/error.h"
#include "runtime/graph.h"
#include "runtime/memory.h"

namespace cairn {

using namespace cudnn;

Cudnn::Cudnn(const std::string& file, Device device, void* stream)
    : device_(device), stream_(stream) {
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) return;
  complete_ = true;
#define CAIRN_LOAD(name)                                                                        \
  functions_.name = reinterpret_cast<decltype(functions_.name)>(dlsym(library, "cudnn" #name)); \
  complete_ = complete_ && functions_.name;
  CAIRN_EACH_CUDNN_FUNCTION(CAIRN_LOAD)
#undef CAIRN_LOAD
}

Cudnn::~Cudnn() {
  plans_.clear();
  if (handle_) functions_.Destroy(handle_);
}

std::string Cudnn::version() const {
  if (!complete_) return "";
  const size_t v = functions_.GetVersion();
  return text(v / 10000, ".", v / 100 % 100, ".", v % 100);
}

// Once: whether there is a handle for work on the stream.
bool Cudnn::start() {
  if (!started_ && complete_) {
    started_ = true;
    if (functions_.Create(&handle_) != STATUS_SUCCESS) handle_ = nullptr;
    if (handle_ && functions_.SetStream(handle_, stream_) != STATUS_SUCCESS) {
      functions_.Destroy(handle_);
      handle_ = nullptr;
    }
  }
  return handle_ != nullptr;
}

namespace {

// Whether an engine with these notes may compute a problem.
bool allowed(const std::vector<int>& notes, const CudnnConvolution& p) {
  const bool exact = p.type == DType::f32 && !p.tf32;
  return std::none_of(notes.begin(), notes.end(), [&](int note) {
    switch (note) {
      case NUMERICAL_NOTE_TENSOR_CORE:
        return exact;
      case NUMERICAL_NOTE_DOWN_CONVERT_INPUTS:
      case NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION:
      case NUMERICAL_NOTE_FFT:
      case NUMERICAL_NOTE_NONDETERMINISTIC:
      case NUMERICAL_NOTE_WINOGRAD_TILE_6x6:
      case NUMERICAL_NOTE_WINOGRAD_TILE_13x13:
        return true;
      default:
        return false;
    }
  });
}

bool is_compiled(const Descriptor& engine) {
  const auto notes = engine.get<int>(ATTR_ENGINE_BEHAVIOR_NOTE, TYPE_BEHAVIOR_NOTE, 32);
  return std::count(notes.begin(), notes.end(), BEHAVIOR_NOTE_RUNTIME_COMPILATION) > 0;
}

}  // namespace

std::vector<Cudnn::Plan> Cudnn::plans(const CudnnConvolution& problem, const std::string& only) {
  const std::lock_guard lock(mutex_);
  const auto named = [&](const std::vector<Plan>& plans) {
    std::vector<Plan> found;
    for (const Plan& p : plans)
      if (only.empty() || p.name == only) found.push_back(p);
    return found;
  };
  if (const auto found = plans_.find(problem); found != plans_.end()) {
    const std::vector<Plan> made = named(found->second.plans);
    if (found->second.all || (!only.empty() && !made.empty())) return made;
  }
  if (capture::running(device_) || !start()) return {};
  Made& made = plans_[problem];
  const std::vector<Plan> fresh = made_plans(problem, only);
  if (only.empty()) made = {{}, true};
  made.plans.insert(made.plans.end(), fresh.begin(), fresh.end());
  return fresh;
}

std::vector<Cudnn::Plan> Cudnn::made_plans(const CudnnConvolution& problem,
                                           const std::string& only) const try {
  const Functions& f = functions_;
  const auto graph = std::make_shared<const cudnn::Graph>(f, handle_, problem);
  std::vector<Plan> plans;
  std::map<int64_t, int> offers;  // of an engine, with one setting of its knobs each
  size_t compiled = 0;
  for (const int mode : {HEUR_MODE_A, HEUR_MODE_B}) {
    if (!plans.empty()) break;
    std::vector<Descriptor> configurations;
    try {
      Descriptor heuristics(f, BACKEND_ENGINEHEUR_DESCRIPTOR);
      heuristics.set(ATTR_ENGINEHEUR_OPERATION_GRAPH, graph->descriptor());
      heuristics.set(ATTR_ENGINEHEUR_MODE, TYPE_HEUR_MODE, mode);
      heuristics.finalize();
      for (int i = 0; i < 32; ++i) configurations.emplace_back(f, BACKEND_ENGINECFG_DESCRIPTOR);
      const int64_t found = heuristics.get(ATTR_ENGINEHEUR_RESULTS, configurations);
      configurations.resize(size_t(found), configurations.front());
    } catch (const Unsupported&) {
      continue;
    }
    for (const Descriptor& configuration : configurations) {
      if (plans.size() == most_plans) break;
      try {
        std::vector<Descriptor> engine{Descriptor(f, BACKEND_ENGINE_DESCRIPTOR)};
        configuration.get(ATTR_ENGINECFG_ENGINE, engine);
        const auto notes = engine[0].get<int>(ATTR_ENGINE_NUMERICAL_NOTE, TYPE_NUMERICAL_NOTE, 32);
        const int64_t index = engine[0].get<int64_t>(ATTR_ENGINE_GLOBAL_INDEX, TYPE_INT64, 1).at(0);
        const int offer = ++offers[index];
        const std::string name =
            text("cuDNN engine ", index, offer > 1 ? text(" (", offer, ")") : "");
        if (!allowed(notes, problem) || (!only.empty() && name != only)) continue;
        const bool compiles = is_compiled(engine[0]);
        if (compiles && compiled == most_compiled) continue;
        Descriptor plan(f, BACKEND_EXECUTION_PLAN_DESCRIPTOR);
        plan.set(ATTR_EXECUTION_PLAN_HANDLE, TYPE_HANDLE, handle_);
        plan.set(ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
        plan.finalize();
        const int64_t workspace =
            plan.get<int64_t>(ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, TYPE_INT64, 1).at(0);
        if (workspace > most_workspace) continue;
        compiled += compiles;
        const auto all = std::make_shared<std::tuple<decltype(graph), Descriptor, Descriptor>>(
            graph, configuration, plan);
        plans.push_back({name, workspace, std::shared_ptr<void>(all, plan.held().get())});
      } catch (const Unsupported&) {
      }
    }
  }
  return plans;
} catch (const Unsupported&) {
  return {};
}

void Cudnn::run(const CudnnConvolution& problem, const Plan& plan, const CudnnTensors& t) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<void> workspace;
  if (plan.workspace > 0) workspace = memory(device_).allocate(size_t(plan.workspace));
  std::vector<int64_t> ids{uid_x, uid_w, uid_y};
  std::vector<void*> places{t.x, t.w, t.y};
  if (problem.bias) {
    ids.push_back(uid_bias);
    places.push_back(t.bias);
  }
  int status = -1;
  try {
    Descriptor pack(functions_, BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set(ATTR_VARIANT_PACK_UNIQUE_IDS, ids);
    pack.set(ATTR_VARIANT_PACK_DATA_POINTERS, TYPE_VOID_PTR, places.data(), int64_t(places.size()));
    pack.set(ATTR_VARIANT_PACK_WORKSPACE, TYPE_VOID_PTR, workspace.get());
    pack.finalize();
    status = functions_.BackendExecute(handle_, plan.descriptor.get(), pack.held().get());
  } catch (const Unsupported&) {
  }
  if (status != STATUS_SUCCESS)
    throw Error(plan.name, text("it failed with status ", status), "success",
                "update cuDNN, or remove it: Cairn then uses its own kernels");
}

namespace {
Cudnn* on_simt = nullptr;
}

void bring_cudnn_to_simt(Cudnn* library) { on_simt = library; }

Cudnn* cudnn_of(Device d) {
  if constexpr (build::has_cuda)
    if (d == Device::cuda) {
      static auto* library = new Cudnn("libcudnn.so.9", d, cuda::stream());  // outlives the driver
      return library->version().empty() ? nullptr : library;
    }
  return d == Device::simt ? on_simt : nullptr;
}

}  // namespace cairn
