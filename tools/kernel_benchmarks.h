#pragma once
// The kernels that `cairn bench kernels` times, each with the bytes and floating-point operations
// that it cannot do without: what it must read once, write once, and compute.
#include <functional>
#include <string>
#include <vector>

#include "runtime/device.h"

namespace cairn {

struct KernelBenchmark {
  std::string name, shape;
  double bytes, flops;
  std::function<void()> run;
};

std::vector<KernelBenchmark> kernel_benchmarks(Device device);

}  // namespace cairn
