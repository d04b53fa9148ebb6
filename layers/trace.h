#pragma once
// What a network computes, call by call: for export to other runtimes.
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "layers/tape.h"

namespace cairn {

/// A differentiable function as it ran. The tensors stay alive with it, so that each has an address
/// of its own.
struct TracedCall {
  std::string op;              ///< as Tape::record names it
  std::string module;          ///< whose parameters it used: "conv1a"; "" for none
  std::vector<Tensor> inputs;  ///< undefined where an optional one is missing
  Tensor output;
  std::map<std::string, double> attributes;  ///< {"stride", 2}
};

/// While it lives, the functions called by this thread are listed here: conv2d, conv2d_fused,
/// batch_norm, bias_activation, add, max_pool, upsample_nearest, l2_normalize. A value that none of
/// them made is an input of the network, or came from a function that cannot be exported.
class Trace {
 public:
  Trace();
  ~Trace();
  Trace(const Trace&) = delete;
  const std::vector<TracedCall>& calls() const { return calls_; }
  static bool running();  ///< is there one on this thread
  /// Adds a call to the innermost trace, if there is one.
  static void add(const Tape& tape, const char* op, std::initializer_list<Tensor> inputs,
                  const Tensor& output,
                  std::initializer_list<std::pair<const char*, double>> attributes = {});

 private:
  std::vector<TracedCall> calls_;
  Trace* outer_;
};

}  // namespace cairn
