#include "training/loss_history.h"

#include <cmath>

#include "runtime/error.h"

namespace cairn {

LossHistory::LossHistory(Device device)
    : steps_(Tensor::zeros({capacity, 2}, DType::f32, device)) {}

void LossHistory::add(const Tensor& loss, const Tensor& gradient_norm) {
  Tensor row = steps_.rows(unread_, unread_ + 1).reshape({2});
  Tensor first = row.rows(0, 1), second = row.rows(1, 2);
  first.copy_from(loss.reshape({1}));
  second.copy_from(gradient_norm);
  ++unread_;
}

LossHistory::Step LossHistory::read(int64_t step) {
  const std::vector<float> values = steps_.rows(0, unread_).values<float>();
  const int64_t before = step - unread_;
  unread_ = 0;
  for (size_t i = 0; i < values.size(); i += 2) {
    last_ = {values[i], values[i + 1]};
    if (!std::isfinite(last_.loss))
      throw Error(
          "train",
          text("the loss became ", last_.loss, " at step ", before + int64_t(i / 2) + 1,
               "; the gradient norm is ", last_.gradient_norm),
          "a finite loss",
          "lower train.lr, set train.clip_norm, or find the op with --detect-anomaly; the last "
          "checkpoint is whole");
  }
  return last_;
}

}  // namespace cairn
