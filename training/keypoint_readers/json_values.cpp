#include "training/keypoint_readers/json_values.h"

#include <algorithm>
#include <cmath>

#include "runtime/atomic_file.h"
#include "runtime/error.h"

namespace cairn {

using nlohmann::json;

namespace {

// Python's json writes NaN, Infinity and -Infinity, which no parser has to know: null instead, so
// that the entry with it can be named.
std::string with_null_for_nan(const std::string& in) {
  if (in.find("NaN") == std::string::npos && in.find("Infinity") == std::string::npos) return in;
  std::string out;
  out.reserve(in.size() + 64);
  bool quoted = false;
  for (size_t i = 0; i < in.size();) {
    if (!quoted) {
      size_t skip = 0;
      for (const char* word : {"NaN", "-Infinity", "Infinity"})
        if (in.compare(i, std::string(word).size(), word) == 0) skip = std::string(word).size();
      if (skip) {
        out += "null";
        i += skip;
        continue;
      }
    }
    if (in[i] == '"') quoted = !quoted;
    if (quoted && in[i] == '\\' && i + 1 < in.size()) out += in[i++];
    out += in[i++];
  }
  return out;
}

std::string line_and_column(const std::string& text_, size_t byte) {
  const size_t end = std::min(byte > 0 ? byte - 1 : 0, text_.size());
  const auto line = 1 + std::count(text_.begin(), text_.begin() + std::ptrdiff_t(end), '\n');
  const size_t start = end == 0 ? std::string::npos : text_.rfind('\n', end - 1);
  return text("line ", line, ", column ", end - (start == std::string::npos ? 0 : start + 1) + 1);
}

}  // namespace

json read_json_file(const std::string& path) {
  const std::string contents = with_null_for_nan(read_file(path));
  const auto keep = [](int, json::parse_event_t event, json& parsed) {
    return event != json::parse_event_t::key || parsed != "segmentation";
  };
  try {
    return json::parse(contents, keep);
  } catch (const json::parse_error& e) {
    const bool empty = contents.find_first_not_of(" \t\r\n") == std::string::npos;
    throw Error(
        path,
        empty ? "the file is empty" : text("it is not JSON: ", line_and_column(contents, e.byte)),
        "COCO keypoints in JSON, or points in CSV (docs/your_own_images.md)",
        "write the file again; a program that was stopped leaves half a file");
  } catch (const json::exception& e) {  // a number beyond double, say
    throw Error(path, text("it cannot be read as JSON: ", e.what()), "COCO keypoints in JSON",
                "write the file again");
  }
}

std::optional<double> number(const json& value) {
  if (!value.is_number()) return {};
  const double v = value.get<double>();
  return std::isfinite(v) ? std::optional(v) : std::nullopt;
}

std::optional<int64_t> whole_number(const json& value) {
  if (value.is_number_integer()) {
    if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t(INT64_MAX)) return {};
    return value.get<int64_t>();
  }
  const std::optional<double> v = number(value);
  if (!v || *v != std::floor(*v) || std::abs(*v) > 9e15) return {};
  return int64_t(*v);
}

const json& element(const json& object, const char* key) {
  static const json none;
  if (!object.is_object()) return none;
  const auto it = object.find(key);
  return it == object.end() ? none : *it;
}

std::string shown(const json& value) {
  if (value.is_null()) return "absent, null or NaN";
  std::string s = value.dump(-1, ' ', false, json::error_handler_t::replace);
  constexpr size_t longest = 60;
  if (s.size() > longest) s = s.substr(0, longest - 3) + "...";
  return s;
}

}  // namespace cairn
