// cairn info: what is in a safetensors file.
#include <filesystem>
#include <iomanip>
#include <iostream>

#include "layers/weights.h"
#include "runtime/error.h"
#include "tools/verb.h"

namespace cairn {
namespace {

// Running statistics travel with the weights but are not trained.
bool is_parameter(const std::string& name, const Tensor& t) {
  for (const char* end : {"running_mean", "running_var", "num_batches_tracked"})
    if (name.ends_with(end)) return false;
  return t.dtype() != DType::i32 && t.dtype() != DType::u8;
}

Json report(const std::string& path) {
  const SafetensorsFile file = read_safetensors(path);
  Json j;
  j["file"] = path;
  j["bytes"] = std::filesystem::file_size(path);
  const auto said = [&](const char* key) {
    const auto found = file.metadata.find(key);
    return found == file.metadata.end() ? Json() : Json(found->second);
  };
  j["architecture"] = said(architecture_key);
  const Json options = said(options_key);
  j["options"] =
      options.is_null() ? options : Json::parse(options.get<std::string>(), nullptr, false);
  if (j["options"].is_discarded()) j["options"] = options;  // not JSON: as it stands
  j["metadata"] = file.metadata;
  int64_t parameters = 0, not_finite = 0;
  Json tensors = Json::array();
  for (const auto& [name, t] : file.tensors) {
    const int64_t bad = count_not_finite(t);
    not_finite += bad;
    if (is_parameter(name, t)) parameters += t.count();
    tensors.push_back({{"name", name},
                       {"type", cairn::name(t.dtype())},
                       {"shape", std::vector<int64_t>(t.shape().begin(), t.shape().end())},
                       {"not_finite", bad}});
  }
  j["parameters"] = parameters;
  j["not_finite"] = not_finite;
  j["tensors"] = tensors;
  return j;
}

void print(const Json& j) {
  const auto text_of = [](const Json& v) {
    return v.is_null() ? std::string("not said") : v.is_string() ? v.get<std::string>() : v.dump();
  };
  std::cout << j["file"].get<std::string>() << ": " << j["tensors"].size() << " tensors, "
            << j["parameters"] << " parameters, " << j["bytes"] << " bytes\n"
            << "architecture  " << text_of(j["architecture"]) << '\n'
            << "options       " << text_of(j["options"]) << '\n';
  for (const auto& [key, value] : j["metadata"].items())
    if (key != architecture_key && key != options_key)
      std::cout << key << "  " << value.get<std::string>() << '\n';
  std::cout << '\n';
  size_t width = 0;
  for (const Json& t : j["tensors"]) width = std::max(width, t["name"].get<std::string>().size());
  for (const Json& t : j["tensors"]) {
    std::cout << "  " << std::left << std::setw(int(width) + 2) << t["name"].get<std::string>()
              << std::setw(5) << t["type"].get<std::string>() << t["shape"].dump();
    if (t["not_finite"] != 0) std::cout << "   " << t["not_finite"] << " values are not finite";
    std::cout << '\n';
  }
  std::cout << (j["not_finite"] == 0
                    ? "\nall values are finite\n"
                    : text('\n', j["not_finite"], " values are NaN or infinite\n"));
}

}  // namespace

void add_info(CLI::App& verb) {
  describe(verb, "What is in a model file: architecture, options, tensors",
           "cairn info superpoint.safetensors");
  struct Options {
    std::string file;
    bool json = false;
  };
  auto o = std::make_shared<Options>();
  verb.add_option("FILE", o->file, "a safetensors file")->required()->type_name("");
  add_json_option(verb, o->json);
  verb.callback([o] {
    const Json j = report(o->file);
    if (o->json)
      print_json(j);
    else
      print(j);
  });
}

}  // namespace cairn
