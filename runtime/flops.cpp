#include "runtime/flops.h"

namespace cairn {
namespace {

thread_local FlopCounter* innermost = nullptr;

}  // namespace

FlopCounter::FlopCounter() : outer_(innermost) { innermost = this; }
FlopCounter::~FlopCounter() { innermost = outer_; }

void FlopCounter::add(double flops) {
  if (innermost) innermost->flops_ += flops;
}

}  // namespace cairn
