#pragma once
// Autograd: a tape of nodes, each of which knows its inputs and its hand-written backward.
//
// Manners that every differentiable function keeps:
//   1. Its backward kernels write a gradient, they do not add to it. Where a value has several uses
//      the tape adds the parts.
//   2. It computes nothing for an input that wants no gradient: grads.want(i) returns null.
//   3. What it saves from the forward is visible in the capture list of its backward.
//   4. It records nothing when no input wants a gradient (Tape::record sees to that), so inference
//      frees every activation as soon as the last handle is gone.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/tensor.h"

namespace cairn {

class Tape;

/// Where a gradient is collected. It outlives the value it belongs to: a node holds on to the slots
/// of its inputs and outputs, never to the values, so that a value whose backward is not needed is
/// freed.
struct GradSlot {
  Shape shape;
  DType dtype;
  Device device;
  Tensor grad;                     ///< the sum so far; may be set before (a parameter's place)
  bool has_grad = false;           ///< grad holds a sum already
  std::function<void()> on_touch;  ///< parameters: marks their segment as touched
};

/// A value in a computation: a tensor, and where its gradient goes. A cheap handle.
class Var {
 public:
  Var() = default;
  const Tensor& value() const { return value_; }
  const Shape& shape() const { return value_.shape(); }
  int64_t dim(int i) const { return value_.dim(i); }
  Device device() const { return value_.device(); }
  bool wants_grad() const { return slot_ != nullptr; }
  bool defined() const { return tape_ != nullptr; }
  Tape& tape() const { return *tape_; }
  /// The gradient after Tape::backward(); undefined where nothing flowed.
  Tensor grad() const { return slot_ && slot_->has_grad ? slot_->grad : Tensor(); }
  /// The same value, which a backward that needs it computes again (see Kept) from what `again`
  /// captures. Worth it where that is kept anyway and the computation is a pass over memory.
  /// Nothing changes where no gradient is wanted.
  Var computed_by(std::function<Tensor()> again) const;

 private:
  friend class Tape;
  friend class Kept;
  Tensor value_;
  std::shared_ptr<const std::function<Tensor()>> again_;  // null: the value is kept
  std::shared_ptr<GradSlot> slot_;                        // null: no gradient is wanted
  Tape* tape_ = nullptr;
};

/// What a node keeps of a value that its backward needs: the value, or how to compute it again.
class Kept {
 public:
  explicit Kept(const Var& v) : value_(v.again_ ? Tensor() : v.value_), again_(v.again_) {}
  Tensor value() const { return again_ ? (*again_)() : value_; }

 private:
  Tensor value_;
  std::shared_ptr<const std::function<Tensor()>> again_;
};

/// What a backward sees of the inputs' gradients.
class Grads {
 public:
  /// The tensor that must be overwritten with the gradient of input i; null if none is wanted.
  Tensor* want(int i);
  /// Hands over a gradient that is already there (the upstream one, say) without a copy.
  void give(int i, const Tensor& gradient);

 private:
  friend class Tape;
  using Slots = std::vector<std::shared_ptr<GradSlot>>;
  explicit Grads(const Slots& inputs) : inputs_(inputs), parts_(inputs.size()) {}
  void commit();
  const Slots& inputs_;
  std::vector<Tensor> parts_;
};

/// Called with the gradients of the node's outputs (an undefined tensor where none arrived).
using Backward = std::function<void(const std::vector<Tensor>& dy, Grads& grads)>;
/// The common case of one output.
using BackwardOne = std::function<void(const Tensor& dy, Grads& grads)>;

/// What anomaly reports and profiles say of a node.
struct NodeInfo {
  std::string op;      ///< "conv2d"
  std::string module;  ///< "hgs.0.0.up1.conv1"
};

class Tape {
 public:
  /// `recording` off: inference; record() keeps nothing.
  explicit Tape(bool recording = true) : recording_(recording) {}
  Tape(const Tape&) = delete;

  bool recording() const { return recording_; }

  /// Batch statistics (and updates of the running ones) instead of the running statistics.
  bool training = false;

  /// A value from outside that wants no gradient: images, labels.
  Var constant(const Tensor& value);
  /// A value from outside whose gradient is wanted: read it with Var::grad() after the backward.
  Var leaf(const Tensor& value);
  /// A parameter, known by its address `key`: the same Var for every use on this tape. Its gradient
  /// is written into `grad`, or added there if `has_grad`; `on_touch` is called when it arrives.
  Var leaf_once(const void* key, const Tensor& value, const Tensor& grad, bool has_grad,
                std::function<void()> on_touch);

  /// A node with one output.
  Var record(const char* op, const std::vector<Var>& inputs, const Tensor& y, BackwardOne backward);
  /// A node with several outputs.
  std::vector<Var> record(const char* op, const std::vector<Var>& inputs,
                          const std::vector<Tensor>& outputs, Backward backward);

  /// Fills the gradients of everything that `loss` (one element) depends on; `seed` is dL/dloss.
  /// Each node's saved tensors are released as soon as its backward has run.
  void backward(const Var& loss, double seed = 1);
  /// The same from any output with a given upstream gradient (tests of single functions).
  void backward(const Var& y, const Tensor& dy);

  /// Stop with the first op that produced a NaN or an infinity, named with its module.
  void detect_anomaly(bool on) { detect_anomaly_ = on; }

  /// Path of the module that is running, kept by ModuleScope.
  std::string module_path;

 private:
  struct Node {
    NodeInfo info;
    Grads::Slots inputs;  // null where no gradient is wanted
    Grads::Slots outputs;
    Backward backward;
  };
  Var make(const Tensor& value, bool wants_grad);
  void run();
  void check_finite(const NodeInfo&, const std::vector<Tensor>&, const char* direction) const;

  bool recording_;
  std::map<const void*, Var> leaves_;
  bool detect_anomaly_ = false;
  std::vector<Node> nodes_;
};

}  // namespace cairn
