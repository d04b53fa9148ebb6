#include "kernels/simt/block.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "kernels/simt/checker/checker.h"
#include "runtime/error.h"
#include "runtime/random.h"

namespace cairn::emulator {

void BlockRunner::begin_launch(const Launch& launch, simt::Order order, uint64_t seed) {
  runner = this;
  launch_ = &launch;
  order_kind_ = order;
  seed_ = seed;
  blockDim = launch.block;
  gridDim = launch.grid;
  const size_t count = size_t(launch.block.count());
  threads_.resize(count);
  for (size_t rank = 0; rank < count; ++rank) {
    threads_[rank].rank = int(rank);
    threads_[rank].index = launch.block.index(int64_t(rank));
  }
  warps_.assign((count + 31) / 32, {});
  for (size_t rank = 0; rank < count; ++rank) warps_[rank / 32].exists |= 1u << rank % 32;
  order_.resize(count);
  std::iota(order_.begin(), order_.end(), uint16_t{0});
  if (order == simt::Order::descending) std::reverse(order_.begin(), order_.end());
  shared_.begin_launch(launch.dynamic_shared);
}

// ---- who runs ----------------------------------------------------------------------------------

void BlockRunner::run(int64_t block) {
  blockIdx = block_index_ = launch_->grid.index(block);
  shared_.begin_block();
  for (Thread& t : threads_) {
    t.state = State::fresh;
    t.copies.clear();
    t.groups = 0;
    t.syncs = 0;
  }
  for (Warp& w : warps_) w.returned = w.arrived = 0;
  next_fresh_ = returned_ = at_barrier_ = interval_ = 0;
  runnable_.clear();
  draws_ = uint64_t(block) << 32;
  if (order_kind_ == simt::Order::random) shuffle_order(draws_++);

  if constexpr (checker::built) {
    checker::begin_block(block);
    checker::in_kernel = true;
  }
  jump(launcher_, fibers_.take(enter));
  checker::in_kernel = false;
  if constexpr (checker::built)
    if (!failure_) checker::end_interval();
  if (const auto* part = failure_ ? nullptr : shared_.overrun())
    blame(nullptr, {text("a thread wrote beyond ", part->bytes, " bytes of ",
                         part->key ? place("shared memory", part->site) : "dynamic shared memory"),
                    "indices within the shared memory",
                    "build with -DCAIRN_SIMT_CHECKER=ON, which names the thread and the line"});
  if (!failure_) return;
  fibers_.take_all_back();
  const Error failure = *std::exchange(failure_, std::nullopt);
  throw failure;
}

void BlockRunner::enter(Fiber& self) { runner->run_fresh_threads(self); }

// A fiber runs one fresh thread after another and stays with a thread only while that waits: a
// kernel without barriers costs no switch. Released threads come first, so that a warp runs on.
void BlockRunner::run_fresh_threads(Fiber& self) {
  while (runnable_.empty() && next_fresh_ < threads_.size()) {
    Thread& t = threads_[order_[next_fresh_++]];
    t.state = State::running;
    t.fiber = &self;
    make_current(t);
    launch_->thread();
    t.state = State::returned;
    warps_[t.rank / 32].returned |= 1u << t.rank % 32;
    ++returned_;
    if (at_barrier_)
      fail([&] {
        return Finding{
            text("this thread returned while ", at_barrier_, " threads wait at ",
                 place("sync_threads", barrier_site_)),
            "every thread of the block at every barrier",
            "move the barrier out of the branch, or let idle threads go on instead of returning"};
      });
  }
  fibers_.give_back(self);
  jump_and_end(self, next());
}

Fiber& BlockRunner::next() {
  if (!runnable_.empty()) {
    Thread& t = *runnable_.back();
    runnable_.pop_back();
    make_current(t);
    return *t.fiber;
  }
  if (next_fresh_ < threads_.size()) return fibers_.take(enter);
  if (returned_ < threads_.size()) stuck();
  return launcher_;
}

void BlockRunner::leave() {
  Fiber& self = *current_->fiber;
  Fiber& to = next();
  if (&to != &self) jump(self, to);
}

void BlockRunner::make_current(Thread& t) {
  current_ = &t;
  threadIdx = t.index;
}

void BlockRunner::shuffle_order(uint64_t draw) {
  for (size_t i = order_.size(); i > 1; --i)
    std::swap(order_[i - 1], order_[philox(seed_, draw, i).v[0] % i]);
}

void BlockRunner::blame(const Thread* thread, const Finding& f) {
  failure_.emplace(text(launch_->kernel, " on simt, block ", name(block_index_),
                        thread ? text(", thread ", name(thread->index)) : ""),
                   f.wrong, f.expected, f.remedy);
}

void BlockRunner::stuck() {
  fail([&] {
    return Finding{
        text("no thread can run on: ", what_threads_do(threads_)),
        "every barrier and every lane of a mask to be reached",
        "look for a barrier or a collective in a branch that not all of its threads take"};
  });
}

// ---- the barrier -------------------------------------------------------------------------------

void BlockRunner::sync(Site site) {
  Thread& me = *current_;
  if (returned_)
    fail([&] {
      return Finding{
          text("this thread waits at ", place("sync_threads", site), ", but ", returned_,
               " threads of the block have returned"),
          "every thread of the block at every barrier",
          "move the barrier out of the branch, or let idle threads go on instead of returning"};
    });
  if (at_barrier_ && !same(site, barrier_site_))
    fail([&] {
      return Finding{text("this thread waits at ", place("sync_threads", site), ", ", at_barrier_,
                          " others wait at ", place("sync_threads", barrier_site_)),
                     "all threads of the block at the same barrier",
                     "move the barriers out of the branch that separates the threads"};
    });
  barrier_site_ = site;
  me.state = State::at_barrier;
  me.what = "sync_threads";
  me.site = site;
  me.mask = 0;
  if (++at_barrier_ == threads_.size()) {
    at_barrier_ = 0;
    if constexpr (checker::built) checker::end_interval();
    if (failure_) give_up();
    ++interval_;
    if (order_kind_ == simt::Order::random) shuffle_order(draws_++);
    for (size_t i = order_.size(); i-- > 0;) {
      threads_[order_[i]].state = State::running;
      runnable_.push_back(&threads_[order_[i]]);
    }
  }
  leave();
}

// ---- collectives of a warp ---------------------------------------------------------------------

// A mask names the caller, and only lanes that can still come.
void BlockRunner::check_mask(const char* name, unsigned mask, Site site) {
  const Thread& me = *current_;
  const Warp& warp = warps_[size_t(me.rank / 32)];
  const unsigned absent = mask & (~warp.exists | warp.returned);
  if (mask >> me.rank % 32 & 1 && !absent) return;
  fail([&] {
    std::string wrong =
        text("lane ", me.rank % 32, " calls ", place(name, site), " with mask ", hex(mask));
    if (!(mask >> me.rank % 32 & 1))
      wrong += ", which does not contain it";
    else if (absent & ~warp.exists)
      wrong += text(", which names lanes that do not exist: ", hex(absent & ~warp.exists));
    else
      wrong += text(", which names lanes that have returned: ", hex(absent & warp.returned));
    return Finding{wrong,
                   "a mask of exactly the lanes that make this call together, in whole warps",
                   "compute the mask before the branch (ballot), or call outside of it; launch "
                   "multiples of 32 threads"};
  });
}

void** BlockRunner::meet(const char* name, unsigned mask, void* mine, Site site) {
  check_mask(name, mask, site);
  Thread& me = *current_;
  Warp& warp = warps_[size_t(me.rank / 32)];
  me.what = name;
  me.site = site;
  me.mask = mask;
  me.deposit = mine;
  me.state = State::in_warp;
  warp.arrived |= 1u << me.rank % 32;
  if ((warp.arrived & mask) != mask) {
    leave();
    return nullptr;
  }
  check_agreement(mask);
  return deposits_;
}

// All lanes of the current thread's mask are there: do they make the same call with the same mask?
void BlockRunner::check_agreement(unsigned mask) {
  const Thread& me = *current_;
  for (unsigned left = mask; left; left &= left - 1) {
    const int lane = std::countr_zero(left);
    const Thread& other = threads_[size_t(me.rank / 32 * 32 + lane)];
    if (other.mask != mask || other.what != me.what || !same(other.site, me.site))
      fail([&] {
        return Finding{text("lane ", me.rank % 32, " calls ", place(me.what, me.site),
                            " with mask ", hex(mask), ", lane ", lane, " ",
                            place(other.what, other.site), " with mask ", hex(other.mask)),
                       "the same call with the same mask by every lane of the mask",
                       "compute the mask before the branch (ballot), or call outside of it"};
      });
    deposits_[lane] = other.deposit;
  }
}

void BlockRunner::part() {
  const Thread& me = *current_;
  const int first = me.rank / 32 * 32;
  warps_[me.rank / 32].arrived &= ~me.mask;
  // Lanes are pushed last to first; in the random order, along a random step through the warp.
  int start = 31, step = -1;
  if (order_kind_ == simt::Order::descending) start = 0, step = 1;
  if (order_kind_ == simt::Order::random) {
    const unsigned draw = philox(seed_, draws_++, 0).v[0];
    start = int(draw & 31);
    step = int(draw >> 5 & 31) | 1;
  }
  for (int i = 0; i < 32; ++i) {
    const int lane = (start + i * step) & 31;
    if (!(me.mask >> lane & 1)) continue;
    threads_[size_t(first + lane)].state = State::running;
    runnable_.push_back(&threads_[size_t(first + lane)]);
  }
  leave();
}

}  // namespace cairn::emulator
