#pragma once
// Small kernels for the tests of simt, by name; x and y are what each needs.
#include <string>

#include "runtime/tensor.h"

namespace cairn {

namespace simt {
void run_primitive(const std::string& name, const Tensor& x, Tensor& y);  ///< primitives.cu
}  // namespace simt
namespace cuda {
void run_primitive(const std::string& name, const Tensor& x, Tensor& y);
}  // namespace cuda

}  // namespace cairn
