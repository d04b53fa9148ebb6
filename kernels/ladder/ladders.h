#pragma once
// Ladders: a kernel from its naive version to the one that ships, every version still running.
//
// A ladder takes the tensors of its op, float32, and gives the steps. Each step writes the outputs,
// adds one idea to the step before, and claims what its launches move and compute and what memory
// it takes; the last one calls the op itself. Tests hold each step to the cpu op, and its bytes to
// those that simt counts (tests/kernels/ladders_test.cpp). docs/ladders.md lists them all, and
// `cairn bench kernels --ladder NAME` runs them.
#include <functional>
#include <vector>

#include "kernels/heatmap/gaussian.h"
#include "kernels/loss/descriptor_pairs.h"
#include "kernels/residual/residual_block.h"
#include "kernels/simt/simt.h"
#include "runtime/device.h"
#include "runtime/memory.h"
#include "runtime/tensor.h"

namespace cairn {

/// What one launch claims, for the tensors of its ladder.
struct LadderLaunch {
  simt::Traffic bytes;  ///< of device memory, as simt's checker counts them
  double flops = 0;     ///< additions, multiplications, comparisons; an exponential counts as 16
  int64_t blocks = 0;   ///< of its grid: a small one leaves multiprocessors idle
  double l2_bytes = 0;  ///< through the second-level cache, in whole sectors of 32 bytes, where
                        ///< that is more than the distinct bytes
};

struct LadderStep {
  const char *name, *idea;
  std::vector<LadderLaunch> launches;
  uint64_t held;  ///< bytes of memory that it takes besides inputs and outputs, at its peak
  std::function<void()> run;
  const char* outcome = "not measured on hardware yet";
};

using Ladder = std::vector<LadderStep>;

/// The bytes and operations of all launches.
inline LadderLaunch total(const LadderStep& step) {
  LadderLaunch sum;
  for (const LadderLaunch& l : step.launches) {
    sum.bytes += l.bytes;
    sum.flops += l.flops;
  }
  return sum;
}

/// Throws an Error: ladders are kernels, and `device` does not run any.
[[noreturn]] void refuse_ladder(const char* ladder, Device device);

#define CAIRN_ON_KERNEL_DEVICES(...) \
  namespace simt {                   \
  __VA_ARGS__                        \
  }                                  \
  namespace cuda {                   \
  __VA_ARGS__                        \
  }

#define CAIRN_LADDER(device, ladder, ...)                             \
  do {                                                                \
    if constexpr (build::has_simt)                                    \
      if ((device) == Device::simt) return simt::ladder(__VA_ARGS__); \
    if constexpr (build::has_cuda)                                    \
      if ((device) == Device::cuda) return cuda::ladder(__VA_ARGS__); \
    refuse_ladder(#ladder, device);                                   \
  } while (false)

CAIRN_ON_KERNEL_DEVICES(
    Ladder spatial_softmax_ladder(const Tensor& z, double gain, Tensor& h);
    Ladder soft_argmax_ladder(const Tensor& logits, double gain, Tensor& point, Tensor& variance);
    Ladder gaussian_ladder(const Tensor& centre, const Tensor& sigma, const Tensor& amplitude,
                           GaussianForm form, Tensor& y);
    Ladder residual_ladder(const Tensor& x, const ResidualBlock& block, Tensor& y);
    Ladder double_norm_ladder(const DescriptorPairs& pairs, const HingeOptions& options,
                              Tensor& terms, Tensor& loss);)

/// kernels/heatmap/spatial_softmax.h
inline Ladder spatial_softmax_ladder(const Tensor& z, double gain, Tensor& h) {
  CAIRN_LADDER(h.device(), spatial_softmax_ladder, z, gain, h);
}

/// kernels/heatmap/soft_argmax.h; what the backward needs is not kept.
inline Ladder soft_argmax_ladder(const Tensor& logits, double gain, Tensor& point,
                                 Tensor& variance) {
  CAIRN_LADDER(point.device(), soft_argmax_ladder, logits, gain, point, variance);
}

/// kernels/heatmap/gaussian.h
inline Ladder gaussian_ladder(const Tensor& centre, const Tensor& sigma, const Tensor& amplitude,
                              GaussianForm form, Tensor& y) {
  CAIRN_LADDER(y.device(), gaussian_ladder, centre, sigma, amplitude, form, y);
}

/// kernels/residual/residual_block.h: the forward with batch statistics and x itself as the skip.
inline Ladder residual_ladder(const Tensor& x, const ResidualBlock& block, Tensor& y) {
  CAIRN_LADDER(y.device(), residual_ladder, x, block, y);
}

/// kernels/loss/descriptor_double_norm.h: the forward, with masks (u8) as weights.
inline Ladder double_norm_ladder(const DescriptorPairs& pairs, const HingeOptions& options,
                                 Tensor& terms, Tensor& loss) {
  CAIRN_LADDER(loss.device(), double_norm_ladder, pairs, options, terms, loss);
}

}  // namespace cairn
