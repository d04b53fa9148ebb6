#include "kernels/simt/checker/checker.h"

#include <algorithm>
#include <optional>

#include "kernels/simt/block.h"
#include "kernels/simt/checker/shadow.h"
#include "runtime/error.h"

namespace cairn::emulator::checker {
namespace {

uint32_t run = 0;             // of the block that runs; one launch at a time
uint32_t first_run = 1;       // of the launch
std::vector<int64_t> blocks;  // of the launch, in the order of their runs
simt::Traffic traffic;

// A block was counted (arrives_last) when it had passed `interval` barriers.
struct Arrival {
  const int* counter;
  uint32_t run;
  unsigned interval;
};
std::vector<Arrival> arrivals;  // of the launch
// By number of the run in the launch: what that block did before so many barriers comes before what
// the running block does. Empty unless it has arrived last.
std::vector<unsigned> seen;

// The first read in this interval of shared memory that nobody had written.
struct EarlyRead {
  const Thread* thread;
  std::string wrong;
};
std::optional<EarlyRead> early_read;

Access by_current_thread(uint8_t bytes, bool atomic, Place place) {
  const Thread& t = runner->current();
  return {run,  uint16_t(t.rank), uint16_t(runner->interval()), uint16_t(t.syncs), bytes, atomic,
          place};
}

// ---- words -------------------------------------------------------------------------------------

std::string object(const Region& r, const char* p) {
  if (r.space == Space::device)
    return text("byte ", p - r.begin, " of an allocation of ", r.bytes, " bytes");
  const auto* part = runner->shared().nearest(p);
  return text(
      "byte ", p - runner->shared().begin_of(*part), " of ",
      part->key ? text("the shared memory of ", place(part->site)) : "the dynamic shared memory",
      ", ", part->bytes, " bytes");
}

const char* verb(Kind kind) {
  return kind == Kind::read ? "reads" : kind == Kind::write ? "writes" : "changes atomically";
}
const char* past(Kind kind) {
  return kind == Kind::read    ? "read it"
         : kind == Kind::write ? "wrote it"
                               : "changed it atomically";
}

Finding race(const Region& r, const char* p, Kind kind, Place here, Kind other_kind,
             const Access& other) {
  const Thread& me = runner->current();
  std::string who, expected, remedy;
  if (other.run != run) {
    who = text("block ", name(gridDim.index(blocks[other.run - first_run])), ", ");
    expected = "no two blocks of a launch to use a place that one of them writes";
    remedy =
        "give every place one writer, split the kernel into two launches, or let the block that "
        "arrives_last() do the rest";
  } else if (other.thread / 32 == me.rank / 32) {
    expected = "a sync_warp or a barrier between the two (a shuffle orders no memory)";
    remedy = "put sync_warp() between them";
  } else {
    expected = "a barrier between the two";
    remedy = "put sync_threads() between them";
  }
  return {text("race: this thread ", verb(kind), " ", object(r, p), ", at ", where(here), "; ", who,
               "thread ", name(runner->thread(other.thread).index), " ", past(other_kind), " at ",
               where(other.place)),
          expected, remedy};
}

template <class... Arguments>
[[noreturn]] void report_race(const Arguments&... arguments) {
  runner->fail([&] { return race(arguments...); });
}

[[noreturn]] void report_range(const Region& r, const char* p, size_t bytes, Kind kind,
                               Place here) {
  runner->fail([&] {
    return Finding{text("this thread ", verb(kind), " ", bytes, " bytes out of range, at ",
                        where(here), ": ", object(r, p)),
                   "an index within the memory",
                   "check the index against the shape before the access"};
  });
}

std::string read_of(const Region& r, const char* p, Place here) {
  return text("this thread reads ", object(r, p), ", at ", where(here), ", ");
}

[[noreturn]] void report_pending(const Region& r, const char* p, const Cell& cell, Place here) {
  runner->fail([&] {
    return Finding{
        text(read_of(r, p, here), "while the cp_async_16 at ", where(cell.write.place),
             " by thread ", name(runner->thread(cell.write.thread).index), " is under way"),
        "cp_async_wait by the thread that copies, then a barrier",
        "wait for the group before the memory is used"};
  });
}

// ---- rules -------------------------------------------------------------------------------------

// Whether arrives_last orders `old`, of another block of the launch, before the running block.
bool seen_by_last(const Access& old) {
  const uint32_t i = old.run - first_run;
  return i < seen.size() && old.interval < seen[i];
}

// Whether `old` and the running thread's access to the same bytes are a race.
bool unordered(const Access& old, const Access& now, Space space) {
  if (!(old.bytes & now.bytes) || (old.atomic && now.atomic)) return false;
  if (old.run != now.run)
    return space == Space::device && old.run >= first_run && !seen_by_last(old);
  if (old.thread == now.thread || old.interval != now.interval) return false;
  return old.thread / 32 != now.thread / 32 || old.syncs >= now.syncs;
}

void visit(const Region& r, Cell& cell, const char* p, uint8_t bytes, Kind kind, Place place) {
  const Access now = by_current_thread(bytes, kind == Kind::atomic, place);
  const uint32_t epoch = r.space == Space::shared ? run : first_run;
  if (cell.epoch != epoch) {
    cell.epoch = epoch;
    cell.read_bytes = cell.written_bytes = cell.pending = 0;
  }
  if (cell.pending & bytes) {
    if (kind == Kind::read) report_pending(r, p, cell, place);
    report_race(r, p, kind, place, Kind::write, cell.write);
  }
  if (unordered(cell.write, now, r.space))
    report_race(r, p, kind, place, cell.write.atomic ? Kind::atomic : Kind::write, cell.write);
  const bool unwritten = r.space == Space::shared && bytes & ~cell.written_bytes;
  if (unwritten && kind != Kind::write && !early_read)
    early_read = {&runner->current(),
                  read_of(r, p, place) + "before any thread of the block has written it"};

  const unsigned size = bytes == 3 ? 2 : 1;
  const auto fresh = [&](uint8_t before) {
    return (bytes & ~before) == 3 ? 2u : bytes & ~before ? 1u : 0u;
  };
  const bool counts = r.space == Space::device;
  if (kind != Kind::write && counts) {
    traffic.loaded += size;
    traffic.distinct_loaded += fresh(cell.read_bytes);
  }
  if (kind != Kind::write) cell.read_bytes |= bytes;
  if (kind == Kind::read) {
    if (cell.read[0].run != run || cell.read[0].thread != now.thread) cell.read[1] = cell.read[0];
    cell.read[0] = now;
    return;
  }
  for (const Access& read : cell.read)
    if (unordered(read, now, r.space)) report_race(r, p, kind, place, Kind::read, read);
  if (counts) {
    traffic.stored += size;
    traffic.distinct_stored += fresh(cell.written_bytes);
  }
  cell.written_bytes |= bytes;
  cell.write = now;
}

// The checker's own work is not checked. A report leaves it by a jump; the runner then resets the
// flag.
struct Unwatched {
  Unwatched() { in_kernel = false; }
  ~Unwatched() { in_kernel = true; }
};

// Calls f(cell, address, bytes of the cell) for the cells of [p, p + bytes) within r.
template <class F>
void each_cell(const Region& r, const char* p, size_t bytes, F f) {
  const size_t begin = size_t(p - r.begin), end = begin + bytes;
  for (size_t at = begin; at < end;) {
    const bool whole = at % 2 == 0 && at + 2 <= end;
    f(r.cells[at / 2], r.begin + at, uint8_t(whole ? 3 : at % 2 ? 2 : 1));
    at += whole ? 2 : 1;
  }
}

bool within(const Region& r, const char* p, size_t bytes) {
  if (r.space == Space::shared) return runner->shared().contains(p, bytes);
  return p >= r.begin && p + bytes <= r.begin + r.bytes;
}

void check(const void* address, size_t bytes, Kind kind, Place place) {
  const Region* r = find_region(address);
  if (!r) return;  // a stack, or a constant
  const char* p = static_cast<const char*>(address);
  if (!within(*r, p, bytes)) report_range(*r, p, bytes, kind, place);
  each_cell(*r, p, bytes,
            [&](Cell& c, const char* at, uint8_t mask) { visit(*r, c, at, mask, kind, place); });
}

}  // namespace

void access(const void* p, size_t bytes, Kind kind, Place place) {
  const Unwatched here;
  check(p, bytes, kind, place);
}

void copy_issued(const void* to, const void* from, Place place) {
  const Unwatched here;
  if (from) check(from, 16, Kind::read, place);
  check(to, 16, Kind::write, place);
  if (const Region* r = find_region(to))
    each_cell(*r, static_cast<const char*>(to), 16,
              [](Cell& c, const char*, uint8_t mask) { c.pending |= mask; });
}

void copy_arrived(const void* to, Place place) {
  const Unwatched here;
  if (const Region* r = find_region(to))
    each_cell(*r, static_cast<const char*>(to), 16,
              [](Cell& c, const char*, uint8_t mask) { c.pending = uint8_t(c.pending & ~mask); });
  check(to, 16, Kind::write, place);
}

void begin_launch() {
  first_run = run + 1;
  blocks.clear();
  arrivals.clear();
  traffic = {};
}

simt::Traffic end_launch() { return traffic; }

void end_interval() {
  if (!early_read) return;
  runner->blame(
      early_read->thread,
      {early_read->wrong, "shared memory to be written first: it holds whatever was there",
       "write it, and put a barrier between"});
  early_read.reset();
}

void block_arrived(const int* counter, bool last) {
  const Unwatched here;
  arrivals.push_back({counter, run, runner->interval()});
  if (!last) return;
  for (const Arrival& a : arrivals)
    if (a.counter == counter) {
      seen.resize(std::max<size_t>(seen.size(), a.run - first_run + 1));
      seen[a.run - first_run] = a.interval;
    }
}

void begin_block(int64_t block) {
  early_read.reset();
  seen.clear();
  ++run;
  blocks.push_back(block);
}

}  // namespace cairn::emulator::checker
