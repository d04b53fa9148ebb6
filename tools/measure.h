#pragma once
// Timing with a stated method: warm-up apart, then repeated until both a count and a time are
// reached; the median is what is reported, the first call what a user meets.
#include <functional>
#include <string>

#include "runtime/device.h"

namespace cairn {

struct Timing {
  double first_ms = 0;  ///< the very first call: lazy set-up and cold memory included
  double median_ms = 0;
  double min_ms = 0;
  int runs = 0;
};

/// Calls f once (first_ms), twice more unmeasured, then at least `least_runs` times and for at
/// least `least_seconds`. Waits for `device` after each call: what a user of one call meets.
Timing measure(Device device, const std::function<void()>& f, int least_runs = 10,
               double least_seconds = 1.0);

/// The same for one kernel, whose own time counts: where there are graphs they are replayed, on
/// cuda with twenty calls in each, so that the host's time for a launch is not in it.
Timing measure_kernel(Device device, const std::function<void()>& f);

/// The same of a copy on the device that reads and writes `bytes` in all, half each.
Timing measure_copy(Device device, double bytes);

/// What this machine can do with the threads in use, measured in this process.
struct MachineLimit {
  double flop_per_s;       ///< float32 matrix product of 1536x1536 matrices, the best of several
  double bf16_flop_per_s;  ///< on cuda of bf16 matrices of 8192x8192; elsewhere flop_per_s
  double bytes_per_s;      ///< a = b + s c over arrays far larger than the caches
};
MachineLimit measure_limit(Device device);

}  // namespace cairn
