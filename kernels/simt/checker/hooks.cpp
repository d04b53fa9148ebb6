// The calls that the compiler inserts under -fsanitize=thread and -fsanitize=bounds-strict, defined
// here instead of in its runtimes: each access of a kernel goes to the checker.
#include "kernels/simt/block.h"
#include "kernels/simt/checker/checker.h"
#include "runtime/error.h"

using namespace cairn;
using namespace cairn::emulator;
using checker::in_kernel;
using checker::Kind;

namespace {

void report(const void* p, size_t bytes, Kind kind, void* return_address) {
  checker::access(p, bytes, kind, checker::place_of(return_address));
}

}  // namespace

#define CAIRN_HOOK(p, bytes, kind) \
  if (in_kernel) report(const_cast<const void*>(p), bytes, Kind::kind, __builtin_return_address(0))

#define CAIRN_PLAIN(bytes)                                                     \
  void __tsan_read##bytes(void* p) { CAIRN_HOOK(p, bytes, read); }             \
  void __tsan_write##bytes(void* p) { CAIRN_HOOK(p, bytes, write); }           \
  void __tsan_unaligned_read##bytes(void* p) { CAIRN_HOOK(p, bytes, read); }   \
  void __tsan_unaligned_write##bytes(void* p) { CAIRN_HOOK(p, bytes, write); } \
  void __tsan_volatile_read##bytes(void* p) { CAIRN_HOOK(p, bytes, read); }    \
  void __tsan_volatile_write##bytes(void* p) { CAIRN_HOOK(p, bytes, write); }

#define CAIRN_FETCH(bits, type, op)                                                  \
  type __tsan_atomic##bits##_fetch_##op(volatile void* p, type v, int) {             \
    CAIRN_HOOK(p, bits / 8, atomic);                                                 \
    return __atomic_fetch_##op(static_cast<volatile type*>(p), v, __ATOMIC_SEQ_CST); \
  }

#define CAIRN_ATOMIC(bits, type)                                                                   \
  type __tsan_atomic##bits##_load(const volatile void* p, int) {                                   \
    CAIRN_HOOK(p, bits / 8, atomic);                                                               \
    return __atomic_load_n(static_cast<const volatile type*>(p), __ATOMIC_SEQ_CST);                \
  }                                                                                                \
  void __tsan_atomic##bits##_store(volatile void* p, type v, int) {                                \
    CAIRN_HOOK(p, bits / 8, atomic);                                                               \
    __atomic_store_n(static_cast<volatile type*>(p), v, __ATOMIC_SEQ_CST);                         \
  }                                                                                                \
  type __tsan_atomic##bits##_exchange(volatile void* p, type v, int) {                             \
    CAIRN_HOOK(p, bits / 8, atomic);                                                               \
    return __atomic_exchange_n(static_cast<volatile type*>(p), v, __ATOMIC_SEQ_CST);               \
  }                                                                                                \
  CAIRN_FETCH(bits, type, add)                                                                     \
  CAIRN_FETCH(bits, type, sub)                                                                     \
  CAIRN_FETCH(bits, type, and)                                                                     \
  CAIRN_FETCH(bits, type, or)                                                                      \
  CAIRN_FETCH(bits, type, xor)                                                                     \
  bool __tsan_atomic##bits##_compare_exchange_strong(volatile void* p, void* old, type v, int,     \
                                                     int) {                                        \
    CAIRN_HOOK(p, bits / 8, atomic);                                                               \
    return __atomic_compare_exchange_n(static_cast<volatile type*>(p), static_cast<type*>(old), v, \
                                       false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                 \
  }                                                                                                \
  bool __tsan_atomic##bits##_compare_exchange_weak(volatile void* p, void* old, type v, int,       \
                                                   int) {                                          \
    CAIRN_HOOK(p, bits / 8, atomic);                                                               \
    return __atomic_compare_exchange_n(static_cast<volatile type*>(p), static_cast<type*>(old), v, \
                                       false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                 \
  }

extern "C" {

CAIRN_PLAIN(1)
CAIRN_PLAIN(2)
CAIRN_PLAIN(4)
CAIRN_PLAIN(8)
CAIRN_PLAIN(16)
void __tsan_read_range(void* p, size_t bytes) { CAIRN_HOOK(p, bytes, read); }
void __tsan_write_range(void* p, size_t bytes) { CAIRN_HOOK(p, bytes, write); }

CAIRN_ATOMIC(8, uint8_t)
CAIRN_ATOMIC(16, uint16_t)
CAIRN_ATOMIC(32, uint32_t)
CAIRN_ATOMIC(64, uint64_t)
void __tsan_atomic_thread_fence(int) {}

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}

// An index beyond an array of known size; what the compiler knows of it comes along.
struct UbsanOutOfBounds {
  const char* file;
  uint32_t line, column;
  struct Type {
    uint16_t kind, info;
    char name[1];
  } const *array, *index;
};

void __ubsan_handle_out_of_bounds(UbsanOutOfBounds* data, uintptr_t index) {
  const checker::Place here = checker::place_of(__builtin_return_address(0));
  const auto describe = [&] {
    return Finding{text("index ", intptr_t(index), " is out of range for ", data->array->name,
                        ", at ", checker::where(here)),
                   "an index within the array", "check the index before the access"};
  };
  if (in_kernel) runner->fail(describe);
  const Finding f = describe();
  throw Error("simt", f.wrong, f.expected, f.remedy);
}

}  // extern "C"
