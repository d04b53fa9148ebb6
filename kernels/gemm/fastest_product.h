#pragma once
// A product, or what is made of several, in the way that is the fastest on this machine. Included
// by .cu files only.
#include <utility>

#include "kernels/gemm/tiled_product.h"
#include "runtime/autotuner.h"
#include "runtime/graph.h"

namespace cairn::CAIRN_NS {

/// Calls run(plan), which writes c or is false if it cannot, for the fastest of these plans of a
/// product, or takes one of `more`; the first that can where nothing is measured. `problem` names
/// what its time depends on.
template <class NameProblem, class Run>
void run_fastest(const Tensor& c, const std::vector<ProductPlan>& plans, NameProblem&& problem,
                 Run&& run, const Autotuner::More& more = {}) {
  Autotuner& tuner = autotuner(c.device());
  if (!tuner.chooses()) {
    for (const ProductPlan& plan : plans)
      if (run(plan)) return;
  }
  std::vector<Algorithm> ways;
  for (const ProductPlan& plan : plans)
    ways.push_back({name(plan), [&run, plan] { return run(plan); }});
  tuner.run(problem(), std::move(ways), c, !capture::running(c.device()), more);
}

}  // namespace cairn::CAIRN_NS
