// Spreads the blocks of a grid over host threads, and holds a launch to CUDA's limits.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <utility>

#include "kernels/simt/block.h"
#include "kernels/simt/checker/checker.h"
#include "runtime/error.h"
#include "runtime/graph.h"
#include "runtime/threads.h"

namespace cairn::simt {
namespace {

std::atomic<Order> chosen_order{Order::ascending};
std::atomic<uint64_t> chosen_seed{0};
Traffic traffic;  // of the launches since somebody took it

}  // namespace

void set_order(Order order, uint64_t seed) {
  chosen_order = order;
  chosen_seed = seed;
}

bool has_checker() { return emulator::checker::built; }

Traffic take_traffic() {
  if (!has_checker())
    throw Error("take_traffic", "this build does not watch the accesses of kernels",
                "a build with the checker", "configure with -DCAIRN_SIMT_CHECKER=ON");
  return std::exchange(traffic, {});
}

}  // namespace cairn::simt

namespace cairn::emulator {
namespace {

void check_limits(const Launch& l) {
  std::string wrong;
  const auto must = [&](bool holds, const std::string& what) {
    if (!holds) wrong += (wrong.empty() ? "" : "; ") + what;
  };
  must(l.block.count() >= 1 && l.block.count() <= 1024 && l.block.z <= 64,
       text("a block of ", name(l.block), " threads"));
  must(l.grid.x <= 0x7fffffff && l.grid.y <= 65535 && l.grid.z <= 65535,
       text("a grid of ", name(l.grid), " blocks"));
  must(l.dynamic_shared <= SharedMemory::limit,
       text(l.dynamic_shared, " bytes of dynamic shared memory"));
  if (!wrong.empty())
    throw Error(text(l.kernel, " on simt"), wrong,
                text("1 to 1024 threads with z <= 64, at most (2147483647,65535,65535) blocks, at "
                     "most ",
                     SharedMemory::limit, " bytes"),
                "change the launch; a grid-stride loop needs no more than 65535 blocks");
}

// The place in the grid of the i-th block to run.
class BlockOrder {
 public:
  BlockOrder(int64_t blocks, simt::Order order, uint64_t seed) : blocks_(blocks) {
    if (order == simt::Order::descending) start_ = blocks - 1, step_ = blocks - 1;
    if (order == simt::Order::random) {
      start_ = int64_t(seed % uint64_t(blocks));
      step_ = int64_t((seed * 2654435761u + 97) % uint64_t(blocks));
      while (std::gcd(step_, blocks) != 1) ++step_;
    }
  }
  int64_t operator[](int64_t i) const { return int64_t((start_ + __int128(i) * step_) % blocks_); }

 private:
  int64_t blocks_, start_ = 0, step_ = 1;
};

void run_grid(const Launch& launch) {
  const int64_t blocks = launch.grid.count();
  const simt::Order order = simt::chosen_order;
  const uint64_t seed = simt::chosen_seed;
  const BlockOrder place_in_grid(blocks, order, seed);

  std::atomic<int64_t> next{0};
  const auto work = [&](int64_t, int64_t) {
    static thread_local BlockRunner mine;
    mine.begin_launch(launch, order, seed);
    try {
      for (int64_t i; (i = next++) < blocks;) mine.run(place_in_grid[i]);
    } catch (...) {
      next = blocks;  // the others stop too
      throw;
    }
  };
  if constexpr (checker::built) {  // one launch at a time, one block at a time
    static std::mutex one_launch;
    std::lock_guard lock(one_launch);
    checker::begin_launch();
    work(0, 1);
    simt::traffic += checker::end_launch();
  } else {
    parallel_for(std::min<int64_t>(blocks, thread_count()), 1, work);
  }
}

}  // namespace

void run(const Launch& launch) {
  check_limits(launch);
  if (launch.grid.count() > 0) capture::run(Device::simt, [launch] { run_grid(launch); });
}

// ---- what kernels/simt/primitives.h calls ------------------------------------------------------

int lane() { return runner->current().rank % 32; }

void* shared_memory(const void* key, size_t bytes, Site site) {
  if (void* p = runner->shared().part(key, bytes, site)) return p;
  runner->fail([&] {
    return Finding{text(bytes, " more bytes of shared memory at ", place(site)),
                   text("at most ", SharedMemory::static_limit, " bytes of shared<T>() and ",
                        SharedMemory::limit, " altogether"),
                   "use dynamic_shared<T>(), or smaller tiles"};
  });
}
void* dynamic_shared_memory() { return runner->shared().dynamic_part(); }

void sync_block(Site site) { runner->sync(site); }

void sync_warp(unsigned mask, Site site) {
  if (runner->meet("sync_warp", mask, nullptr, site)) runner->part();
  ++runner->current().syncs;
}

bool arrive(int* counter, int blocks) {
  const bool last = __atomic_fetch_add(counter, 1, __ATOMIC_ACQ_REL) == blocks - 1;
  if constexpr (checker::built) checker::block_arrived(counter, last);
  return last;
}

unsigned vote(const char* name, unsigned mask, bool mine, Site site) {
  struct Ballot {
    bool yes;
    unsigned result;
  } ballot{mine, 0};
  if (void** lanes = runner->meet(name, mask, &ballot, site)) {
    unsigned result = 0;
    for (unsigned i = 0; i < 32; ++i)
      if (mask >> i & 1) result |= unsigned(static_cast<Ballot*>(lanes[i])->yes) << i;
    for (unsigned i = 0; i < 32; ++i)
      if (mask >> i & 1) static_cast<Ballot*>(lanes[i])->result = result;
    runner->part();
  }
  return ballot.result;
}

void** meet(const char* name, unsigned mask, void* mine, Site site) {
  return runner->meet(name, mask, mine, site);
}
void part() { runner->part(); }

void outside_mask(const char* name, int lane, int source, unsigned mask, Site site) {
  const int first_of_warp = runner->current().rank / 32 * 32;
  runner->blame(&runner->thread(first_of_warp + lane),
                {text("lane ", lane, " reads lane ", source, " in ", place(name, site),
                      ", outside of the mask ", hex(mask)),
                 "a source lane that takes part", "widen the mask, or guard the source lane"});
  runner->give_up();
}

void misaligned(const void* p, size_t alignment, Site site) {
  runner->fail([&] {
    return Finding{text("address ", p, " at ", place(site), " is not a multiple of ", alignment),
                   text("an address aligned to ", alignment, " bytes"),
                   "pad the rows, or fall back to single elements"};
  });
}

}  // namespace cairn::emulator
