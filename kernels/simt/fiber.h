#pragma once
// Fibers: stacks between which a host thread jumps. Raw fcontext of Boost.Context, 6 ns a jump.
#include <cstddef>
#include <vector>

namespace cairn::emulator {

/// A place to continue. One without a stack of its own stands for the host thread that started it
/// all.
struct Fiber {
  void* context = nullptr;      // where it continues; set whenever it is left
  const void* stack = nullptr;  // lowest address
  size_t stack_bytes = 0;
  void* fake_stack = nullptr;  // AddressSanitizer's
};

/// Leaves `from`, the running fiber, for `to`. Returns when somebody jumps back to `from`.
void jump(Fiber& from, Fiber& to);
/// The same, from a fiber that will never be continued.
[[noreturn]] void jump_and_end(Fiber& from, Fiber& to);

/// The fibers of one host thread, with their stacks: 64 KiB each (four times that under
/// AddressSanitizer), a guard page below, made when first needed and then kept.
class FiberPool {
 public:
  FiberPool() = default;
  FiberPool(const FiberPool&) = delete;
  ~FiberPool();

  /// A fiber that will run entry(), which must end with jump_and_end.
  Fiber& take(void (*entry)(Fiber&));
  void give_back(Fiber& f) { idle_.push_back(&f); }
  /// Everything is idle again: what abandoned fibers held is gone.
  void take_all_back();

 private:
  std::vector<Fiber*> all_, idle_;
};

}  // namespace cairn::emulator
