#pragma once
// The wire format of Protocol Buffers, written: fields as (number, type) and value, messages as
// length and bytes.
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::onnx {

class Message {
 public:
  const std::string& bytes() const { return bytes_; }

  void integer(int field, int64_t value) {
    key(field, 0);
    varint(uint64_t(value));
  }
  void real(int field, float value) {
    key(field, 5);
    char raw[4];
    std::memcpy(raw, &value, 4);
    bytes_.append(raw, 4);
  }
  /// A text, bytes, or the bytes of a message.
  void block(int field, std::string_view value) {
    key(field, 2);
    varint(value.size());
    bytes_ += value;
  }
  void message(int field, const Message& m) { block(field, m.bytes_); }
  void integers(int field, const std::vector<int64_t>& values) {
    Message packed;
    for (int64_t v : values) packed.varint(uint64_t(v));
    message(field, packed);
  }

 private:
  void key(int field, int type) { varint(uint64_t(field) << 3 | uint64_t(type)); }
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += char(value | 0x80);
    bytes_ += char(value);
  }
  std::string bytes_;
};

}  // namespace cairn::onnx
