#include "layers/tape.h"

#include <cmath>

#include "kernels/elementwise/add.h"
#include "runtime/error.h"
#include "runtime/profile_range.h"

namespace cairn {

Var Var::computed_by(std::function<Tensor()> again) const {
  Var v = *this;
  if (wants_grad()) v.again_ = std::make_shared<const std::function<Tensor()>>(std::move(again));
  return v;
}

Tensor* Grads::want(int i) {
  GradSlot* slot = inputs_[i].get();
  if (!slot) return nullptr;
  // The first part may be written straight to where the gradient lives; later ones are added. An
  // input that appears twice in one node gets a part of its own for the second place.
  bool first = !slot->has_grad && slot->grad.defined();
  for (int j = 0; j < i; ++j) first = first && inputs_[j].get() != slot;
  parts_[i] = first ? slot->grad : Tensor::empty(slot->shape, slot->dtype, slot->device);
  return &parts_[i];
}

void Grads::give(int i, const Tensor& gradient) {
  if (inputs_[i]) parts_[i] = gradient.reshape(inputs_[i]->shape);
}

void Grads::commit() {
  for (size_t i = 0; i < parts_.size(); ++i) {
    const Tensor& part = parts_[i];
    if (!part.defined()) continue;
    GradSlot& slot = *inputs_[i];
    if (slot.has_grad) {
      // Only a parameter's place is summed in place: a given gradient may be shared.
      Tensor sum = slot.on_touch ? slot.grad : part.empty_like();
      add(slot.grad, part, sum);
      slot.grad = sum;
    } else if (!slot.grad.defined()) {
      slot.grad = part;
    } else if (slot.grad.raw() != part.raw()) {
      slot.grad.copy_from(part);
    }
    if (slot.on_touch) slot.on_touch();
    slot.has_grad = true;
  }
}

Var Tape::make(const Tensor& value, bool wants_grad) {
  Var v;
  v.value_ = value;
  v.tape_ = this;
  if (wants_grad && recording_) {
    v.slot_ = std::make_shared<GradSlot>();
    v.slot_->shape = value.shape();
    v.slot_->dtype = value.dtype();
    v.slot_->device = value.device();
  }
  return v;
}

Var Tape::constant(const Tensor& value) { return make(value, false); }

Var Tape::leaf(const Tensor& value) { return make(value, true); }

Var Tape::leaf_once(const void* key, const Tensor& value, const Tensor& grad, bool has_grad,
                    std::function<void()> on_touch) {
  Var& v = leaves_[key];
  if (v.defined()) return v;
  v = make(value, true);
  if (v.slot_) {
    v.slot_->grad = grad;
    v.slot_->has_grad = has_grad;
    v.slot_->on_touch = std::move(on_touch);
  }
  return v;
}

std::vector<Var> Tape::record(const char* op, const std::vector<Var>& inputs,
                              const std::vector<Tensor>& outputs, Backward backward) {
  bool wants = false;
  for (const Var& v : inputs) wants = wants || v.wants_grad();
  const NodeInfo info{op, module_path};
  if (detect_anomaly_) check_finite(info, outputs, "forward");

  std::vector<Var> results;
  for (const Tensor& y : outputs) results.push_back(make(y, wants));
  if (!wants) return results;

  Node node{info, {}, {}, std::move(backward)};
  for (const Var& v : inputs) node.inputs.push_back(v.slot_);
  for (const Var& v : results) node.outputs.push_back(v.slot_);
  nodes_.push_back(std::move(node));
  return results;
}

Var Tape::record(const char* op, const std::vector<Var>& inputs, const Tensor& y,
                 BackwardOne backward) {
  return record(op, inputs, std::vector<Tensor>{y},
                [backward = std::move(backward)](const std::vector<Tensor>& dy, Grads& grads) {
                  backward(dy[0], grads);
                })[0];
}

void Tape::backward(const Var& loss, double seed) {
  if (loss.value().count() != 1)
    throw Error("backward", text("the loss has shape ", loss.shape()), "one element",
                "reduce it to a mean or a sum first");
  backward(loss, Tensor::full(loss.shape(), seed, loss.value().dtype(), loss.value().device()));
}

void Tape::backward(const Var& y, const Tensor& dy) {
  if (!recording_)
    throw Error("backward", "the tape records nothing", "a recording tape",
                "make it with Tape(true)");
  if (y.wants_grad()) {
    y.slot_->grad = dy;
    y.slot_->has_grad = true;
  }
  run();
}

void Tape::run() {
  const ProfileRange range(Work::host, "backward");
  while (!nodes_.empty()) {
    Node node = std::move(nodes_.back());
    nodes_.pop_back();
    std::vector<Tensor> dy(node.outputs.size());
    bool any = false;
    for (size_t i = 0; i < dy.size(); ++i) {
      if (!node.outputs[i]->has_grad) continue;
      dy[i] = node.outputs[i]->grad;
      any = true;
    }
    if (!any) continue;  // nothing flowed back here
    const NodeInfo& info = node.info;
    const ProfileRange range(Work::module, info.module.empty() ? info.op : info.module,
                             " backward");
    Grads grads(node.inputs);
    node.backward(dy, grads);
    if (detect_anomaly_) check_finite(node.info, grads.parts_, "backward");
    grads.commit();
  }
}

void Tape::check_finite(const NodeInfo& info, const std::vector<Tensor>& tensors,
                        const char* direction) const {
  for (const Tensor& t : tensors) {
    if (!t.defined() || t.dtype() == DType::i32 || t.dtype() == DType::u8) continue;
    for (double v : t.to(Device::cpu).to(DType::f64).values<double>())
      if (!std::isfinite(v))
        throw Error(text(info.module, info.module.empty() ? "" : ": ", info.op),
                    text("its ", direction, " produced ", v, " in ", t), "finite values",
                    "lower the learning rate, clip the gradient norm, or look at the batch");
  }
}

}  // namespace cairn
