#pragma once
// `cairn bench kernels --ladder NAME`: the steps of a ladder (kernels/ladder) with what they claim,
// what a machine model predicts from that, and what they move or take here.
#include <string>
#include <vector>

#include "kernels/ladder/ladders.h"

namespace cairn {

std::vector<std::string> ladder_names();

enum class LadderSize {
  gpu,    ///< a pass over the largest tensor moves 256 MB or more, past the caches
  small,  ///< for simt, and for tests
};

/// The ladder on tensors of its own: random ones, or of any content if the steps are not to be run
/// (`values` false: then they take no memory either).
struct LadderExample {
  std::string shape;
  Ladder steps;
};
/// Throws a UsageError with the list unless `name` is in it.
LadderExample ladder_example(const std::string& name, Device device, LadderSize size, bool values);

/// Prints the table. Throws a UsageError on cpu.
void bench_ladder(const std::string& name, Device device, bool json);

}  // namespace cairn
