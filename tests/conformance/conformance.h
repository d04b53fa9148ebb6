#pragma once
// The conformance table: one row per op, run on every device present.
//
// A row states the op's shapes and its formula in float64, as plain loops that share nothing with
// the kernels. The harness then shows, for every case:
//   cpu, float64    forward equals the formula; backward equals central differences of the formula
//   simt, cuda in float64 (where the op has it), and all devices in float32: forward equals the
//                   formula, backward the float64 backward on cpu
//   simt            the same in ascending, descending and seeded-random thread order
//   everywhere      outputs are poisoned (NaN, -1) before each run, and two runs give the same bits
// To add a row: write tests/conformance/<op>_row.cpp with `const bool added = add_row({...});`.
#include <functional>
#include <string>
#include <vector>

#include "runtime/tensor.h"

namespace cairn::conformance {

using Tensors = std::vector<Tensor>;

struct Case {
  std::string label;  ///< shapes and options, as text: "x=[2,7,5,3] k=3 stride=2"
  Tensors inputs;     ///< on cpu: f64 for real numbers; i32 and u8 keep their type on every device

  /// Float64 outputs (i32 where the op returns indices). Gets the inputs as above.
  std::function<Tensors(const Tensors& in)> formula;
  /// Runs the op on the device and type of the inputs; allocates the outputs there.
  std::function<Tensors(const Tensors& in)> forward;
  /// Runs the op's backward: gradients of the real inputs, undefined where there is none.
  /// Null when the op has no gradient. `out` is what forward returned.
  std::function<Tensors(const Tensors& in, const Tensors& out, const Tensors& dout)> backward = {};

  /// Largest error allowed in float32, relative to the largest magnitude of the output it is in.
  double tolerance = 2e-6;
  double gradient_tolerance = 1e-5;
  /// Central differences mean nothing at a kink: false for inputs that cannot keep clear of one.
  bool differences = true;
  /// Also run with the real inputs in bfloat16 (simt and cuda); the allowance there, 0: do not.
  /// What the op leaves in float32 even so (sums, as a rule) gets the allowances of float32.
  double bf16_tolerance = 0;
  bool bf16_on_cpu = false;  ///< the forward also on cpu
  bool large = false;        ///< once, in float32, with simt's blocks in order
};

/// Where an op runs in float64.
enum class Float64 { everywhere, on_cpu };

struct Row {
  std::string op;  ///< the kernel's file name without suffix
  std::vector<Case> cases;
  Float64 float64 = Float64::everywhere;
  /// Algorithms among which simt and cuda choose by measurement (runtime/autotuner.h). The row runs
  /// with what the shape alone suggests, and again with each of them where it is offered.
  std::vector<std::string> algorithms = {};
};

/// Adds a row to the table; the result only serves static initialisation.
bool add_row(Row row);

/// Inputs as float64 whose values float32 represents exactly.
Tensor normal(const Shape&, uint64_t seed, double scale = 1);
Tensor uniform(const Shape&, uint64_t seed, double low, double high);
/// Whole numbers in low..high as float64: sums of them are exact in any order.
Tensor whole(const Shape&, uint64_t seed, int low = -8, int high = 8);
Tensor indices(const Shape&, uint64_t seed, int low, int high);  ///< i32

/// A parameter as an op takes it beside its activations: in float32 where these are bf16.
Tensor as_parameter(const Tensor& t);

/// Shorthands for formulas: a float64 tensor's elements.
inline const double* in(const Tensor& t) { return t.data<double>(); }
Tensor zeros64(const Shape&);

}  // namespace cairn::conformance
