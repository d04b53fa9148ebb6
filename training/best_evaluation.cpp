#include "training/best_evaluation.h"

namespace cairn {

bool BestEvaluation::add(const LogRow& row) {
  const auto found = row.values.find(objective_.metric);
  const double score = found == row.values.end()     ? std::numeric_limits<double>::quiet_NaN()
                       : objective_.higher_is_better ? found->second
                                                     : -found->second;
  if (!(score > best_)) {
    ++worse_since_;
    return false;
  }
  best_ = score;
  step_ = row.step;
  worse_since_ = 0;
  metrics_ = row.values;
  metrics_.erase("images");
  return true;
}

}  // namespace cairn
