#pragma once
// Counting arithmetic: what a network costs, added up as it runs.

namespace cairn {

/// While it lives, the convolutions of this thread report their operations here, 2 per multiply-add
/// and counted as direct convolution whatever algorithm runs. Counters may be nested; the innermost
/// counts.
class FlopCounter {
 public:
  FlopCounter();
  ~FlopCounter();
  FlopCounter(const FlopCounter&) = delete;
  double flops() const { return flops_; }
  /// Adds to the innermost counter, if there is one.
  static void add(double flops);

 private:
  double flops_ = 0;
  FlopCounter* outer_;
};

}  // namespace cairn
