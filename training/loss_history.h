#pragma once
// The losses of a run since they were last read. They gather on the device: the host that reads the
// loss of each step waits in each step, and the device for the host.
#include "runtime/tensor.h"

namespace cairn {

class LossHistory {
 public:
  explicit LossHistory(Device device);

  /// The loss and the gradient norm of the next step, one element each; in stream order.
  void add(const Tensor& loss, const Tensor& gradient_norm);
  bool full() const { return unread_ == capacity; }  ///< read() must come before add()

  struct Step {
    double loss = 0, gradient_norm = 0;
  };
  /// Reads what was added, up to step number `step`, and returns the last one. Throws an Error that
  /// names the first step whose loss is not finite.
  Step read(int64_t step);

 private:
  static constexpr int64_t capacity = 256;
  Tensor steps_;  // [capacity,2]: loss, gradient norm
  int64_t unread_ = 0;
  Step last_;
};

}  // namespace cairn
