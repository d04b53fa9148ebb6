#pragma once
// The kernel book's table: every op at sizes that its systems use, with the bytes and FLOPs of its
// header. `cairn bench kernels` times the rows, `--model` predicts them, and a test with simt's
// checker holds each claim to the bytes that the kernels move (tests/simt/traffic_test.cpp).
#include <functional>
#include <string>

#include "runtime/device.h"
#include "runtime/dtype.h"

namespace cairn {

struct KernelRow {
  std::string op;           ///< file name of the op: batch_norm
  std::string name;         ///< of the row: batch_norm backward
  std::string shape;        ///< of the largest tensor or of the work
  double bytes = 0;         ///< that it cannot do without: what is read once and written once
  double flops = 0;         ///< multiplications and additions; 0 where they do not matter
  DType type = DType::f32;  ///< bf16: on a GPU the products run on tensor cores
  /// Bytes of device memory that its launches ask for, each byte once a launch. `moved` is exact,
  /// or for ops that gather at places in the data an upper limit.
  double moved = 0;
  bool at_most = false;
  double partials = 0.01;  ///< share of `moved` that partial sums add where tensors are small
  std::function<void()> prepare;  ///< makes what run() reads; called once before it
  std::function<void()> run;
};

/// How large the tensors are: for a device, or for the prediction of a GPU's times.
enum class KernelSizes {
  cpu,        ///< some megabytes
  gpu,        ///< memory-bound kernels move 100 MB and more, past the caches
  simt,       ///< for correctness: images an eighth as wide and high
  predicted,  ///< those of a GPU, without values: rows must not be run
};

/// Calls `visit` for each row, whose tensors are gone afterwards.
void visit_kernels(Device device, KernelSizes sizes,
                   const std::function<void(const KernelRow&)>& visit);

}  // namespace cairn
