// cp.async: the target is poisoned when the copy is issued and filled when its group is waited for,
// so that whoever reads too early sees NaN.
#include <algorithm>
#include <cstring>

#include "kernels/simt/block.h"
#include "kernels/simt/checker/checker.h"

namespace cairn::emulator {

void copy_16_later(void* to, const void* from, Site site) {
  for (const void* p : {static_cast<const void*>(to), from})
    if (reinterpret_cast<uintptr_t>(p) % 16) misaligned(p, 16, site);
  if constexpr (checker::built) checker::copy_issued(to, from, checker::place_of(site));
  std::memset(to, 0xff, 16);
  Thread& me = runner->current();
  me.copies.push_back({to, from, me.groups});
}

void commit_copies() { ++runner->current().groups; }

void wait_for_copies(int groups_left, Site site) {
  Thread& me = runner->current();
  const auto due_end = std::find_if(me.copies.begin(), me.copies.end(), [&](const PendingCopy& c) {
    return c.group >= me.groups - groups_left;
  });
  for (auto c = me.copies.begin(); c != due_end; ++c) {
    if (c->from)
      std::memcpy(c->to, c->from, 16);
    else
      std::memset(c->to, 0, 16);
    if constexpr (checker::built) checker::copy_arrived(c->to, checker::place_of(site));
  }
  me.copies.erase(me.copies.begin(), due_end);
}

}  // namespace cairn::emulator
