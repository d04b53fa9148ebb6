#include "training/photometric.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/augment/normal_quantile.h"
#include "runtime/error.h"
#include "training/filters.h"

namespace cairn {
namespace {

// A Gaussian's filter of `side` taps.
struct Window {
  int32_t reach;
  double sigma;
};

// An even side has one more. The deviation is OpenCV's for the side.
Window shade_window(int side) {
  const int odd = side | 1;
  return {odd / 2, gaussian_sigma(odd)};
}

// Lengths along a diagonal are counted in its steps of sqrt(2) pixels.
Window motion_window(int side, bool diagonal) {
  return {side / 2, side / 4.0 / (diagonal ? std::sqrt(2.0) : 1)};
}

ShadeEllipse<float> random_ellipse(double height, double width, Random& random) {
  const double quarter = std::min(height, width) / 4;
  const auto semi_axis = [&] {
    return std::max(1.0, std::trunc(std::max(random.uniform() * quarter, quarter / 5)));
  };
  const double semi_x = semi_axis(), semi_y = semi_axis();
  const int reach = int(std::max(semi_x, semi_y));
  const int x = random.integer(reach, int(width) - reach - 1),
            y = random.integer(reach, int(height) - reach - 1);
  const double angle = random.uniform() * 1.5707963267948966;
  const double cosine = std::cos(angle), sine = std::sin(angle);
  const double u = 1 / (semi_x * semi_x), v = 1 / (semi_y * semi_y);
  return {float(x), float(y), float(cosine * cosine * u + sine * sine * v),
          float(2 * cosine * sine * (u - v)), float(sine * sine * u + cosine * cosine * v)};
}

}  // namespace

Photometric Photometric::photos() {
  Photometric p;
  p.brightness = 50;
  p.contrast_high = 1.5;
  p.noise = 10;
  p.shade_high = 0.5;
  p.shade_side_low = 100;
  p.shade_side_high = 149;
  p.motion_side = 3;
  return p;
}

Photometric Photometric::photo_pairs() {
  Photometric p = photos();
  p.contrast_low = 0.5;
  return p;
}

PhotometricDraw random_changes(const Photometric& range, int64_t height, int64_t width,
                               Random& random) {
  const int shorter = int(std::min(height, width)),
            longest = std::max(range.shade_side_high, range.motion_side) | 1;
  if (longest / 2 >= shorter || longest / 2 > photometric_reach)
    throw Error("photometric changes",
                text("a blur of side ", longest, " for ", height, "x", width),
                text("an odd side below twice the shorter one of the image, at most ",
                     2 * photometric_reach + 1),
                "use larger images, or leave the photometric changes out");
  PhotometricDraw d;
  PhotometricPlan& p = d.plan;
  for (int i = 0; i < photometric_changes; ++i) p.order[i] = PhotometricChange(i);
  for (int i = photometric_changes - 1; i > 0; --i)
    std::swap(p.order[i], p.order[random.integer(0, i)]);
  for (int32_t& word : p.key) word = int32_t(random.bits());

  PhotometricAmounts<float>& a = d.amounts;
  a.brightness = float(random.uniform(-range.brightness, range.brightness));
  a.contrast = float(random.uniform(range.contrast_low, range.contrast_high));
  a.noise = float(random.uniform(0, range.noise));
  a.speckle = float(random.uniform(0, range.speckle));
  a.shade = float(random.uniform(range.shade_low, range.shade_high));
  const Window shade = shade_window(random.integer(range.shade_side_low, range.shade_side_high));
  p.shade_reach = shade.reach;
  a.shade_sigma = float(shade.sigma);
  for (auto& e : a.ellipses) e = random_ellipse(double(height), double(width), random);

  constexpr int32_t directions[4][2] = {{1, 0}, {0, 1}, {1, 1}, {1, -1}};
  const auto& [dx, dy] = directions[random.integer(0, 3)];
  const Window motion =
      motion_window(2 * random.integer(0, (range.motion_side - 1) / 2) + 1, dx != 0 && dy != 0);
  p.motion_x = dx;
  p.motion_y = dy;
  p.motion_reach = motion.reach;
  a.motion_sigma = float(motion.sigma);
  return d;
}

Tensor augmented(const Tensor& image, const PhotometricDraw& draw) {
  if ((image.dtype() != DType::f32 && image.dtype() != DType::u8) || image.rank() != 3 ||
      image.dim(2) != 1)
    throw Error("augmented", text("an image ", image),
                "u8 or f32 [height, width, 1], values in 0..255", "convert the image first");
  const Shape one{1, image.dim(0), image.dim(1), 1};
  Tensor plan = Tensor::empty({1, photometric_integers}, DType::i32),
         amounts = Tensor::empty({1, photometric_reals}), changed = Tensor::empty(one);
  std::memcpy(plan.raw(), &draw.plan, plan.bytes());
  std::memcpy(amounts.raw(), &draw.amounts, amounts.bytes());
  photometric(image.reshape(one), plan, amounts, changed);
  return changed.reshape(image.shape());
}

void add_noise(Tensor& image, double standard_deviation, Random& random) {
  const auto& quantiles = normal_quantiles<float>();
  const float sd = float(standard_deviation);
  float* v = image.data<float>();
  int64_t i = 0;
  for (; i + 1 < image.count(); i += 2) {
    const uint32_t bits = random.bits();
    v[i] += sd * quantiles[bits & 4095];
    v[i + 1] += sd * quantiles[bits >> 20];
  }
  if (i < image.count()) v[i] += sd * quantiles[random.bits() & 4095];
}

}  // namespace cairn
