#include "tools/measure.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "kernels/elementwise/add.h"
#include "kernels/gemm/gemm.h"

namespace cairn {
namespace {

double milliseconds(Device device, const std::function<void()>& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  synchronize(device);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

}  // namespace

Timing measure(Device device, const std::function<void()>& f, int least_runs,
               double least_seconds) {
  Timing t;
  t.first_ms = milliseconds(device, f);
  for (int i = 0; i < 2; ++i) milliseconds(device, f);
  std::vector<double> ms;
  double total = 0;
  while (int(ms.size()) < least_runs || total < 1000 * least_seconds) {
    ms.push_back(milliseconds(device, f));
    total += ms.back();
  }
  t.runs = int(ms.size());
  std::sort(ms.begin(), ms.end());
  t.min_ms = ms.front();
  t.median_ms = ms[ms.size() / 2];
  return t;
}

MachineLimit measure_limit(Device device) {
  const int64_t n = device == Device::simt ? 128 : 1536;
  const Tensor a = Tensor::full({n, n}, 0.5, DType::f32, device), b = a.clone();
  Tensor c = a.empty_like();
  const Timing product = measure(
      device, [&] { gemm(a, false, b, false, c); }, 5, 0.3);

  const int64_t count = device == Device::simt ? 1 << 16 : int64_t{1} << 25;
  const Tensor x = Tensor::full({count}, 1, DType::f32, device), y = x.clone();
  Tensor z = x.empty_like();
  const Timing triad = measure(
      device, [&] { add(x, y, z); }, 5, 0.3);
  return {2.0 * double(n) * double(n) * double(n) / (product.min_ms * 1e-3),
          12.0 * double(count) / (triad.min_ms * 1e-3)};
}

}  // namespace cairn
