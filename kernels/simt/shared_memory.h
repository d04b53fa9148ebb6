#pragma once
// The shared memory of one block: parts of exact size, 0xff in every byte when the block starts
// (NaN as a float, -1 as an integer), with gaps between them that nobody may touch.
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "kernels/simt/emulator.h"

namespace cairn::emulator {

class SharedMemory {
 public:
  static constexpr size_t static_limit = 48 * 1024;  // CUDA's, for __shared__ variables
  static constexpr size_t limit = 227 * 1024;        // sm_90's, altogether

  struct Part {
    const void* key;  // what tells it from the others; null for the dynamic part
    size_t offset, bytes;
    Site site;  // where it was first asked for
  };

  SharedMemory();
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;

  void begin_launch(size_t dynamic_bytes);
  void begin_block();
  /// The part of this key; null when it would go beyond a limit.
  void* part(const void* key, size_t bytes, Site site);
  void* dynamic_part() { return base_ + parts_[0].offset; }
  /// Whether [p, p + bytes) lies in one part; the part that p is in, or behind, or the first.
  bool contains(const char* p, size_t bytes) const;
  const Part* nearest(const char* p) const;
  const char* begin_of(const Part& p) const { return base_ + p.offset; }
  /// Null, or the part behind (or before) which somebody wrote since begin_block().
  const Part* overrun() const;

 private:
  Part& add(const void* key, size_t bytes, Site site);

  char* base_;
  size_t end_ = 0;  // of the last gap
  size_t static_bytes_ = 0;
  std::vector<Part> parts_;
};

}  // namespace cairn::emulator
