#include "tools/measure.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "kernels/elementwise/add.h"
#include "kernels/gemm/gemm.h"
#include "runtime/graph.h"

namespace cairn {
namespace {

double milliseconds(Device device, const std::function<void()>& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  synchronize(device);
  const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
  return taken.count();
}

// Of one of the `calls` that f makes.
Timing measure_calls(Device device, const std::function<void()>& f, int calls, int least_runs,
                     double least_seconds) {
  Timing t;
  t.first_ms = milliseconds(device, f) / calls;
  for (int i = 0; i < 2; ++i) milliseconds(device, f);
  std::vector<double> ms;
  double total = 0;
  while (int(ms.size()) < least_runs || total < 1000 * least_seconds) {
    const double taken = milliseconds(device, f);
    total += taken;
    ms.push_back(taken / calls);
  }
  t.runs = int(ms.size());
  std::sort(ms.begin(), ms.end());
  t.min_ms = ms.front();
  t.median_ms = ms[ms.size() / 2];
  return t;
}

// Of square matrices of n rows and values of 1/2.
double product_rate(Device device, int64_t n, DType type) {
  const Tensor a = Tensor::full({n, n}, 0.5, type, device), b = a.clone();
  Tensor c = a.empty_like();
  const Timing t = measure_kernel(device, [&] { gemm(a, false, b, false, c); });
  return 2.0 * double(n) * double(n) * double(n) / (t.min_ms * 1e-3);
}

}  // namespace

Timing measure(Device device, const std::function<void()>& f, int least_runs,
               double least_seconds) {
  return measure_calls(device, f, 1, least_runs, least_seconds);
}

Timing measure_kernel(Device device, const std::function<void()>& f) {
  if (!Graph::exists_on(device)) return measure_calls(device, f, 1, 5, 0.1);
  const int calls = device == Device::cuda ? 20 : 1;
  const double first = milliseconds(device, f);  // makes what is made once
  Graph graph(device, [&] {
    for (int i = 0; i < calls; ++i) f();
  });
  Timing t = measure_calls(
      device, [&] { graph.replay(); }, calls, 5, 0.1);
  t.first_ms = first;
  return t;
}

Timing measure_copy(Device device, double bytes) {
  const Tensor from = Tensor::empty({int64_t(bytes / 2)}, DType::u8, device);
  Tensor to = from.empty_like();
  return measure_kernel(device, [&] { to.copy_from(from); });
}

MachineLimit measure_limit(Device device) {
  const double rate = product_rate(device, device == Device::simt ? 128 : 1536, DType::f32);
  const int64_t count = device == Device::simt ? 1 << 16 : int64_t{1} << 25;
  const Tensor x = Tensor::full({count}, 1, DType::f32, device), y = x.clone();
  Tensor z = x.empty_like();
  const Timing triad = measure_kernel(device, [&] { add(x, y, z); });
  return {rate, device == Device::cuda ? product_rate(device, 8192, DType::bf16) : rate,
          12.0 * double(count) / (triad.min_ms * 1e-3)};
}

}  // namespace cairn
