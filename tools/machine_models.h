#pragma once
// Machines whose times `cairn bench kernels --model NAME` predicts.
#include <algorithm>
#include <string>
#include <vector>

#include "runtime/dtype.h"
#include "runtime/error.h"

namespace cairn {

struct MachineModel {
  std::string name, source;  ///< source: where the rates are from
  double bytes_per_s;        ///< of device memory, read and written
  double f32_flop_per_s;     ///< outside of tensor cores
  double bf16_flop_per_s;    ///< on tensor cores
  double launch_s;           ///< the least that one kernel takes
  double l2_bytes_per_s;     ///< of the second-level cache
  int multiprocessors;

  /// What no version of a kernel beats.
  struct Floor {
    double seconds;
    const char* bound;  ///< "memory", "f32", "bf16" or "launch"
  };
  Floor floor(double bytes, double flops, DType type) const {
    const bool tensor = type == DType::bf16;
    const double moving = bytes / bytes_per_s,
                 computing = flops / (tensor ? bf16_flop_per_s : f32_flop_per_s);
    if (std::max(moving, computing) < launch_s) return {launch_s, "launch"};
    if (moving >= computing) return {moving, "memory"};
    return {computing, tensor ? "bf16" : "f32"};
  }
};

inline const std::vector<MachineModel>& machine_models() {
  static const std::vector<MachineModel> models{
      {"h200",
       "NVIDIA H200 SXM: 4.3 TB/s as copies of gigabytes reach (data sheet 4.8); 67 TFLOP/s in f32 "
       "by the data sheet; 790 TFLOP/s in bf16 as a product of 8192^3 reaches (data sheet 989); "
       "5.5 TB/s from the second-level cache is what others measured on an H100",
       4.3e12, 67e12, 790e12, 2e-6, 5.5e12, 132}};
  return models;
}

/// Throws a UsageError with the list unless `name` is in it.
inline const MachineModel& machine_model(const std::string& name) {
  std::string names;
  for (const MachineModel& m : machine_models()) {
    if (m.name == name) return m;
    names += (names.empty() ? "" : ", ") + m.name;
  }
  throw UsageError("--model", name, names, "choose one of these");
}

}  // namespace cairn
