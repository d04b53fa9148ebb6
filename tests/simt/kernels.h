#pragma once
// Small kernels for the tests of simt, by name; x and y are what each needs.
#include <string>

#include "runtime/tensor.h"

namespace cairn {

namespace simt {
void run_primitive(const std::string& name, const Tensor& x, Tensor& y);  ///< primitives.cu
/// planted_bugs.cu: x and y (256) floats; `corrected` runs the twin without the bug.
void run_planted(const std::string& name, bool corrected, const Tensor& x, Tensor& y);
}  // namespace simt
namespace cuda {
void run_primitive(const std::string& name, const Tensor& x, Tensor& y);
}

}  // namespace cairn
