#include "kernels/simt/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <boost/context/detail/fcontext.hpp>
#include <new>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace cairn::emulator {
namespace {

using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

#ifdef __SANITIZE_ADDRESS__
constexpr size_t usable_bytes = 256 * 1024;
void before_jump(void** save_fake_stack, const Fiber& to) {
  __sanitizer_start_switch_fiber(save_fake_stack, to.stack, to.stack_bytes);
}
void after_jump(void* fake_stack, Fiber& left) {
  const void* stack;
  size_t bytes;
  __sanitizer_finish_switch_fiber(fake_stack, &stack, &bytes);
  if (!left.stack) {
    left.stack = stack;
    left.stack_bytes = bytes;
  }
}
void forget_frames(const Fiber& f) { __asan_unpoison_memory_region(f.stack, f.stack_bytes); }
#else
constexpr size_t usable_bytes = 64 * 1024;
void before_jump(void**, const Fiber&) {}
void after_jump(void*, Fiber&) {}
void forget_frames(const Fiber&) {}
#endif

const size_t page = size_t(sysconf(_SC_PAGESIZE));

// Equal offsets of the stacks' hot ends would compete for the same cache sets.
size_t stagger(size_t index) { return index % 32 * 256; }

// What is handed over in a jump: who was left, and, at a fiber's first start, what it shall run.
struct Handover {
  Fiber* left;
  Fiber* entered;
};

void land(transfer_t t, void* fake_stack) {
  Fiber& left = *static_cast<Handover*>(t.data)->left;
  left.context = t.fctx;
  after_jump(fake_stack, left);
}

}  // namespace

void jump(Fiber& from, Fiber& to) {
  Handover h{&from, &to};
  before_jump(&from.fake_stack, to);
  land(jump_fcontext(to.context, &h), from.fake_stack);
}

void jump_and_end(Fiber& from, Fiber& to) {
  Handover h{&from, &to};
  before_jump(nullptr, to);
  jump_fcontext(to.context, &h);
  __builtin_unreachable();
}

namespace {

thread_local void (*entry_of_new_fiber)(Fiber&);

void start(transfer_t t) {
  Fiber& self = *static_cast<Handover*>(t.data)->entered;
  land(t, nullptr);
  entry_of_new_fiber(self);
}

}  // namespace

Fiber& FiberPool::take(void (*entry)(Fiber&)) {
  if (idle_.empty()) {
    void* p = mmap(nullptr, page + usable_bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    mprotect(p, page, PROT_NONE);  // only a help: it may fail when there are very many mappings
    auto* fiber = new Fiber;
    fiber->stack = static_cast<char*>(p) + page;
    fiber->stack_bytes = usable_bytes - stagger(all_.size());
    all_.push_back(fiber);
    idle_.push_back(fiber);
  }
  Fiber& fiber = *idle_.back();
  idle_.pop_back();
  forget_frames(fiber);
  char* top = static_cast<char*>(const_cast<void*>(fiber.stack)) + fiber.stack_bytes;
  fiber.context = make_fcontext(top, fiber.stack_bytes, start);
  entry_of_new_fiber = entry;
  return fiber;
}

void FiberPool::take_all_back() { idle_ = all_; }

FiberPool::~FiberPool() {
  for (Fiber* f : all_) {
    munmap(static_cast<char*>(const_cast<void*>(f->stack)) - page, page + usable_bytes);
    delete f;
  }
}

}  // namespace cairn::emulator
