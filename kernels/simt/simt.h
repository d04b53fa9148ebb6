#pragma once
// What tests and debugging sessions can ask of the device simt.
#include <cstdint>

namespace cairn::simt {

/// The order in which the threads of a block run between two barriers, and the blocks of a grid. A
/// correct kernel does not notice.
enum class Order { ascending, descending, random };

/// For all launches from now on; `seed` chooses among the random orders.
void set_order(Order order, uint64_t seed = 0);

/// Whether this build checks every access to memory (-DCAIRN_SIMT_CHECKER=ON).
bool has_checker();

/// Bytes of device memory that a launch moved.
struct Traffic {
  uint64_t loaded = 0, stored = 0;  ///< asked for by threads; an atomic counts in both
  uint64_t distinct_loaded = 0, distinct_stored = 0;  ///< each byte once: what no cache can save
};

/// Of the last launch. Throws an Error in a build without the checker.
Traffic last_traffic();

}  // namespace cairn::simt
