#pragma once
// The checks that every differentiable function makes before it runs: all that is wrong with a
// call is collected and thrown as one error, with the shapes of its arguments.
#include <string>
#include <utility>

#include "layers/tape.h"
#include "runtime/error.h"

namespace cairn {

class Check {
 public:
  explicit Check(const char* op) : op_(op) {}

  /// Names an argument, so that an error shows its shape. Undefined ones are left out.
  Check& argument(const char* name, const Tensor& t) {
    return t.defined() ? argument(name, t.shape()) : *this;
  }
  Check& argument(const char* name, const Shape& s) {
    shapes_ += text(shapes_.empty() ? "" : ", ", name, " ", s);
    return *this;
  }
  Check& argument(const char* name, const Var& v) { return argument(name, v.value()); }

  template <class... Parts>
  Check& require(bool fine, const Parts&... parts) {
    if (!fine) wrong_ += text(wrong_.empty() ? "" : "; ", parts...);
    return *this;
  }

  /// `t` has the type and the device of `model`.
  Check& alike(const char* name, const Tensor& t, const char* model_name, const Tensor& model) {
    require(t.dtype() == model.dtype(), name, " is ", t.dtype(), ", ", model_name, " is ",
            model.dtype());
    return together(name, t, model_name, model);
  }
  /// `t`, a parameter, has the device and the type of the activations `x`, or f32 if that is bf16.
  Check& parameter(const char* name, const Tensor& t, const Tensor& x) {
    const DType wanted = x.dtype() == DType::bf16 ? DType::f32 : x.dtype();
    require(t.dtype() == wanted, name, " is ", t.dtype(), ", x is ", x.dtype());
    return together(name, t, "x", x);
  }
  Check& together(const char* name, const Tensor& t, const char* model_name, const Tensor& model) {
    return require(t.device() == model.device(), name, " is on ", t.device(), ", ", model_name,
                   " on ", model.device());
  }

  /// Nothing wrong so far: what follows may use what has been checked.
  bool fine() const { return wrong_.empty(); }

  /// Throws the Error unless all is well.
  void done(const char* expected, const char* remedy) const {
    if (!fine()) throw Error(op_, wrong_ + " (" + shapes_ + ")", expected, remedy);
  }

 private:
  const char* op_;
  std::string shapes_, wrong_;
};

}  // namespace cairn
