#pragma once
// The checker: every access of a kernel to shared and device memory is compared with the last ones
// to the same place. It finds
//
//   races        two threads, one of them writing, at least one not atomic, and nothing that orders
//   them:
//                no barrier (one block), no barrier or sync_warp (one warp; a shuffle orders
//                nothing), no end of a launch or arrives_last (two blocks)
//   early reads  of shared memory that nobody has written in this block, or that a cp.async will
//   fill ranges       accesses beside an allocation or beside the parts of shared memory
//
// and counts the bytes. Kernels are compiled with -fsanitize=thread and -fsanitize=bounds-strict,
// but linked with neither runtime: the calls that the compiler inserts end here (hooks.cpp). The
// emulator speaks for itself (cp.async, ldmatrix). Without CAIRN_SIMT_CHECKER nothing of this is
// built or called.
#include <cstddef>
#include <cstdint>
#include <string>

#include "kernels/simt/emulator.h"
#include "kernels/simt/simt.h"

namespace cairn::emulator::checker {

#ifdef CAIRN_SIMT_CHECKER
constexpr bool built = true;
#else
constexpr bool built = false;
#endif

/// A block of memory with red zones on both sides, [begin - zone, begin + bytes + zone). Shared
/// memory is one region too; which of its bytes may be used, SharedMemory knows.
enum class Space : uint8_t { shared, device };
void add_region(const void* begin, size_t bytes, size_t zone, Space space);
void remove_region(const void* begin);

/// One launch at a time is checked.
void begin_launch();
simt::Traffic end_launch();
void begin_block(int64_t block);

/// The running block has been counted at `counter`; if it is the last, what all that were counted
/// there did before is ordered before what it does next.
void block_arrived(const int* counter, bool last);

/// Called when all threads have reached a barrier and when the block is done. Reports reads of
/// shared memory that nobody wrote: not at the read, because a write that comes too late makes it a
/// race of two lines.
void end_interval();

/// True between the start and the end of a block, on the host thread that runs it.
inline thread_local constinit bool in_kernel = false;

/// Where in the source an access is made: a return address, or a Site (places.cpp keeps them).
struct Place {
  uint32_t id;
};
Place place_of(const void* return_address);
Place place_of(Site site);
std::string where(Place place);  ///< kernels/a.cu:12

enum class Kind : uint8_t { read, write, atomic };
/// By the running thread. Fails (BlockRunner::fail) if there is something to report.
void access(const void* p, size_t bytes, Kind kind, Place place);

/// A cp.async to `to` is under way until copy_arrived.
void copy_issued(const void* to, const void* from, Place place);
void copy_arrived(const void* to, Place place);

}  // namespace cairn::emulator::checker
