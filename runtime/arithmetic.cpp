#include "runtime/arithmetic.h"

#include <atomic>

namespace cairn {
namespace {
std::atomic<bool> tf32{false};
}

bool tf32_products() { return tf32.load(std::memory_order_relaxed); }
void set_tf32_products(bool on) { tf32 = on; }

}  // namespace cairn
