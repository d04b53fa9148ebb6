#include "kernels/heatmap/field_moments.h"

#include "kernels/column_sums.h"

namespace cairn::cpu {
namespace {

template <class T>
void forward(const T* p, const T* field, const Shape& shape, T* mean, T* variance) {
  const int64_t pixels = shape[1] * shape[2], K = shape[3];
  const int64_t middle = shape[1] / 2 * shape[2] + shape[2] / 2;
  parallel_for(shape[0], 1, [=](int64_t begin, int64_t end) {
    std::vector<double> sums(size_t(3 * K));
    for (int64_t n = begin; n < end; ++n) {
      // About the place of the middle pixel, as of all maps alike: there x^2 + y^2 minus the square
      // of the mean loses few digits.
      const T *g = field + n * pixels * 2, *of_image = p + n * pixels * K;
      const T x0 = g[2 * middle], y0 = g[2 * middle + 1];
      sum_rows<3, T>(0, pixels, K, sums.data(), [=](int64_t u, int64_t k, int64_t count, auto& s) {
        const T x = g[2 * u] - x0, y = g[2 * u + 1] - y0, square = x * x + y * y;
        const T* weight = of_image + u * K + k;
        for (int64_t i = 0; i < count; ++i) {
          s[0][i] += weight[i] * x;
          s[1][i] += weight[i] * y;
          s[2][i] += weight[i] * square;
        }
      });
      for (int64_t k = 0; k < K; ++k) {
        const double x = sums[k], y = sums[K + k];
        mean[(n * K + k) * 2] = T(x0 + x);
        mean[(n * K + k) * 2 + 1] = T(y0 + y);
        variance[n * K + k] = T(std::max(sums[2 * K + k] - x * x - y * y, 0.0));
      }
    }
  });
}

template <class T>
void backward(const T* field, const T* mean, const T* dmean, const T* dvariance, const Shape& shape,
              T* dp) {
  const int64_t pixels = shape[1] * shape[2], K = shape[3];
  parallel_for(shape[0] * pixels, 256, [=](int64_t begin, int64_t end) {
    for (int64_t u = begin; u < end; ++u) {
      const int64_t first = u / pixels * K;  // map of the image
      for (int64_t k = 0; k < K; ++k)
        dp[u * K + k] = moments_slope(field + 2 * u, mean + 2 * (first + k),
                                      dmean + 2 * (first + k), dvariance[first + k]);
    }
  });
}

}  // namespace

void field_moments(const Tensor& p, const Tensor& field, Tensor& mean, Tensor& variance) {
  with_float(p.dtype(), [&](auto type) {
    using T = decltype(type);
    forward<T>(p.data<T>(), field.data<T>(), p.shape(), mean.data<T>(), variance.data<T>());
  });
}

void field_moments_backward(const Tensor& field, const Tensor& mean, const Tensor& dmean,
                            const Tensor& dvariance, Tensor& dp) {
  with_float(dp.dtype(), [&](auto type) {
    using T = decltype(type);
    backward<T>(field.data<T>(), mean.data<T>(), dmean.data<T>(), dvariance.data<T>(), dp.shape(),
                dp.data<T>());
  });
}

}  // namespace cairn::cpu
