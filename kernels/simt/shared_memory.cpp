#include "kernels/simt/shared_memory.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "kernels/simt/checker/checker.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, bytes) ((void)(p), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(p, bytes) ((void)(p), (void)(bytes))
#endif

namespace cairn::emulator {
namespace {

constexpr size_t alignment = 128;
constexpr size_t gap = 256;  // at least; before the first part and behind each
constexpr size_t capacity = SharedMemory::limit + 64 * (gap + alignment);

}  // namespace

SharedMemory::SharedMemory() : base_(static_cast<char*>(std::aligned_alloc(alignment, capacity))) {
  if (!base_) throw std::bad_alloc();
  if constexpr (checker::built) checker::add_region(base_, capacity, 0, checker::Space::shared);
}
SharedMemory::~SharedMemory() {
  if constexpr (checker::built) checker::remove_region(base_);
  ASAN_UNPOISON_MEMORY_REGION(base_, capacity);
  std::free(base_);
}

void SharedMemory::begin_launch(size_t dynamic_bytes) {
  ASAN_UNPOISON_MEMORY_REGION(base_, capacity);
  parts_.clear();
  end_ = gap;
  std::memset(base_, 0xff, end_);
  ASAN_POISON_MEMORY_REGION(base_, end_);
  static_bytes_ = 0;
  add(nullptr, dynamic_bytes, Site{});
}

void SharedMemory::begin_block() {
  for (const Part& p : parts_) std::memset(base_ + p.offset, 0xff, p.bytes);
}

SharedMemory::Part& SharedMemory::add(const void* key, size_t bytes, Site site) {
  const size_t begin = end_;
  end_ = (begin + bytes + gap + alignment - 1) / alignment * alignment;
  ASAN_UNPOISON_MEMORY_REGION(base_ + begin, end_ - begin);
  std::memset(base_ + begin, 0xff, end_ - begin);
  ASAN_POISON_MEMORY_REGION(base_ + begin + bytes, end_ - begin - bytes);
  return parts_.emplace_back(Part{key, begin, bytes, site});
}

void* SharedMemory::part(const void* key, size_t bytes, Site site) {
  for (const Part& p : parts_)
    if (p.key == key) return base_ + p.offset;
  const size_t dynamic_bytes = parts_[0].bytes;
  static_bytes_ += (bytes + 15) / 16 * 16;
  if (static_bytes_ > static_limit || static_bytes_ + dynamic_bytes > limit) return nullptr;
  return base_ + add(key, bytes, site).offset;
}

bool SharedMemory::contains(const char* p, size_t bytes) const {
  for (const Part& part : parts_)
    if (p >= begin_of(part) && p + bytes <= begin_of(part) + part.bytes) return true;
  return false;
}

const SharedMemory::Part* SharedMemory::nearest(const char* p) const {
  const Part* found = &parts_[0];
  for (const Part& part : parts_)
    if (p >= begin_of(part)) found = &part;
  return found;
}

const SharedMemory::Part* SharedMemory::overrun() const {
#ifndef __SANITIZE_ADDRESS__  // which has stopped the program already
  const auto touched = [this](size_t begin, size_t end) {
    const char* p = base_ + begin;
    return p[0] != char(0xff) || std::memcmp(p, p + 1, end - begin - 1) != 0;
  };
  if (touched(0, gap)) return &parts_[0];
  for (size_t i = 0; i < parts_.size(); ++i)
    if (touched(parts_[i].offset + parts_[i].bytes,
                i + 1 < parts_.size() ? parts_[i + 1].offset : end_))
      return &parts_[i];
#endif
  return nullptr;
}

}  // namespace cairn::emulator
