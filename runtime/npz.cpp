#include "runtime/npz.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include "runtime/error.h"
#include "runtime/zip_archive.h"

namespace cairn {
namespace {

constexpr std::string_view magic = "\x93NUMPY";

struct FileType {
  const char* name;  // numpy's
  size_t bytes;
  DType dtype;  // in memory
};
constexpr FileType file_types[] = {{"<f4", 4, DType::f32}, {"<f8", 8, DType::f64},
                                   {"<i4", 4, DType::i32}, {"|u1", 1, DType::u8},
                                   {"<i8", 8, DType::i32}, {"|b1", 1, DType::u8}};
constexpr const char* known_types = "float32, float64, int32, int64, uint8 or bool, little-endian";

// What the header of an array says: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }
struct Header {
  std::string type;
  bool fortran = false;
  std::vector<int64_t> shape;
};

// Reads that literal. Every function returns false where the text is something else.
class HeaderText {
 public:
  explicit HeaderText(std::string_view text) : text_(text) {}

  bool read(Header& h) {
    bool type = false, order = false, shape = false;
    if (!take('{')) return false;
    while (!take('}')) {
      std::string key;
      if (!quoted(key) || !take(':')) return false;
      bool* known = key == "descr" ? &type : key == "fortran_order" ? &order : &shape;
      if (*known || (known == &shape && key != "shape")) return false;
      *known = known == &type    ? quoted(h.type)
               : known == &order ? truth(h.fortran)
                                 : tuple(h.shape);
      if (!*known || (!take(',') && !next_is('}'))) return false;
    }
    return type && order && shape && at_end();
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool at_end() {
    skip_space();
    return at_ == text_.size();
  }
  bool next_is(char c) { return !at_end() && text_[at_] == c; }
  bool take(char c) {
    if (!next_is(c)) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word) {
    skip_space();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  bool quoted(std::string& value) {
    const char quote = next_is('"') ? '"' : '\'';
    if (!take(quote)) return false;
    const size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) return false;
    value = text_.substr(at_, end - at_);
    at_ = end + 1;
    return true;
  }
  bool truth(bool& value) {
    value = take(std::string_view("True"));
    return value || take(std::string_view("False"));
  }
  bool tuple(std::vector<int64_t>& values) {
    if (!take('(')) return false;
    while (!take(')')) {
      skip_space();
      int64_t n = 0;
      size_t digits = 0;
      for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_, ++digits)
        n = n * 10 + (text_[at_] - '0');
      if (digits < 1 || digits > 18 || (!take(',') && !next_is(')'))) return false;
      values.push_back(n);
    }
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
};

class ArrayReader {
 public:
  ArrayReader(const std::string& path, const ZipMember& member)
      : path_(path), name_(member.name), bytes_(member.data) {}

  Tensor read() const {
    size_t begin = 0;
    const Header h = header(begin);
    const FileType* type = std::find_if(std::begin(file_types), std::end(file_types),
                                        [&](const FileType& t) { return h.type == t.name; });
    if (type == std::end(file_types))
      throw error(text("its type is '", h.type, "'"), known_types,
                  "convert it, for example with a.astype('float32'), and save it again");
    if (h.fortran && h.shape.size() > 1)
      throw error("its order is Fortran's", "row-major order",
                  "save numpy.ascontiguousarray(a) instead");
    Shape shape;
    try {
      shape = Shape(h.shape);
    } catch (const Error& e) {
      throw error(e.wrong, e.expected, "save it with fewer or smaller dimensions");
    }
    const uint64_t given = bytes_.size() - begin;
    if (uint64_t(shape.count()) > given / type->bytes ||
        uint64_t(shape.count()) * type->bytes != given)
      throw damaged(text("it has ", given, " bytes of elements"),
                    text("as many as ", h.type, shape, " takes"));
    return elements(*type, shape, bytes_.data() + begin);
  }

 private:
  Error error(const std::string& wrong, const std::string& expected,
              const std::string& remedy) const {
    return Error(path_, text("array '", name_, "': ", wrong), expected, remedy);
  }
  Error damaged(const std::string& wrong, const std::string& expected) const {
    return error(wrong, expected, "save the file again; it is damaged or not of numpy");
  }

  // Sets `begin` to where the elements begin.
  Header header(size_t& begin) const {
    if (bytes_.size() < 12 || bytes_.substr(0, magic.size()) != magic)
      throw damaged("it does not begin as an array of numpy", "\\x93NUMPY and a header");
    const int version = static_cast<unsigned char>(bytes_[6]);
    uint32_t length = 0;
    std::memcpy(&length, bytes_.data() + 8, version == 1 ? 2 : 4);
    begin = version == 1 ? 10 : 12;
    if (version < 1 || version > 3)
      throw damaged(text("its format has version ", version), "version 1, 2 or 3");
    if (length > bytes_.size() - begin)
      throw damaged(text("its header claims ", length, " bytes"),
                    text("at most ", bytes_.size() - begin));
    Header h;
    if (!HeaderText(bytes_.substr(begin, length)).read(h))
      throw damaged("its header cannot be read",
                    "{'descr': type, 'fortran_order': False, 'shape': (sizes)}, a plain array");
    begin += length;
    return h;
  }

  Tensor elements(const FileType& type, const Shape& shape, const char* from) const {
    Tensor t = Tensor::empty(shape, type.dtype);
    if (type.bytes == size_of(type.dtype)) {
      std::memcpy(t.raw(), from, t.bytes());
    } else {
      for (int64_t i = 0; i < t.count(); ++i) {
        int64_t v;
        std::memcpy(&v, from + 8 * i, 8);
        if (v != int32_t(v))
          throw error(text("it holds ", v), "integers that fit 32 bits", "save smaller numbers");
        t.data<int32_t>()[i] = int32_t(v);
      }
    }
    if (type.name == std::string_view("|b1"))
      for (int64_t i = 0; i < t.count(); ++i) t.data<uint8_t>()[i] = t.data<uint8_t>()[i] != 0;
    return t;
  }

  const std::string &path_, &name_;
  const std::string_view bytes_;
};

// Padded, as numpy does it, so that the elements begin at a multiple of 64.
std::string npy_header(const std::string& path, const std::string& name, const Tensor& t) {
  const FileType* type = std::find_if(std::begin(file_types), std::end(file_types),
                                      [&](const FileType& f) { return f.dtype == t.dtype(); });
  if (type == std::end(file_types))
    throw Error(path, text("array '", name, "' is ", t.dtype()), "f32, f64, i32 or u8",
                "convert it first");
  std::string shape;
  for (int64_t d : t.shape()) shape += text(d, ", ");
  if (t.rank() > 1) shape.resize(shape.size() - 2);
  if (t.rank() == 1) shape.pop_back();
  std::string head =
      text("{'descr': '", type->name, "', 'fortran_order': False, 'shape': (", shape, "), }");
  const size_t before = magic.size() + 4;
  head.append(63 - (before + head.size()) % 64, ' ');
  head += '\n';
  const uint16_t length = uint16_t(head.size());
  std::string out(magic);
  out += '\x01';
  out += '\0';
  out.append(reinterpret_cast<const char*>(&length), 2);
  return out + head;
}

}  // namespace

std::map<std::string, Tensor> read_npz(const std::string& path) {
  const std::string bytes = read_file(path);
  std::map<std::string, Tensor> arrays;
  for (const ZipMember& member : read_zip(bytes, path)) {
    if (!member.name.ends_with(".npy"))
      throw Error(path, text("member '", member.name, "' is not an array"), "members NAME.npy",
                  "save the file with numpy.savez");
    arrays[member.name.substr(0, member.name.size() - 4)] = ArrayReader(path, member).read();
  }
  return arrays;
}

void write_npz(const std::string& path, const std::vector<std::pair<std::string, Tensor>>& arrays) {
  ZipWriter zip(path);
  for (const auto& [name, t] : arrays) {
    const Tensor host = t.to(Device::cpu);
    zip.add(name + ".npy", npy_header(path, name, host), host.raw(), host.bytes());
  }
  zip.finish();
}

}  // namespace cairn
