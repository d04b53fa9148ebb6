#include "kernels/heatmap/mask_pool.h"

#include "kernels/column_sums.h"
#include "kernels/dot.h"
#include "kernels/gemm/gemm.h"

namespace cairn::cpu {
namespace {

/// The matrices of one image: a map as [HW,C], the descriptors as [K,S].
struct Images {
  int64_t count, pixels, masks, channels;

  Images(const Tensor& mask, const Tensor& features)
      : count(mask.dim(0)),
        pixels(mask.dim(1) * mask.dim(2)),
        masks(mask.dim(3)),
        channels(features.dim(3)) {}

  Tensor map(const Tensor& t, int64_t image) const {
    return t.rows(image, image + 1).reshape({pixels, t.dim(3)});
  }
  Tensor descriptors(const Tensor& t, int64_t image) const {
    return t.rows(image, image + 1).reshape({masks, channels});
  }
  /// f(image), in parallel.
  template <class F>
  void each(F&& f) const {
    parallel_for(count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t image = begin; image < end; ++image) f(image);
    });
  }
};

template <class T>
void forward(const Tensor& mask, const Tensor& features, Tensor& pooled, T* mass) {
  const Images images(mask, features);
  const int64_t K = images.masks, S = images.channels;
  images.each([&](int64_t n) {
    const Tensor m = images.map(mask, n);
    Tensor means = images.descriptors(pooled, n);
    cpu::gemm(m, true, images.map(features, n), false, means);
    const T* const weights = m.data<T>();
    const std::vector<double> sums =
        column_sums<1, T>(images.pixels, K, [=](int64_t u, int64_t k, int64_t count, auto& acc) {
          for (int64_t i = 0; i < count; ++i) acc[0][i] += weights[u * K + k + i];
        });
    for (int64_t k = 0; k < K; ++k) {
      const double Z = sums[k] + mask_pool_epsilon;
      mass[n * K + k] = T(Z);
      for (int64_t s = k * S; s < k * S + S; ++s) means.data<T>()[s] *= T(1 / Z);
    }
  });
}

template <class T>
void backward(const Tensor& mask, const Tensor& features, const Tensor& pooled, const T* mass,
              const Tensor& dpooled, Tensor* dmask, Tensor* dfeatures) {
  const Images images(mask, features);
  const int64_t K = images.masks, S = images.channels;
  images.each([&](int64_t n) {
    Tensor q = images.descriptors(dpooled, n).clone();
    for (int64_t i = 0; i < K * S; ++i) q.data<T>()[i] /= mass[n * K + i / S];
    if (dfeatures) {
      Tensor dF = images.map(*dfeatures, n);
      cpu::gemm(images.map(mask, n), false, q, false, dF);
    }
    if (!dmask) return;
    Tensor dm = images.map(*dmask, n);
    cpu::gemm(images.map(features, n), false, q, true, dm);
    std::vector<T> of_mean(K);
    const T* const means = images.descriptors(pooled, n).data<T>();
    for (int64_t k = 0; k < K; ++k) of_mean[k] = T(dot(q.data<T>() + k * S, means + k * S, S));
    T* const out = dm.data<T>();
    for (int64_t u = 0; u < images.pixels; ++u)
      for (int64_t k = 0; k < K; ++k) out[u * K + k] -= of_mean[k];
  });
}

}  // namespace

void mask_pool(const Tensor& mask, const Tensor& features, Tensor& pooled, Tensor& mass) {
  with_float(mask.dtype(), [&](auto type) {
    using T = decltype(type);
    forward<T>(mask, features, pooled, mass.data<T>());
  });
}

void mask_pool_backward(const Tensor& mask, const Tensor& features, const Tensor& pooled,
                        const Tensor& mass, const Tensor& dpooled, Tensor* dmask,
                        Tensor* dfeatures) {
  with_float(mask.dtype(), [&](auto type) {
    using T = decltype(type);
    backward<T>(mask, features, pooled, mass.data<T>(), dpooled, dmask, dfeatures);
  });
}

}  // namespace cairn::cpu
