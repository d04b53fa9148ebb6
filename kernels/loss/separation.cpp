#include "kernels/loss/separation.h"

#include <numeric>
#include <vector>

#include "runtime/threads.h"

namespace cairn::cpu {

void separation(const Tensor& points, double sigma, double aspect, Tensor& loss) {
  const int64_t N = points.dim(0), K = points.dim(1);
  std::vector<double> of_image(static_cast<size_t>(N));
  with_float(points.dtype(), [&](auto type) {
    using T = decltype(type);
    const SeparationFalloff<T> falloff(sigma, aspect);
    const T* all = points.data<T>();
    parallel_for(N, 8, [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n)
        for (int64_t k = 0; k < K; ++k)
          for (int64_t m = 0; m < k; ++m)
            of_image[n] += 2 * double(falloff.value(all + (n * K + k) * 2, all + (n * K + m) * 2));
    });
    const double sum = std::accumulate(of_image.begin(), of_image.end(), 0.0);
    loss.data<T>()[0] = N == 0 ? T(0) : T(sum / double(N));
  });
}

void separation_backward(const Tensor& points, double sigma, double aspect, const Tensor& dloss,
                         Tensor& dpoints) {
  const int64_t N = points.dim(0), K = points.dim(1);
  with_float(points.dtype(), [&](auto type) {
    using T = decltype(type);
    const SeparationFalloff<T> falloff(sigma, aspect);
    const T* all = points.data<T>();
    T* out = dpoints.data<T>();
    const T scale = dloss.data<T>()[0] / T(N);
    parallel_for(N * K, 256, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        falloff.gradient(all + i / K * K * 2, K, i % K, scale, out + 2 * i);
    });
  });
}

}  // namespace cairn::cpu
