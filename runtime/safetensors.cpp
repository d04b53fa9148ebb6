#include "runtime/safetensors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "runtime/atomic_file.h"
#include "runtime/error.h"

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

namespace cairn {
namespace {

using Json = nlohmann::json;

constexpr uint64_t max_header = 100'000'000;  // of the reference implementation

struct FileType {
  const char* name;
  size_t bytes;
  DType dtype;  // in memory
};
constexpr FileType file_types[] = {{"F32", 4, DType::f32},   {"F64", 8, DType::f64},
                                   {"BF16", 2, DType::bf16}, {"I32", 4, DType::i32},
                                   {"U8", 1, DType::u8},     {"F16", 2, DType::f32},
                                   {"I64", 8, DType::i32}};

struct Entry {
  std::string name;
  const FileType* type;
  Shape shape;
  uint64_t begin, end;  // from the end of the header
};

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {
    require_file(path, "a safetensors file");
    file_size_ = std::filesystem::file_size(path);
    in_.open(path, std::ios::binary);
  }

  SafetensorsFile read() {
    const std::string header = read_header();
    data_start_ = 8 + header.size();
    SafetensorsFile file;
    std::vector<Entry> entries;
    const Json json = parse(header);
    for (const auto& [name, value] : json.items()) {
      if (name == "__metadata__")
        file.metadata = metadata(value);
      else
        entries.push_back(entry(name, value));
    }
    check_places(entries);
    for (const Entry& e : entries) file.tensors[e.name] = tensor(e);
    return file;
  }

 private:
  [[noreturn]] void bad(const std::string& wrong, const std::string& expected) const {
    throw Error(path_, wrong, expected,
                "fetch or export the file again; it is damaged or not a safetensors file");
  }
  [[noreturn]] void bad(const std::string& tensor, const std::string& wrong,
                        const std::string& expected) const {
    bad("tensor '" + tensor + "': " + wrong, expected);
  }

  std::string read_header() {
    if (file_size_ < 8)
      bad(file_size_ == 0 ? "the file is empty" : text("the file has only ", file_size_, " bytes"),
          "the length of a header in the first 8 bytes");
    uint64_t length = 0;
    read_bytes(&length, 8);
    if (length > max_header)
      bad(text("the header claims ", length, " bytes"), text("at most ", max_header));
    if (length > file_size_ - 8)
      bad(text("the header claims ", length, " bytes, but the file has ", file_size_ - 8,
               " after its length"),
          "a header inside the file");
    std::string header(length, '\0');
    read_bytes(header.data(), length);
    return header;
  }

  // nlohmann-json keeps the last of two equal names, and takes any depth: both are refused here.
  Json parse(const std::string& header) const {
    std::set<std::string> names[2];  // of tensors, and of the fields of the current one
    const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
      if (depth > 3) bad("the header is nested deeper than three levels", "name: {field: value}");
      if (event == Json::parse_event_t::object_start && depth == 1) names[1].clear();
      if (event == Json::parse_event_t::key && depth <= 2) {
        const auto& name = parsed.get_ref<const std::string&>();
        if (!names[depth - 1].insert(name).second)
          bad("the name '" + name + "' comes twice in the header", "unique names");
      }
      return true;
    };
    try {
      Json json = Json::parse(header, check);
      if (!json.is_object()) bad("the header is not a JSON object", "name: {field: value}");
      return json;
    } catch (const Json::exception& e) {
      bad(text("the header is not valid JSON (", e.what(), ")"), "name: {field: value}");
    }
  }

  std::map<std::string, std::string> metadata(const Json& value) const {
    if (!value.is_object()) bad("__metadata__ is not an object", "name: text");
    std::map<std::string, std::string> found;
    for (const auto& [key, item] : value.items()) {
      if (!item.is_string()) bad("__metadata__ '" + key + "' is not text", "name: text");
      found[key] = item.get<std::string>();
    }
    return found;
  }

  Entry entry(const std::string& name, const Json& value) const {
    const char* form = "{dtype: text, shape: [sizes], data_offsets: [begin, end]}";
    const auto field = [&](const char* key) -> const Json& {
      if (!value.is_object() || !value.contains(key)) bad(name, text("it has no ", key), form);
      return value[key];
    };
    const auto integers = [&](const char* key) {
      std::vector<uint64_t> found;
      if (!field(key).is_array()) bad(name, text(key, " is not a list"), form);
      for (const Json& item : field(key)) {
        if (!item.is_number_unsigned())
          bad(name, text(key, " holds ", item.dump(-1, ' ', true, replace)),
              "integers of 0 or more");
        found.push_back(item.get<uint64_t>());
      }
      return found;
    };

    Entry e;
    e.name = name;
    if (!field("dtype").is_string()) bad(name, "dtype is not text", form);
    const std::string type = field("dtype").get<std::string>();
    e.type = std::find_if(std::begin(file_types), std::end(file_types),
                          [&](const FileType& t) { return type == t.name; });
    if (e.type == std::end(file_types))
      bad(name, "its type is '" + type + "'", "F32, F64, BF16, I32, U8, F16 or I64");

    const std::vector<uint64_t> dims = integers("shape"), offsets = integers("data_offsets");
    if (dims.size() > size_t(Shape::max_rank))
      bad(name, text("it has ", dims.size(), " dimensions"), text("at most ", Shape::max_rank));
    try {
      std::vector<int64_t> sizes;
      for (uint64_t d : dims) sizes.push_back(int64_t(std::min(d, uint64_t{INT64_MAX})));
      e.shape = Shape(sizes);
    } catch (const Error& error) {
      bad(name, error.wrong, error.expected);
    }
    if (offsets.size() != 2) bad(name, text(offsets.size(), " data_offsets"), form);
    e.begin = offsets[0];
    e.end = offsets[1];
    const uint64_t data = file_size_ - data_start_;
    if (e.begin > e.end || e.end > data)
      bad(name, text("it claims bytes ", e.begin, "..", e.end),
          text("a range within the ", data,
               " bytes after the header (a larger end: the file is truncated)"));
    const uint64_t bytes = uint64_t(e.shape.count()) * e.type->bytes;
    if (e.end - e.begin != bytes)
      bad(name, text("it claims ", e.end - e.begin, " bytes"),
          text(bytes, " bytes for ", e.type->name, e.shape));
    return e;
  }

  // Sorted by place, each tensor begins where the one before it ends, and the last one ends the
  // file.
  void check_places(std::vector<Entry>& entries) const {
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    uint64_t at = 0;
    const std::string* before = nullptr;
    for (const Entry& e : entries) {
      if (e.begin < at)
        bad(e.name, text("it overlaps with '", *before, "'"), text("a begin of ", at));
      if (e.begin > at)
        bad(e.name, text("bytes ", at, "..", e.begin, " before it belong to no tensor"),
            "tensors without holes between them");
      at = e.end;
      before = &e.name;
    }
    const uint64_t data = file_size_ - data_start_;
    if (at != data)
      bad(text("the last ", data - at, " bytes belong to no tensor"),
          "a file that ends with its last tensor");
  }

  Tensor tensor(const Entry& e) {
    Tensor t = Tensor::empty(e.shape, e.type->dtype);
    in_.seekg(std::streamoff(data_start_ + e.begin));
    if (e.type->bytes == size_of(e.type->dtype)) {
      read_bytes(t.raw(), e.end - e.begin);
      return t;
    }
    std::vector<char> raw(e.end - e.begin);
    read_bytes(raw.data(), raw.size());
    for (int64_t i = 0; i < t.count(); ++i) {
      if (e.type->bytes == 2)
        t.data<float>()[i] = half_to_float(raw.data() + 2 * i);
      else
        t.data<int32_t>()[i] = narrow(e, raw.data() + 8 * i);
    }
    return t;
  }

  static float half_to_float(const char* p) {
    uint16_t h;
    std::memcpy(&h, p, 2);
    const int exponent = (h >> 10) & 31, mantissa = h & 1023;
    const float magnitude = exponent == 0    ? std::ldexp(float(mantissa), -24)
                            : exponent == 31 ? (mantissa ? NAN : INFINITY)
                                             : std::ldexp(float(mantissa + 1024), exponent - 25);
    return h & 0x8000 ? -magnitude : magnitude;
  }

  int32_t narrow(const Entry& e, const char* p) const {
    int64_t v;
    std::memcpy(&v, p, 8);
    if (v != int32_t(v)) bad(e.name, text("it holds ", v), "integers that fit 32 bits");
    return int32_t(v);
  }

  void read_bytes(void* to, uint64_t n) {
    if (!in_.read(static_cast<char*>(to), std::streamsize(n)))
      bad("it could not be read to its end", text(file_size_, " bytes, as the file had before"));
  }

  static constexpr auto replace = Json::error_handler_t::replace;

  const std::string path_;
  std::ifstream in_;
  uint64_t file_size_ = 0, data_start_ = 0;
};

const char* file_name(DType t) {
  for (const FileType& f : file_types)
    if (f.dtype == t) return f.name;
  return "?";
}

}  // namespace

SafetensorsFile read_safetensors(const std::string& path) { return Reader(path).read(); }

void write_safetensors(const std::string& path,
                       const std::vector<std::pair<std::string, Tensor>>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<std::pair<std::string, Tensor>> ordered = tensors;
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return size_of(a.second.dtype()) > size_of(b.second.dtype());
  });
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t at = 0;
  for (const auto& [name, t] : ordered) {
    if (header.contains(name) || name == "__metadata__")
      throw Error(path, "two tensors would be called '" + name + "'", "unique names",
                  "rename one of them");
    header[name] = {{"dtype", file_name(t.dtype())},
                    {"shape", std::vector<int64_t>(t.shape().begin(), t.shape().end())},
                    {"data_offsets", {at, at + t.bytes()}}};
    at += t.bytes();
  }
  std::string head = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  head.resize((head.size() + 7) / 8 * 8, ' ');  // the data begins at a multiple of 8

  AtomicFile file(path);
  const uint64_t length = head.size();
  file.write(&length, 8);
  file.write(head);
  for (const auto& [name, t] : ordered) {
    const Tensor host = t.to(Device::cpu);
    file.write(host.raw(), host.bytes());
  }
  file.commit();
}

}  // namespace cairn
