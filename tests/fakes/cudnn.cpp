// A library with the part of cuDNN's interface that Cairn calls. It checks what it is given as the
// real one does, offers engines of which some must not or cannot be taken, and computes on the
// host, in plain loops over the sizes and strides that the tensors' descriptors state.
#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/bf16.h"
#include "runtime/cudnn_api.h"

using namespace cairn::cudnn;

namespace {

constexpr int refused = 2000;  // CUDNN_STATUS_BAD_PARAM

struct Value {
  int type;
  int64_t count;
  std::vector<char> bytes;
};

struct Descriptor {
  explicit Descriptor(int of_type) : type(of_type) {}

  const int type;
  bool finished = false;
  std::map<int, Value> values;
  int64_t engine = 0;  // of engines and their configurations

  template <class T>
  std::vector<T> all(int attribute) const {
    const Value& v = values.at(attribute);
    std::vector<T> list(static_cast<size_t>(v.count));
    std::memcpy(list.data(), v.bytes.data(), v.bytes.size());
    return list;
  }
  template <class T>
  T one(int attribute) const {
    return all<T>(attribute).at(0);
  }
  const Descriptor& of(int attribute) const { return *one<const Descriptor*>(attribute); }
  bool has(int attribute) const { return values.count(attribute) > 0; }
};

std::set<std::string> behaviour;
std::string log_of_runs;
int living = 0;

size_t size_of(int type) {
  switch (type) {
    case TYPE_INT64:
    case TYPE_HANDLE:
    case TYPE_VOID_PTR:
    case TYPE_BACKEND_DESCRIPTOR:
      return 8;
    case TYPE_BOOLEAN:
      return 1;
    default:
      return 4;
  }
}

// The attributes without which a descriptor cannot be finished, with their types and counts (0: one
// or more).
struct Needed {
  int attribute, type;
  int64_t count;
};
std::vector<Needed> needed_by(int type) {
  switch (type) {
    case BACKEND_TENSOR_DESCRIPTOR:
      return {{ATTR_TENSOR_DATA_TYPE, TYPE_DATA_TYPE, 1},
              {ATTR_TENSOR_DIMENSIONS, TYPE_INT64, 4},
              {ATTR_TENSOR_STRIDES, TYPE_INT64, 4},
              {ATTR_TENSOR_UNIQUE_ID, TYPE_INT64, 1},
              {ATTR_TENSOR_BYTE_ALIGNMENT, TYPE_INT64, 1}};
    case BACKEND_CONVOLUTION_DESCRIPTOR:
      return {{ATTR_CONVOLUTION_COMP_TYPE, TYPE_DATA_TYPE, 1},
              {ATTR_CONVOLUTION_CONV_MODE, TYPE_CONVOLUTION_MODE, 1},
              {ATTR_CONVOLUTION_SPATIAL_DIMS, TYPE_INT64, 1},
              {ATTR_CONVOLUTION_DILATIONS, TYPE_INT64, 2},
              {ATTR_CONVOLUTION_FILTER_STRIDES, TYPE_INT64, 2},
              {ATTR_CONVOLUTION_PRE_PADDINGS, TYPE_INT64, 2},
              {ATTR_CONVOLUTION_POST_PADDINGS, TYPE_INT64, 2}};
    case BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
      return {{ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, TYPE_BACKEND_DESCRIPTOR, 1},
              {ATTR_OPERATION_CONVOLUTION_FORWARD_X, TYPE_BACKEND_DESCRIPTOR, 1},
              {ATTR_OPERATION_CONVOLUTION_FORWARD_W, TYPE_BACKEND_DESCRIPTOR, 1},
              {ATTR_OPERATION_CONVOLUTION_FORWARD_Y, TYPE_BACKEND_DESCRIPTOR, 1},
              {ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, TYPE_FLOAT, 1},
              {ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, TYPE_FLOAT, 1}};
    case BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
      return {{ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, TYPE_BACKEND_DESCRIPTOR, 1},
              {ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, TYPE_BACKEND_DESCRIPTOR, 1},
              {ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, TYPE_BACKEND_DESCRIPTOR, 1},
              {ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, TYPE_BACKEND_DESCRIPTOR, 1},
              {ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, TYPE_FLOAT, 1},
              {ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, TYPE_FLOAT, 1}};
    case BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR:
      return {{ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, TYPE_BACKEND_DESCRIPTOR, 1},
              {ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, TYPE_BACKEND_DESCRIPTOR, 1},
              {ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, TYPE_BACKEND_DESCRIPTOR, 1},
              {ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, TYPE_BACKEND_DESCRIPTOR, 1},
              {ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, TYPE_FLOAT, 1},
              {ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, TYPE_FLOAT, 1}};
    case BACKEND_POINTWISE_DESCRIPTOR:
      return {{ATTR_POINTWISE_MODE, TYPE_POINTWISE_MODE, 1},
              {ATTR_POINTWISE_MATH_PREC, TYPE_DATA_TYPE, 1}};
    case BACKEND_OPERATION_POINTWISE_DESCRIPTOR:
      return {{ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, TYPE_BACKEND_DESCRIPTOR, 1},
              {ATTR_OPERATION_POINTWISE_XDESC, TYPE_BACKEND_DESCRIPTOR, 1},
              {ATTR_OPERATION_POINTWISE_YDESC, TYPE_BACKEND_DESCRIPTOR, 1}};
    case BACKEND_OPERATIONGRAPH_DESCRIPTOR:
      return {{ATTR_OPERATIONGRAPH_HANDLE, TYPE_HANDLE, 1},
              {ATTR_OPERATIONGRAPH_OPS, TYPE_BACKEND_DESCRIPTOR, 0}};
    case BACKEND_ENGINEHEUR_DESCRIPTOR:
      return {{ATTR_ENGINEHEUR_OPERATION_GRAPH, TYPE_BACKEND_DESCRIPTOR, 1},
              {ATTR_ENGINEHEUR_MODE, TYPE_HEUR_MODE, 1}};
    case BACKEND_EXECUTION_PLAN_DESCRIPTOR:
      return {{ATTR_EXECUTION_PLAN_HANDLE, TYPE_HANDLE, 1},
              {ATTR_EXECUTION_PLAN_ENGINE_CONFIG, TYPE_BACKEND_DESCRIPTOR, 1}};
    case BACKEND_VARIANT_PACK_DESCRIPTOR:
      return {{ATTR_VARIANT_PACK_UNIQUE_IDS, TYPE_INT64, 0},
              {ATTR_VARIANT_PACK_DATA_POINTERS, TYPE_VOID_PTR, 0},
              {ATTR_VARIANT_PACK_WORKSPACE, TYPE_VOID_PTR, 1}};
    default:
      return {};
  }
}

struct Engine {
  int64_t index;
  std::vector<int> notes;
  int64_t workspace = 0;
  bool supported = true, compiled = false;
};
const Engine engines[] = {{7, {NUMERICAL_NOTE_TENSOR_CORE}},
                          {3, {NUMERICAL_NOTE_NONDETERMINISTIC}},
                          {4, {NUMERICAL_NOTE_TENSOR_CORE, NUMERICAL_NOTE_DOWN_CONVERT_INPUTS}},
                          {9, {NUMERICAL_NOTE_FFT}},
                          {20, {}, 0, false},
                          {21, {}, int64_t{1} << 40},
                          {11, {}, 4096, true, true},
                          {11, {}, 0, true, true},
                          {5, {}, 0, true, true},
                          {6, {}},
                          {8, {}}};

// ---- computing ---------------------------------------------------------------------------------

using Numbers = std::vector<double>;  // of a tensor, in the order N, C, H, W

struct Sizes {
  int64_t n, c, h, w;
};
Sizes sizes_of(const Descriptor& tensor) {
  const auto d = tensor.all<int64_t>(ATTR_TENSOR_DIMENSIONS);
  return {d[0], d[1], d[2], d[3]};
}

// f(index in Numbers, offset in memory)
template <class F>
void for_each_element(const Descriptor& tensor, F&& f) {
  const Sizes s = sizes_of(tensor);
  const auto stride = tensor.all<int64_t>(ATTR_TENSOR_STRIDES);
  size_t i = 0;
  for (int64_t n = 0; n < s.n; ++n)
    for (int64_t c = 0; c < s.c; ++c)
      for (int64_t h = 0; h < s.h; ++h)
        for (int64_t w = 0; w < s.w; ++w)
          f(i++, n * stride[0] + c * stride[1] + h * stride[2] + w * stride[3]);
}

struct Run {
  std::map<int64_t, void*> places;
  std::map<int64_t, Numbers> between;

  static int64_t uid(const Descriptor& t) { return t.one<int64_t>(ATTR_TENSOR_UNIQUE_ID); }
  static bool is_virtual(const Descriptor& t) {
    return t.has(ATTR_TENSOR_IS_VIRTUAL) && t.one<char>(ATTR_TENSOR_IS_VIRTUAL);
  }

  Numbers read(const Descriptor& t) {
    if (is_virtual(t)) return between.at(uid(t));
    const Sizes s = sizes_of(t);
    Numbers numbers(size_t(s.n * s.c * s.h * s.w));
    const void* place = places.at(uid(t));
    const bool bf16 = t.one<int>(ATTR_TENSOR_DATA_TYPE) == DATA_BFLOAT16;
    for_each_element(t, [&](size_t i, int64_t at) {
      numbers[i] = bf16 ? double(float(static_cast<const cairn::bf16*>(place)[at]))
                        : double(static_cast<const float*>(place)[at]);
    });
    return numbers;
  }
  void write(const Descriptor& t, const Numbers& numbers) {
    if (is_virtual(t)) {
      between[uid(t)] = numbers;
      return;
    }
    void* place = places.at(uid(t));
    const bool bf16 = t.one<int>(ATTR_TENSOR_DATA_TYPE) == DATA_BFLOAT16;
    for_each_element(t, [&](size_t i, int64_t at) {
      if (bf16)
        static_cast<cairn::bf16*>(place)[at] = cairn::bf16(float(numbers[i]));
      else
        static_cast<float*>(place)[at] = float(numbers[i]);
    });
  }

  // f(index in x, in w, in y) of every product of the convolution.
  template <class F>
  static void for_each_product(const Descriptor& conv, Sizes x, Sizes w, Sizes y, F&& f) {
    const auto stride = conv.all<int64_t>(ATTR_CONVOLUTION_FILTER_STRIDES),
               padding = conv.all<int64_t>(ATTR_CONVOLUTION_PRE_PADDINGS),
               dilation = conv.all<int64_t>(ATTR_CONVOLUTION_DILATIONS);
    for (int64_t n = 0; n < y.n; ++n)
      for (int64_t o = 0; o < y.c; ++o)
        for (int64_t i = 0; i < y.h; ++i)
          for (int64_t j = 0; j < y.w; ++j)
            for (int64_t c = 0; c < x.c; ++c)
              for (int64_t u = 0; u < w.h; ++u)
                for (int64_t v = 0; v < w.w; ++v) {
                  const int64_t h = i * stride[0] + u * dilation[0] - padding[0],
                                k = j * stride[1] + v * dilation[1] - padding[1];
                  if (h >= 0 && h < x.h && k >= 0 && k < x.w)
                    f(size_t(((n * x.c + c) * x.h + h) * x.w + k),
                      size_t(((o * w.c + c) * w.h + u) * w.w + v),
                      size_t(((n * y.c + o) * y.h + i) * y.w + j));
                }
  }

  void convolve(const Descriptor& d, int conv, int xa, int wa, int ya, int out) {
    const Descriptor &x = d.of(xa), &w = d.of(wa), &y = d.of(ya), &to = d.of(out);
    const Sizes s = sizes_of(to);
    Numbers sums(size_t(s.n * s.c * s.h * s.w)), X, W, Y;
    if (&to != &x) X = read(x);
    if (&to != &w) W = read(w);
    if (&to != &y) Y = read(y);
    for_each_product(d.of(conv), sizes_of(x), sizes_of(w), sizes_of(y),
                     [&](size_t i, size_t j, size_t k) {
                       if (&to == &y)
                         sums[k] += X[i] * W[j];
                       else if (&to == &x)
                         sums[i] += Y[k] * W[j];
                       else
                         sums[j] += Y[k] * X[i];
                     });
    write(to, sums);
  }

  void operator()(const Descriptor& d) {
    switch (d.type) {
      case BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
        log_of_runs += "convolution ";
        return convolve(d, ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                        ATTR_OPERATION_CONVOLUTION_FORWARD_X, ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                        ATTR_OPERATION_CONVOLUTION_FORWARD_Y, ATTR_OPERATION_CONVOLUTION_FORWARD_Y);
      case BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
        log_of_runs += "data ";
        return convolve(
            d, ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
            ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
            ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX);
      case BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR:
        log_of_runs += "weights ";
        return convolve(
            d, ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
            ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
            ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW);
      default: {
        const Descriptor& how = d.of(ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
        Numbers numbers = read(d.of(ATTR_OPERATION_POINTWISE_XDESC));
        if (how.one<int>(ATTR_POINTWISE_MODE) == POINTWISE_ADD) {
          log_of_runs += "add ";
          const Numbers b = read(d.of(ATTR_OPERATION_POINTWISE_BDESC));
          const Sizes s = sizes_of(d.of(ATTR_OPERATION_POINTWISE_XDESC));
          for (size_t i = 0; i < numbers.size(); ++i)
            numbers[i] += b[i / size_t(s.h * s.w) % size_t(s.c)];
        } else {
          log_of_runs += "relu ";
          const bool passes_nan = how.one<int>(ATTR_POINTWISE_NAN_PROPAGATION) == PROPAGATE_NAN;
          for (double& z : numbers)
            if (!(z > 0) && !(passes_nan && z != z)) z = 0;
        }
        write(d.of(ATTR_OPERATION_POINTWISE_YDESC), numbers);
      }
    }
  }
};

}  // namespace

// ---- the interface -----------------------------------------------------------------------------

extern "C" {

// For tests: words that change what happens; the graphs that ran, by their operations; how many
// descriptors there are.
void fake_cudnn_behave(const char* word) {
  if (*word)
    behaviour.insert(word);
  else
    behaviour.clear();
  log_of_runs.clear();
}
const char* fake_cudnn_log() { return log_of_runs.c_str(); }
int fake_cudnn_living() { return living; }

size_t cudnnGetVersion() { return 91900; }
int cudnnCreate(void** handle) {
  static int the_handle;
  *handle = &the_handle;
  return behaviour.count("no handle") ? 1 : STATUS_SUCCESS;
}
int cudnnDestroy(void*) { return STATUS_SUCCESS; }
int cudnnSetStream(void*, void*) { return behaviour.count("no stream") ? 1 : STATUS_SUCCESS; }

int cudnnBackendCreateDescriptor(int type, void** descriptor) {
  *descriptor = new Descriptor(type);
  ++living;
  return STATUS_SUCCESS;
}
int cudnnBackendDestroyDescriptor(void* descriptor) {
  delete static_cast<Descriptor*>(descriptor);
  --living;
  return STATUS_SUCCESS;
}

int cudnnBackendSetAttribute(void* descriptor, int attribute, int type, int64_t count,
                             const void* values) {
  auto& d = *static_cast<Descriptor*>(descriptor);
  if (d.finished) return refused;
  const char* bytes = static_cast<const char*>(values);
  d.values[attribute] = {type, count, {bytes, bytes + size_t(count) * size_of(type)}};
  if (type == TYPE_BACKEND_DESCRIPTOR)
    for (const Descriptor* part : d.all<const Descriptor*>(attribute))
      if (!part->finished) return refused;
  return STATUS_SUCCESS;
}

int cudnnBackendFinalize(void* descriptor) {
  auto& d = *static_cast<Descriptor*>(descriptor);
  for (const Needed& n : needed_by(d.type)) {
    const auto at = d.values.find(n.attribute);
    if (at == d.values.end() || at->second.type != n.type ||
        (n.count ? at->second.count != n.count : at->second.count < 1))
      return refused;
  }
  if (d.type == BACKEND_ENGINEHEUR_DESCRIPTOR &&
      behaviour.count("no mode " + std::to_string(d.one<int>(ATTR_ENGINEHEUR_MODE))))
    return refused;
  if (d.type == BACKEND_EXECUTION_PLAN_DESCRIPTOR &&
      !engines[d.of(ATTR_EXECUTION_PLAN_ENGINE_CONFIG).engine].supported)
    return 3000;  // CUDNN_STATUS_NOT_SUPPORTED
  d.finished = true;
  return STATUS_SUCCESS;
}

int cudnnBackendGetAttribute(void* descriptor, int attribute, int, int64_t room, int64_t* count,
                             void* values) {
  auto& d = *static_cast<Descriptor*>(descriptor);
  const auto give = [&](const auto& list) {
    *count = int64_t(list.size());
    using Value = std::decay_t<decltype(list[0])>;
    std::copy_n(list.data(), std::min(list.size(), size_t(room)), static_cast<Value*>(values));
    return STATUS_SUCCESS;
  };
  Descriptor** into = static_cast<Descriptor**>(values);
  switch (attribute) {
    case ATTR_ENGINEHEUR_RESULTS:
      *count = std::min<int64_t>(room, std::size(engines));
      for (int64_t i = 0; i < *count; ++i) {
        into[i]->engine = i;
        into[i]->finished = true;
        into[i]->values = {
            {ATTR_ENGINEHEUR_OPERATION_GRAPH, d.values.at(ATTR_ENGINEHEUR_OPERATION_GRAPH)}};
      }
      return STATUS_SUCCESS;
    case ATTR_ENGINECFG_ENGINE:
      *count = 1;
      into[0]->engine = d.engine;
      return STATUS_SUCCESS;
    case ATTR_ENGINE_NUMERICAL_NOTE:
      return give(engines[d.engine].notes);
    case ATTR_ENGINE_BEHAVIOR_NOTE:
      return give(
          std::vector<int>(engines[d.engine].compiled ? 1 : 0, BEHAVIOR_NOTE_RUNTIME_COMPILATION));
    case ATTR_ENGINE_GLOBAL_INDEX:
      return give(std::vector{engines[d.engine].index});
    case ATTR_EXECUTION_PLAN_WORKSPACE_SIZE:
      return give(std::vector{engines[d.of(ATTR_EXECUTION_PLAN_ENGINE_CONFIG).engine].workspace});
    default:
      return refused;
  }
}

int cudnnBackendExecute(void*, void* plan, void* pack) {
  const auto &p = *static_cast<Descriptor*>(plan), &v = *static_cast<Descriptor*>(pack);
  if (!p.finished || !v.finished) return refused;
  if (behaviour.count("execution fails")) return 5000;  // CUDNN_STATUS_EXECUTION_FAILED
  const Descriptor& configuration = p.of(ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
  const Engine& engine = engines[configuration.engine];
  void* const workspace = v.one<void*>(ATTR_VARIANT_PACK_WORKSPACE);
  if (engine.workspace && !workspace) return refused;
  if (engine.workspace) std::memset(workspace, 0xee, size_t(engine.workspace));
  Run run;
  const auto ids = v.all<int64_t>(ATTR_VARIANT_PACK_UNIQUE_IDS);
  const auto places = v.all<void*>(ATTR_VARIANT_PACK_DATA_POINTERS);
  for (size_t i = 0; i < ids.size(); ++i) run.places[ids[i]] = places.at(i);
  log_of_runs += "engine " + std::to_string(engine.index) + ": ";
  const Descriptor& graph = configuration.of(ATTR_ENGINEHEUR_OPERATION_GRAPH);
  for (const Descriptor* operation : graph.all<const Descriptor*>(ATTR_OPERATIONGRAPH_OPS))
    run(*operation);
  log_of_runs += "\n";
  return STATUS_SUCCESS;
}

}  // extern "C"
