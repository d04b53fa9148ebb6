// mask_pool: the mean of the features under each mask.
#include "kernels/heatmap/mask_pool.h"

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Tensors formula(const Tensor& mask, const Tensor& features) {
  const int64_t N = mask.dim(0), pixels = mask.dim(1) * mask.dim(2), K = mask.dim(3),
                S = features.dim(3);
  Tensor pooled = zeros64({N, K, S}), mass = zeros64({N, K});
  for (int64_t n = 0; n < N; ++n)
    for (int64_t k = 0; k < K; ++k) {
      double& Z = mass.data<double>()[n * K + k];
      double* out = pooled.data<double>() + (n * K + k) * S;
      Z = 1e-6;
      for (int64_t u = n * pixels; u < (n + 1) * pixels; ++u) {
        Z += in(mask)[u * K + k];
        for (int64_t s = 0; s < S; ++s) out[s] += in(mask)[u * K + k] * in(features)[u * S + s];
      }
      for (int64_t s = 0; s < S; ++s) out[s] /= Z;
    }
  return {pooled, mass};
}

Tensors forward(const Tensor& mask, const Tensor& features) {
  Tensors out{mask.empty_like({mask.dim(0), mask.dim(3), features.dim(3)}),
              mask.empty_like({mask.dim(0), mask.dim(3)})};
  mask_pool(mask, features, out[0], out[1]);
  return out;
}

enum class Wanted { both, of_mask, of_features };

Case pool_case(const Tensor& mask, int64_t S, Wanted wanted = Wanted::both, const char* what = "") {
  Case c;
  c.label = text("mask=", mask.shape(), " S=", S, what);
  c.inputs = {mask, normal({mask.dim(0), mask.dim(1), mask.dim(2), S}, 2)};
  c.formula = [](const Tensors& x) { return Tensors{formula(x[0], x[1])[0]}; };
  c.forward = [](const Tensors& x) { return Tensors{forward(x[0], x[1])[0]}; };
  c.backward = [=](const Tensors& x, const Tensors&, const Tensors& dout) {
    const Tensors saved = forward(x[0], x[1]);
    Tensor dmask, dfeatures;
    if (wanted != Wanted::of_features) dmask = x[0].empty_like();
    if (wanted != Wanted::of_mask) dfeatures = x[1].empty_like();
    mask_pool_backward(x[0], x[1], saved[0], saved[1], dout[0], dmask.defined() ? &dmask : nullptr,
                       dfeatures.defined() ? &dfeatures : nullptr);
    return Tensors{dmask, dfeatures};
  };
  return c;
}

Tensor masks(const Shape& shape) { return uniform(shape, 1, 0, 1); }

Case with_mass() {
  Case c = pool_case(masks({2, 9, 6, 5}), 7, Wanted::both, " mass");
  c.formula = [](const Tensors& x) { return formula(x[0], x[1]); };
  c.forward = [](const Tensors& x) { return forward(x[0], x[1]); };
  c.backward = {};
  return c;
}

Case dead_mask() {
  Tensor mask = masks({2, 6, 5, 3});
  for (int64_t i = 1; i < mask.count(); i += 3) mask.data<double>()[i] = 0;
  Case c = pool_case(mask, 4, Wanted::both, " one dead");
  c.differences = false;  // the slope changes within 1e-6 of zero
  return c;
}

Case large() {
  Case c = pool_case(masks({2, 96, 96, 11}), 64);
  c.large = true;
  return c;
}

const bool added =
    add_row({"mask_pool",
             {pool_case(masks({1, 1, 2, 1}), 1), pool_case(masks({0, 4, 4, 3}), 5),
              pool_case(masks({2, 7, 5, 1}), 3), pool_case(masks({3, 7, 5, 4}), 9),
              pool_case(masks({2, 7, 5, 3}), 8, Wanted::of_mask, " dmask alone"),
              pool_case(masks({2, 7, 5, 3}), 8, Wanted::of_features, " dfeatures alone"),
              pool_case(masks({1, 33, 17, 40}), 65), pool_case(masks({1, 70, 61, 5}), 16),
              with_mass(), dead_mask(), large()}});

}  // namespace
}  // namespace cairn::conformance
