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

/// Bytes of device memory that launches moved.
struct Traffic {
  uint64_t loaded = 0, stored = 0;  ///< asked for by threads; an atomic counts in both
  uint64_t distinct_loaded = 0, distinct_stored = 0;  ///< each byte once a launch: what no cache
                                                      ///< within it can save
  Traffic& operator+=(const Traffic& t) {
    loaded += t.loaded, stored += t.stored;
    distinct_loaded += t.distinct_loaded, distinct_stored += t.distinct_stored;
    return *this;
  }
};

/// Of the launches since the last call. Throws an Error in a build without the checker.
Traffic take_traffic();

}  // namespace cairn::simt
