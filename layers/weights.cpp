#include "layers/weights.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "runtime/error.h"
#include "runtime/layout.h"

namespace cairn {
namespace {

bool has_other_layout(const NamedTensor& t) { return t.trainable && t.tensor->rank() == 4; }

Shape pytorch_shape(const NamedTensor& t) {
  const Shape& s = t.tensor->shape();
  return has_other_layout(t) ? Shape{s[0], s[3], s[1], s[2]} : s;
}

bool is_floating(DType t) { return t == DType::f32 || t == DType::f64 || t == DType::bf16; }

bool is_counter(const std::string& name) {
  return name == "num_batches_tracked" || name.ends_with(".num_batches_tracked");
}

template <class T>
int64_t count_bad(const Tensor& t) {
  const T* p = t.data<T>();
  return std::count_if(p, p + t.count(), [](T v) { return !std::isfinite(double(float(v))); });
}

// One line for what is wrong with the file's tensor, or nothing.
std::string mismatch(const NamedTensor& own, const Tensor& found) {
  const Shape wanted = pytorch_shape(own);
  if (found.shape() != wanted)
    return text("\n    shape       ", own.name, ": file ", found.shape(), ", model ", wanted);
  if (!is_floating(found.dtype()))
    return text("\n    type        ", own.name, ": file ", found.dtype(), ", model ",
                own.tensor->dtype());
  if (const int64_t n = count_not_finite(found.to(own.tensor->dtype())))
    return text("\n    not finite  ", own.name, ": ", n, " of ", found.count(), " values");
  return "";
}

bool begins_with_one_of(const std::string& name, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return name.starts_with(prefix); });
}

class UnusedNames : public Visitor {
 public:
  void parameter(const std::string&, Parameter&) override {}
  void buffer(const std::string&, Tensor&) override {}
  void unused(const std::string& path) override { prefixes.push_back(path); }
  std::vector<std::string> prefixes;
};

std::string remedy_for(const SafetensorsFile& file) {
  const auto said = file.metadata.find(architecture_key);
  if (said == file.metadata.end())
    return "load weights of this architecture, or choose the architecture that the file was made "
           "for";
  return "the file says that it holds '" + said->second + "': choose that architecture";
}

}  // namespace

int64_t count_not_finite(const Tensor& t) {
  const Tensor host = t.to(Device::cpu);
  if (host.dtype() == DType::f32) return count_bad<float>(host);
  if (host.dtype() == DType::f64) {
    const double* p = host.data<double>();
    return std::count_if(p, p + t.count(), [](double v) { return !std::isfinite(v); });
  }
  return host.dtype() == DType::bf16 ? count_bad<bf16>(host) : 0;
}

std::vector<std::pair<std::string, Tensor>> export_weights(Module& module) {
  std::vector<std::pair<std::string, Tensor>> out;
  for (const NamedTensor& t : named_tensors(module))
    out.emplace_back(t.name,
                     has_other_layout(t) ? channels_first(*t.tensor) : t.tensor->to(Device::cpu));
  return out;
}

void save_weights(const std::string& path, Module& module,
                  const std::map<std::string, std::string>& metadata) {
  write_safetensors(path, export_weights(module), metadata);
}

void load_weights(Module& module, const SafetensorsFile& file, const std::string& path,
                  const std::vector<std::string>& optional) {
  UnusedNames unused;
  module.visit(unused);
  const std::vector<NamedTensor> own = named_tensors(module);
  std::string wrong;
  int places = 0;
  std::set<std::string> known;
  const auto add = [&](const std::string& line) {
    wrong += line;
    places += !line.empty();
  };
  for (const NamedTensor& t : own) {
    known.insert(t.name);
    const auto found = file.tensors.find(t.name);
    if (found != file.tensors.end())
      add(mismatch(t, found->second));
    else if (!begins_with_one_of(t.name, optional))
      add(text("\n    missing     ", t.name, ' ', pytorch_shape(t)));
  }
  for (const auto& [name, t] : file.tensors)
    if (!known.contains(name) && !is_counter(name) && !begins_with_one_of(name, optional) &&
        !begins_with_one_of(name, unused.prefixes))
      add(text("\n    unexpected  ", name, ' ', t.shape()));
  if (places)
    throw Error(path, text("it does not fit the model in ", places, " places:", wrong),
                "the tensors of the model and no others, with finite values", remedy_for(file));

  for (const NamedTensor& t : own) {
    const auto found = file.tensors.find(t.name);
    if (found == file.tensors.end()) continue;
    const Tensor value = found->second.to(t.tensor->dtype());
    t.tensor->copy_from(has_other_layout(t) ? channels_last(value) : value);
  }
}

void load_weights(Module& module, const std::string& path,
                  const std::vector<std::string>& optional) {
  load_weights(module, read_safetensors(path), path, optional);
}

}  // namespace cairn
