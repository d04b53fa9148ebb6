// photometric: random changes of grey values, in an order of each image's own.
#include "kernels/augment/photometric.h"

#include <algorithm>
#include <cmath>

#include "kernels/augment/normal_quantile.h"
#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

using Change = PhotometricChange;
using Plan = PhotometricPlan;
using Amounts = PhotometricAmounts<double>;

struct Image {
  int64_t height, width;
  std::vector<double> v;

  double mirrored(int64_t y, int64_t x) const {
    const auto back = [](int64_t i, int64_t n) {
      return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
    };
    return v[size_t(back(y, height) * width + back(x, width))];
  }
};

Image under_gaussian(const Image& from, int64_t dx, int64_t dy, int64_t reach, double sigma) {
  Image to = from;
  double all = 0;
  for (int64_t k = -reach; k <= reach; ++k) all += std::exp(-double(k * k) / (2 * sigma * sigma));
  for (int64_t i = 0; i < int64_t(from.v.size()); ++i) {
    double sum = 0;
    for (int64_t k = -reach; k <= reach; ++k)
      sum += std::exp(-double(k * k) / (2 * sigma * sigma)) *
             from.mirrored(i / from.width + k * dy, i % from.width + k * dx);
    to.v[size_t(i)] = sum / all;
  }
  return to;
}

uint32_t half_word(const Plan& p, Change change, size_t pixel) {
  const uint64_t key = uint64_t(uint32_t(p.key[1])) * 0x100000000u + uint32_t(p.key[0]);
  const uint32_t word = philox(key, uint64_t(change), pixel / 8).v[pixel % 8 / 2];
  return pixel % 2 ? word / 0x10000 : word % 0x10000;
}

double mean(const Image& image) {
  double sum = 0;
  for (double v : image.v) sum += v;
  return sum / double(image.v.size());
}

void change(Image& image, Change which, const Plan& p, const Amounts& a) {
  const double m = mean(image), share = std::floor(a.speckle * 65536 + 0.5);
  Image other = image;
  if (which == Change::motion)
    other = under_gaussian(image, p.motion_x, p.motion_y, p.motion_reach, a.motion_sigma);
  if (which == Change::shade) {
    for (size_t i = 0; i < image.v.size(); ++i) {
      const double x = double(int64_t(i) % image.width), y = double(int64_t(i) / image.width);
      other.v[i] = 0;
      for (const auto& e : a.ellipses)
        if (e.a * (x - e.x) * (x - e.x) + e.b * (x - e.x) * (y - e.y) +
                e.c * (y - e.y) * (y - e.y) <=
            1)
          other.v[i] = 1;
    }
    other = under_gaussian(other, 1, 0, p.shade_reach, a.shade_sigma);
    other = under_gaussian(other, 0, 1, p.shade_reach, a.shade_sigma);
  }
  for (size_t i = 0; i < image.v.size(); ++i) {
    double& v = image.v[i];
    const double bits = which == Change::none ? 0 : half_word(p, which, i);
    if (which == Change::brightness) v += a.brightness;
    if (which == Change::contrast) v = (v - m) * a.contrast + m;
    if (which == Change::noise) v += a.noise * normal_quantile<double>(int(bits / 16));
    if (which == Change::speckle) v = bits < share ? 0 : bits >= 65536 - share ? 255 : v;
    if (which == Change::shade) v *= 1 - a.shade * other.v[i];
    if (which == Change::motion) v = other.v[i];
    v = std::clamp(v, 0.0, 255.0);
  }
}

Tensor formula(const Tensor& x, const Tensor& plan, const Tensor& amounts, const Shape& shape) {
  Tensor y = zeros64(shape);
  const int64_t pixels = shape[1] * shape[2];
  const Tensor images = x.to(DType::f64);
  for (int64_t n = 0; n < shape[0]; ++n) {
    const Plan& p = static_cast<const Plan*>(plan.raw())[n];
    const Amounts& a = static_cast<const Amounts*>(amounts.raw())[n];
    const double* from = in(images) + p.source * pixels;
    Image image{shape[1], shape[2], {from, from + pixels}};
    for (Change c : p.order) change(image, c, p, a);
    for (int64_t i = 0; i < pixels; ++i)
      y.data<double>()[n * pixels + i] = image.v[size_t(i)] / 255;
  }
  return y;
}

// Changes of `which` alone, or where that is none of all six, from the n-th on.
Case change_case(const Tensor& x, int64_t N, Change which, bool all = false) {
  const Shape shape{N, x.dim(1), x.dim(2), 1};
  const int side = int(std::min(x.dim(1), x.dim(2))), reach = std::min(side - 1, 9);
  Tensor plan = indices({N, photometric_integers}, 1, INT32_MIN / 2, INT32_MAX / 2);
  Tensor amounts = uniform({N, photometric_reals}, 2, 0, 1);
  for (int n = 0; n < int(N); ++n) {
    Plan& p = static_cast<Plan*>(plan.raw())[n];
    p.source = (n + 1) % int(x.dim(0));
    std::fill_n(p.order, photometric_changes, Change::none);
    p.order[n % photometric_changes] = which;
    if (all)
      for (int i = 0; i < photometric_changes; ++i)
        p.order[i] = Change((5 * i + n) % photometric_changes);
    p.shade_reach = reach;
    p.motion_x = n % 4 != 1;
    p.motion_y = n % 4 == 0 ? 0 : n % 4 == 3 ? -1 : 1;
    p.motion_reach = std::min(reach, n % 4);
    Amounts& a = static_cast<Amounts*>(amounts.raw())[n];
    a.brightness = 40;
    a.contrast = 1.75;
    a.noise = 15;
    a.speckle = 0.125;
    a.shade = n % 2 ? -0.5 : 0.75;
    a.shade_sigma = 3;
    a.motion_sigma = 1.25;
    for (auto& e : a.ellipses) e = {e.x * side, e.y * side, 0.0625f, float(e.b) * 0.0625f, 0.125f};
  }
  Case c;
  c.label = text("x=", x.shape(), " ", x.dtype(), " y=", shape, " change ",
                 all ? std::string("all") : std::to_string(int(which)));
  c.inputs = {x, plan, amounts};
  c.formula = [=](const Tensors& t) { return Tensors{formula(t[0], t[1], t[2], shape)}; };
  c.forward = [=](const Tensors& t) {
    Tensor y = t[2].empty_like(shape);
    photometric(t[0], t[1], t[2], y);
    return Tensors{y};
  };
  return c;
}

Tensor real(int64_t N, int64_t H, int64_t W) { return uniform({N, H, W, 1}, 3, 0, 255); }
Tensor bytes(int64_t N, int64_t H, int64_t W) {
  return indices({N, H, W, 1}, 3, 0, 255).to(DType::u8);
}

const bool added = add_row(
    {"photometric",
     {change_case(bytes(1, 1, 1), 1, Change::none), change_case(real(2, 9, 13), 0, Change::none),
      change_case(bytes(3, 9, 13), 2, Change::brightness),
      change_case(bytes(3, 9, 13), 3, Change::contrast),
      change_case(bytes(2, 21, 33), 3, Change::noise),
      change_case(bytes(2, 21, 33), 3, Change::speckle),
      change_case(bytes(2, 21, 33), 3, Change::shade),
      change_case(real(2, 21, 33), 4, Change::motion),
      change_case(real(2, 16, 24), 7, Change::none, true),
      change_case(bytes(5, 40, 56), 3, Change::none, true)},
     Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
