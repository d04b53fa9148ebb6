#pragma once
// Modules: parts of a network that own parameters, named as PyTorch would name them.
//
// A module lists what it owns in visit(); naming, initialisation, flattening, saving and loading
// are all visitors. There is no registration and no second list to keep in step.
#include <map>
#include <string>
#include <vector>

#include "kernels/optimizer/flat_chunk.h"
#include "layers/tape.h"
#include "runtime/profile_range.h"
#include "runtime/tensor.h"

namespace cairn {

/// How a parameter starts.
struct Init {
  enum class Kind { constant, uniform, normal } kind = Kind::constant;
  double value = 0;  ///< the constant, the bound b of U(-b,b), or the standard deviation
};

/// A trainable tensor. After Parameters has been made, value and grad are places in its flat
/// buffers.
struct Parameter {
  Parameter() = default;
  Parameter(const Shape& s, Init i) : shape(s), init(i) {}

  Shape shape{0};
  Init init;
  Tensor value, grad;
  bool decays = true;    ///< weight decay acts on it
  bool touched = false;  ///< a gradient has arrived since the last Parameters::begin_step()
};

class Module;

class Visitor {
 public:
  virtual ~Visitor() = default;
  virtual void parameter(const std::string& path, Parameter& p) = 0;
  /// Running statistics: saved, moved and loaded like parameters, but not trained.
  virtual void buffer(const std::string& path, Tensor& t) = 0;
  virtual void enter(const std::string& path, Module& m) { (void)path, (void)m; }
  /// Tensors that begin with this name stand in files made by others and are not used.
  virtual void unused(const std::string& path) { (void)path; }

  void operator()(const char* name, Parameter& p) { parameter(join(name), p); }
  void operator()(const char* name, Tensor& t) { buffer(join(name), t); }
  void without(const char* name) { unused(join(name)); }
  /// A child; its name may have dots ("0.conv").
  void operator()(const std::string& name, Module& child);

 private:
  std::string join(const std::string& name) const {
    return path_.empty() ? name : path_ + "." + name;
  }
  std::string path_;
};

class Module {
 public:
  Module() = default;
  Module(const Module&) = delete;
  virtual ~Module() = default;
  /// Hands every parameter, buffer and child to the visitor, in the order of use.
  virtual void visit(Visitor& v) = 0;

  const std::string& path() const { return path_; }
  void set_path(const std::string& path) { path_ = path; }

 private:
  std::string path_;
};

/// While it lives, nodes are recorded under the module's path, and so is the time in profiles.
class ModuleScope {
 public:
  ModuleScope(Tape& tape, const Module& m)
      : range_(Work::module, m.path()), tape_(tape), outer_(tape.module_path) {
    tape.module_path = m.path();
  }
  ~ModuleScope() { tape_.module_path = outer_; }
  ModuleScope(const ModuleScope&) = delete;

 private:
  const ProfileRange range_;
  Tape& tape_;
  std::string outer_;
};

/// One parameter's part of the flat buffers.
struct Segment {
  std::string name;
  Parameter* parameter;
  int64_t offset, length;  ///< in elements; offsets are multiples of Parameters::chunk
  float lr_scale = 1;      ///< multiplies the learning rate
  bool frozen = false;
};

/// All parameters of a module in one flat buffer, and their gradients in another, so that the
/// optimizer, gradient clipping and all-reduce are each a single kernel over one array. Segments
/// lie in reverse order of use: the first part of the gradient buffer to be finished is its
/// beginning.
class Parameters {
 public:
  static constexpr int64_t chunk = flat_chunk;  ///< segments start at multiples of this

  /// Allocates the buffers on `device`, moves values and running statistics there, and binds them.
  Parameters(Module& module, Device device, DType dtype = DType::f32);

  /// Draws all initial values from (seed, name): the same on every device and in any order.
  void initialize(uint64_t seed);
  /// Forgets which parameters were touched. Call at the start of a step, before its first forward:
  /// what is recorded later adds to the gradients that are there.
  void begin_step();

  int64_t count() const;  ///< trainable numbers, padding not counted
  std::vector<Segment>& segments() { return segments_; }
  const std::vector<Segment>& segments() const { return segments_; }
  Tensor& values() { return values_; }
  Tensor& grads() { return grads_; }

  /// Per chunk: learning-rate scale and decay scale (1, or 0 where the parameter does not decay),
  /// or (0, 0) where the segment is frozen or untouched; float32 [chunks, 2] on the device. What
  /// optimizers and clipping read. Values that were there before are on the device already.
  Tensor chunk_scales();

 private:
  std::vector<Segment> segments_;
  Tensor values_, grads_;
  std::map<std::vector<float>, Tensor> chunk_scales_;  // which parameters take part varies little
};

/// Takes every parameter named "bias" out of weight decay: those of convolutions, and the shifts of
/// norms.
void exempt_biases_from_decay(Module& module);

/// A parameter as a value of this tape: the same Var for every use, so that shared weights add up.
Var parameter(Tape& tape, Parameter& p);

/// Every parameter and buffer by its PyTorch name, in order of use; shares memory with the module.
struct NamedTensor {
  std::string name;
  Tensor* tensor;
  bool trainable;
};
std::vector<NamedTensor> named_tensors(Module& module);

}  // namespace cairn
