#include "layers/trace.h"

namespace cairn {
namespace {

thread_local Trace* innermost = nullptr;

}  // namespace

Trace::Trace() : outer_(innermost) { innermost = this; }
Trace::~Trace() { innermost = outer_; }

bool Trace::running() { return innermost != nullptr; }

void Trace::add(const Tape& tape, const char* op, std::initializer_list<Tensor> inputs,
                const Tensor& output,
                std::initializer_list<std::pair<const char*, double>> attributes) {
  if (!innermost) return;
  innermost->calls_.push_back(
      {op, tape.module_path, inputs, output, {attributes.begin(), attributes.end()}});
}

}  // namespace cairn
