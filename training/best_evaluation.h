#pragma once
// Which evaluation of a run was the best one, and for how long none has been better.
#include <limits>

#include "training/run_log.h"
#include "training/task.h"

namespace cairn {

class BestEvaluation {
 public:
  explicit BestEvaluation(const Objective& objective) : objective_(objective) {}

  /// Takes note of a row of kind "evaluation"; whether it is the best so far. A row without the
  /// metric, or where it is not a number, never is.
  bool add(const LogRow& row);

  int64_t step() const { return step_; }                ///< of the best; 0 before there is one
  int64_t worse_since() const { return worse_since_; }  ///< evaluations after the best one
  const std::map<std::string, double>& metrics() const { return metrics_; }  ///< of the best

 private:
  Objective objective_;
  double best_ = -std::numeric_limits<double>::infinity();
  int64_t step_ = 0, worse_since_ = 0;
  std::map<std::string, double> metrics_;
};

}  // namespace cairn
