#include "layers/module.h"

#include <algorithm>

#include "runtime/random.h"

namespace cairn {

void Visitor::operator()(const std::string& name, Module& child) {
  const std::string outer = path_;
  path_ = join(name);
  enter(path_, child);
  child.visit(*this);
  path_ = outer;
}

namespace {

// FNV-1a: a parameter's random stream follows from its name alone.
uint64_t stream_of(const std::string& name) {
  uint64_t h = 1469598103934665603u;
  for (unsigned char c : name) h = (h ^ c) * 1099511628211u;
  return h;
}

struct Collect : Visitor {
  std::vector<Segment> segments;
  std::vector<NamedTensor> named;
  std::vector<Tensor*> buffers;

  void parameter(const std::string& path, Parameter& p) override {
    segments.push_back({path, &p, 0, p.shape.count()});
    named.push_back({path, &p.value, true});
  }
  void buffer(const std::string& path, Tensor& t) override {
    buffers.push_back(&t);
    named.push_back({path, &t, false});
  }
  void enter(const std::string& path, Module& m) override { m.set_path(path); }
};

Collect collected(Module& module) {
  Collect found;
  module.visit(found);
  return found;
}

int64_t padded(int64_t n) {
  return (n + Parameters::chunk - 1) / Parameters::chunk * Parameters::chunk;
}

}  // namespace

Parameters::Parameters(Module& module, Device device, DType dtype) {
  Collect found = collected(module);
  segments_ = std::move(found.segments);
  std::reverse(segments_.begin(), segments_.end());

  int64_t total = 0;
  for (Segment& s : segments_) {
    s.offset = total;
    total += padded(s.length);
  }
  values_ = Tensor::zeros({total}, dtype, device);
  grads_ = Tensor::zeros({total}, dtype, device);
  for (Segment& s : segments_) {
    Parameter& p = *s.parameter;
    const Tensor old = p.value;
    p.value = values_.part(s.offset, p.shape);
    p.grad = grads_.part(s.offset, p.shape);
    if (old.defined()) p.value.copy_from(old.to(dtype));
  }
  for (Tensor* b : found.buffers) *b = b->to(dtype).to(device);
}

void Parameters::initialize(uint64_t seed) {
  for (Segment& s : segments_) {
    const Init init = s.parameter->init;
    if (init.kind == Init::Kind::constant) {
      s.parameter->value.fill(init.value);
      continue;
    }
    Random random(seed, stream_of(s.name));
    Tensor drawn = Tensor::empty(s.parameter->shape, DType::f32);
    float* p = drawn.data<float>();
    for (int64_t i = 0; i < s.length; ++i)
      p[i] = float(init.kind == Init::Kind::uniform ? random.uniform(-init.value, init.value)
                                                    : init.value * random.normal());
    s.parameter->value.copy_from(drawn.to(values_.dtype()));
  }
}

void Parameters::begin_step() {
  for (Segment& s : segments_) s.parameter->touched = false;
}

int64_t Parameters::count() const {
  int64_t n = 0;
  for (const Segment& s : segments_) n += s.length;
  return n;
}

Tensor Parameters::chunk_scales() {
  std::vector<float> scales;
  for (const Segment& s : segments_) {
    const bool active = s.parameter->touched && !s.frozen;
    for (int64_t i = 0; i < padded(s.length); i += chunk) {
      scales.push_back(active ? s.lr_scale : 0);
      scales.push_back(active && s.parameter->decays ? 1 : 0);
    }
  }
  Tensor& on_device = chunk_scales_[scales];
  if (!on_device.defined())
    on_device = Tensor::from<float>({int64_t(scales.size() / 2), 2}, scales, values_.device());
  return on_device;
}

void exempt_biases_from_decay(Module& module) {
  for (const Segment& s : collected(module).segments)
    if (s.name == "bias" || s.name.ends_with(".bias")) s.parameter->decays = false;
}

Var parameter(Tape& tape, Parameter& p) {
  return tape.leaf_once(&p, p.value, p.grad, p.touched, [&p] { p.touched = true; });
}

std::vector<NamedTensor> named_tensors(Module& module) { return collected(module).named; }

}  // namespace cairn
