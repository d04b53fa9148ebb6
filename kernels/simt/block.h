#pragma once
// One block at a time on one host thread: its threads, who waits for what, who runs next.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/simt/emulator.h"
#include "kernels/simt/fiber.h"
#include "kernels/simt/shared_memory.h"
#include "kernels/simt/simt.h"
#include "runtime/error.h"

namespace cairn::emulator {

enum class State : uint8_t { fresh, running, at_barrier, in_warp, returned };

/// A cp.async that has not been waited for.
struct PendingCopy {
  void* to;
  const void* from;  // null: zeros
  int group;
};

/// One CUDA thread.
struct Thread {
  Dim3 index;
  int rank = 0;  // place in its block, x fastest
  State state = State::fresh;
  Fiber* fiber = nullptr;

  // What it waits for, or last waited for.
  const char* what = "";
  Site site;
  unsigned mask = 0;
  void* deposit = nullptr;

  std::vector<PendingCopy> copies;  // in order of issue
  int groups = 0;                   // committed so far
  unsigned syncs = 0;               // sync_warps passed, for the checker
};

struct Warp {
  unsigned exists = 0, returned = 0, arrived = 0;  // by lane
};

/// What went wrong, what would have been right, what to do.
struct Finding {
  std::string wrong, expected, remedy;
};

class BlockRunner {
 public:
  void begin_launch(const Launch& launch, simt::Order order, uint64_t seed);
  /// Runs the block of this place in the grid, x fastest; throws the Error that ended it.
  void run(int64_t block);

  Thread& current() { return *current_; }
  Thread& thread(int rank) { return threads_[size_t(rank)]; }
  unsigned interval() const { return interval_; }  ///< barriers that the running block has passed
  SharedMemory& shared() { return shared_; }

  void sync(Site site);
  void** meet(const char* name, unsigned mask, void* mine, Site site);
  void part();

  /// Ends the launch with an Error that says where in the grid; called on a fiber. `describe` gives
  /// the Finding: the fiber is abandoned, so nothing on it may own memory any more.
  template <class Describe>
  [[noreturn]] void fail(Describe describe) {
    blame(current_, describe());
    give_up();
  }
  /// The same, said of a thread (null: of none) and taking effect at the next switch to the
  /// launcher.
  void blame(const Thread* thread, const Finding& finding);
  [[noreturn]] void give_up() { jump_and_end(*current_->fiber, launcher_); }

 private:
  static void enter(Fiber& self);
  void run_fresh_threads(Fiber& self);
  Fiber& next();
  void leave();
  void make_current(Thread& t);
  void shuffle_order(uint64_t draw);
  void check_mask(const char* name, unsigned mask, Site site);
  void check_agreement(unsigned mask);
  [[noreturn]] void stuck();

  const Launch* launch_ = nullptr;
  simt::Order order_kind_{};
  uint64_t seed_ = 0, draws_ = 0;
  Dim3 block_index_;

  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  std::vector<uint16_t> order_;    // ranks, in the order in which they run
  size_t next_fresh_ = 0;          // place in order_
  std::vector<Thread*> runnable_;  // released; the last one runs next
  size_t returned_ = 0, at_barrier_ = 0;
  unsigned interval_ = 0;
  Site barrier_site_;
  void* deposits_[32];  // of the meeting that is being served

  Thread* current_ = nullptr;
  Fiber launcher_;
  FiberPool fibers_;
  SharedMemory shared_;
  std::optional<Error> failure_;
};

/// The one whose block runs on this host thread.
inline thread_local constinit BlockRunner* runner = nullptr;

// ---- reports (report.cpp) ----------------------------------------------------------------------

std::string place(Site site);                    ///< kernels/a.cu:12
std::string place(const char* what, Site site);  ///< sync_threads (kernels/a.cu:12)
std::string hex(unsigned mask);
std::string name(Dim3 index);  ///< (1,0,0)
bool same(const Site& a, const Site& b);
/// "threads 0..15 wait at shuffle_down (a.cu:10), mask ffffffff; threads 16..31 have returned"
std::string what_threads_do(const std::vector<Thread>& threads);

}  // namespace cairn::emulator
