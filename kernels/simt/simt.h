#pragma once
// What tests and debugging sessions can ask of the device simt.
#include <cstdint>

namespace cairn::simt {

/// The order in which the threads of a block run between two barriers, and the blocks of a grid. A
/// correct kernel does not notice.
enum class Order { ascending, descending, random };

/// For all launches from now on; `seed` chooses among the random orders.
void set_order(Order order, uint64_t seed = 0);

}  // namespace cairn::simt
