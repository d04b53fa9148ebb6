// colour_jitter: crops in other colours, behind patches and under noise.
#include "kernels/augment/colour_jitter.h"

#include <algorithm>
#include <cmath>

#include "kernels/augment/normal_quantile.h"
#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

using Amounts = JitterAmounts<double>;

double clip(double v) { return std::clamp(v, 0.0, 255.0); }

// Colour c of a texture at (s, t) in 0..4.
double texture(const JitterPatch<double>& p, double s, double t, int64_t c, int64_t C) {
  double sum = 0;
  for (int64_t j = 0; j < 5; ++j)
    for (int64_t i = 0; i < 5; ++i)
      sum += std::max(0.0, 1 - std::abs(s - double(i))) *
             std::max(0.0, 1 - std::abs(t - double(j))) * p.colours[(j * 5 + i) * C + c];
  return sum;
}

Tensor formula(const Tensor& x, const Tensor& plan, const Tensor& amounts) {
  const int64_t pixels = x.dim(1) * x.dim(2), W = x.dim(2), C = x.dim(3);
  Tensor y = zeros64(x.shape());
  for (int64_t e = 0; e < x.count(); ++e) {
    const int64_t n = e / (pixels * C), within = e % (pixels * C), pixel = within / C, to = e % C;
    const JitterPlan& p = static_cast<const JitterPlan*>(plan.raw())[n];
    const Amounts& a = static_cast<const Amounts*>(amounts.raw())[n];
    const uint8_t* image = x.data<uint8_t>() + n * pixels * C;
    double v = a.added;
    for (int64_t c = 0; c < C; ++c) {
      double mean = 0;
      for (int64_t i = 0; i < pixels; ++i) mean += double(image[i * C + c]) / double(pixels);
      v += a.pull[c] * mean + a.colour[to][c] * image[pixel * C + c];
    }
    v = clip(v);
    for (int k = 0; k < 2; ++k) {
      const auto& patch = a.patches[k];
      const double dx = double(pixel % W) - patch.x, dy = double(pixel / W) - patch.y;
      const double s = (patch.cosine * dx + patch.sine * dy) / patch.half_width,
                   t = (patch.cosine * dy - patch.sine * dx) / patch.half_height;
      if ((p.patches[k] == PatchShape::ellipse && s * s + t * t <= 1) ||
          (p.patches[k] == PatchShape::rectangle && std::max(std::abs(s), std::abs(t)) <= 1))
        v = texture(patch, 2 * s + 2, 2 * t + 2, to, C);
    }
    if (a.noise > 0) {
      const uint64_t key = uint64_t(uint32_t(p.key[1])) * 0x100000000u + uint32_t(p.key[0]);
      const uint32_t word = philox(key, 0, uint64_t(within / 8)).v[within % 8 / 2];
      v = clip(v + a.noise * normal_quantile<double>(
                                 int((within % 2 ? word / 0x10000 : word % 0x10000) / 16)));
    }
    y.data<double>()[e] = v / 255;
  }
  return y;
}

Case jitter_case(const Shape& shape, bool patches, double noise) {
  Tensor plan = indices({shape[0], jitter_integers}, 1, INT32_MIN / 2, INT32_MAX / 2);
  Tensor amounts = uniform({shape[0], jitter_reals}, 2, 0, 1);
  for (int64_t n = 0; n < shape[0]; ++n) {
    JitterPlan& p = static_cast<JitterPlan*>(plan.raw())[n];
    Amounts& a = static_cast<Amounts*>(amounts.raw())[n];
    for (int i = 0; i < 3; ++i) {
      a.pull[i] = 0.125 * a.pull[i] - 0.0625;
      for (int c = 0; c < 3; ++c) a.colour[i][c] = float(0.25 * a.colour[i][c] + 0.8 * (i == c));
    }
    a.added = -20;
    a.noise = noise;
    for (int k = 0; k < jitter_patches; ++k) {
      p.patches[k] = patches ? PatchShape((n + k) % 3) : PatchShape::none;
      auto& q = a.patches[k];
      const double w = double(shape[2]), h = double(shape[1]);
      q.x = float(q.x * w);
      q.y = float(q.y * h);
      q.half_width = float(1 + 0.4 * w * q.half_width);
      q.half_height = float(1 + 0.4 * h * q.half_height);
      q.cosine = k ? 0.6f : 1.f;
      q.sine = k ? 0.8f : 0.f;
      for (double& colour : q.colours) colour = std::floor(255 * colour);
    }
  }
  Case c;
  c.label = text("x=", shape, patches ? " patches" : "", " noise=", noise);
  c.inputs = {indices(shape, 3, 0, 255).to(DType::u8), plan, amounts};
  c.formula = [](const Tensors& t) { return Tensors{formula(t[0], t[1], t[2])}; };
  c.forward = [](const Tensors& t) {
    Tensor y = t[2].empty_like(t[0].shape());
    colour_jitter(t[0], t[1], t[2], y);
    return Tensors{y};
  };
  return c;
}

const bool added =
    add_row({"colour_jitter",
             {jitter_case({1, 1, 1, 1}, false, 0), jitter_case({0, 4, 5, 3}, false, 0),
              jitter_case({2, 9, 13, 1}, false, 7.5), jitter_case({3, 9, 13, 3}, false, 0),
              jitter_case({6, 24, 31, 3}, true, 0), jitter_case({3, 17, 40, 1}, true, 3),
              jitter_case({2, 33, 64, 3}, true, 12)},
             Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
