#include "kernels/loss/distance.h"

#include "kernels/loss/pointwise_loss_cpu.h"

namespace cairn::cpu {

void distance(const Tensor& x, const Tensor& target, const Tensor& weight, double beta,
              Tensor& loss, Tensor& factor) {
  constexpr int64_t per_part = 8192;
  const int64_t pairs = x.count() / 2, parts = (pairs + per_part - 1) / per_part;
  std::vector<LossSums> part(static_cast<size_t>(parts));
  with_float(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *px = x.data<T>(), *pt = target.data<T>();
    const T* pw = weight.defined() ? weight.data<T>() : nullptr;
    parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p)
        for (int64_t i = p * per_part; i < std::min(pairs, (p + 1) * per_part); ++i) {
          const T ex = px[2 * i] - pt[2 * i], ey = px[2 * i + 1] - pt[2 * i + 1];
          const double w = pw ? double(pw[i]) : 1.0;
          if (w == 0) continue;
          part[p].loss += w * double(SmoothL1{beta}.value(std::sqrt(ex * ex + ey * ey)));
          part[p].weight += w;
        }
    });
    const LossSums all = total(part);
    const double f = all.weight == 0 ? 0 : 1 / all.weight;
    loss.data<T>()[0] = T(f * all.loss);
    factor.data<T>()[0] = T(f);
  });
}

void distance_backward(const Tensor& x, const Tensor& target, const Tensor& weight, double beta,
                       const Tensor& factor, const Tensor& dloss, Tensor& dx) {
  with_float(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *px = x.data<T>(), *pt = target.data<T>();
    const T* pw = weight.defined() ? weight.data<T>() : nullptr;
    T* pdx = dx.data<T>();
    const T scale = dloss.data<T>()[0] * factor.data<T>()[0];
    parallel_for(x.count() / 2, 8192, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        distance_slope(beta, pw ? scale * pw[i] : scale, px[2 * i] - pt[2 * i],
                       px[2 * i + 1] - pt[2 * i + 1], pdx + 2 * i);
    });
  });
}

}  // namespace cairn::cpu
