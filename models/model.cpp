#include "models/model.h"

#include <algorithm>
#include <charconv>

#include "runtime/error.h"

namespace cairn {

#define CAIRN_SYSTEM(name) std::unique_ptr<Model> make_##name(const Options&);
#include "models.inc"
#undef CAIRN_SYSTEM

namespace {

struct System {
  const char* name;
  std::unique_ptr<Model> (*make)(const Options&);
};

const System systems[] = {
#define CAIRN_SYSTEM(name) {#name, make_##name},
#include "models.inc"
#undef CAIRN_SYSTEM
};

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& w : words) out += (out.empty() ? "" : ", ") + w;
  return out.empty() ? "none" : out;
}

}  // namespace

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const System& s : systems) names.push_back(s.name);
  return names;
}

std::unique_ptr<Model> make_model(const std::string& architecture, const Options& options) {
  const size_t dash = architecture.find('-');
  const std::string name = architecture.substr(0, dash);
  Options all = options;
  if (dash != std::string::npos) all["variant"] = architecture.substr(dash + 1);
  for (const System& s : systems)
    if (name == s.name) return s.make(all);
  throw UsageError("architecture", text("'", architecture, "' is unknown"), joined(model_names()),
                   "name one of them, or NAME-VARIANT");
}

void Model::set_loss_options(const Options& options) {
  OptionReader(architecture() + " loss", options).finish();
}

std::vector<Keypoints> Model::detect(const Tensor& image, const DetectOptions& options) {
  std::vector<Tensor> found = detect_on_device(image, options);
  for (Tensor& t : found) t = t.to(Device::cpu);
  return keypoints_from(found, image.shape());
}

void require_computing_in(DType type, Device device, const Model& model) {
  if (model.computes_in(type, device)) return;
  throw UsageError(model.architecture(), text("it does not compute in ", type, " on ", device),
                   "float32", "run it with --precision fp32");
}

std::string number_list(const std::vector<double>& numbers) {
  std::string list;
  char digits[32];
  for (double x : numbers) {
    const auto end = std::to_chars(digits, digits + sizeof digits, x).ptr;
    if (!list.empty()) list += ',';
    list.append(digits, end);
  }
  return list;
}

const std::string* OptionReader::take(const std::string& key) {
  known_.push_back(key);
  const auto it = left_.find(key);
  if (it == left_.end()) return nullptr;
  const std::string& value = taken_[key] = it->second;
  left_.erase(it);
  return &value;
}

int OptionReader::integer(const std::string& key, int fallback, int low, int high) {
  const std::string* value = take(key);
  if (!value) return fallback;
  char* end = nullptr;
  const long n = std::strtol(value->c_str(), &end, 10);
  if (value->empty() || *end || n < low || n > high)
    throw UsageError(system_ + "." + key, text("the value is '", *value, "'"),
                     text("a whole number from ", low, " to ", high), "correct it");
  return int(n);
}

double OptionReader::real(const std::string& key, double fallback, double low, double high) {
  const std::string* value = take(key);
  if (!value) return fallback;
  char* end = nullptr;
  const double x = std::strtod(value->c_str(), &end);
  if (value->empty() || *end || !(x >= low && x <= high))
    throw UsageError(system_ + "." + key, text("the value is '", *value, "'"),
                     text("a number from ", low, " to ", high), "correct it");
  return x;
}

std::vector<double> OptionReader::reals(const std::string& key, const std::vector<double>& fallback,
                                        double low, double high) {
  const std::string* value = take(key);
  if (!value) return fallback;
  std::vector<double> list;
  const char* at = value->c_str();
  for (;;) {
    char* end = nullptr;
    const double x = std::strtod(at, &end);
    if (end == at || !(x >= low && x <= high) || (*end && *end != ',') || list.size() == 16)
      throw UsageError(system_ + "." + key, text("the value is '", *value, "'"),
                       text("up to 16 numbers from ", low, " to ", high, " with commas"),
                       "correct it");
    list.push_back(x);
    if (!*end) return list;
    at = end + 1;
  }
}

bool OptionReader::boolean(const std::string& key, bool fallback) {
  const std::string* value = take(key);
  if (!value) return fallback;
  if (*value == "true") return true;
  if (*value == "false") return false;
  throw UsageError(system_ + "." + key, text("the value is '", *value, "'"), "true or false",
                   "correct it");
}

std::string OptionReader::choice(const std::string& key, const std::vector<std::string>& choices) {
  const std::string* value = take(key);
  if (!value) return choices.front();
  if (std::find(choices.begin(), choices.end(), *value) != choices.end()) return *value;
  throw UsageError(system_ + "." + key, text("the value is '", *value, "'"), joined(choices),
                   "choose one of them");
}

size_t OptionReader::index(const std::string& key, const std::vector<std::string>& choices) {
  return size_t(std::find(choices.begin(), choices.end(), choice(key, choices)) - choices.begin());
}

std::string OptionReader::string(const std::string& key, const std::string& fallback) {
  const std::string* value = take(key);
  return value ? *value : fallback;
}

void OptionReader::finish() const {
  if (left_.empty()) return;
  std::vector<std::string> unknown;
  for (const auto& [key, value] : left_) unknown.push_back(key);
  throw UsageError(system_, text("unknown option ", joined(unknown)), joined(known_),
                   "remove or correct it");
}

}  // namespace cairn
