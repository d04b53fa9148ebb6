#include "geometry/magsac.h"

#include <algorithm>
#include <cmath>

namespace cairn {
namespace {

constexpr double sqrt_pi = 1.7724538509055160273;

// The upper incomplete gamma function at 3/2 and the lower one at 5/2, in closed form.
double upper_gamma_3_2(double x) {
  return 0.5 * sqrt_pi * std::erfc(std::sqrt(x)) + std::sqrt(x) * std::exp(-x);
}
double lower_gamma_5_2(double x) {
  const double root = std::sqrt(x);
  return 0.75 * sqrt_pi * std::erf(root) - std::exp(-x) * (x * root + 1.5 * root);
}

// x at the cut-off, and the gamma function there.
constexpr double x_limit = MagsacNoise::quantile * MagsacNoise::quantile / 2;
const double gamma_limit = upper_gamma_3_2(x_limit);

}  // namespace

// C(4) = 1/4 of the paper, times 2^((4 - 1) / 2) / sigma_max.
MagsacNoise::MagsacNoise(double sigma_max)
    : sigma_max_(sigma_max),
      scale_(0.25 * std::pow(2, 1.5) / sigma_max),
      loss_limit_(scale_ * sigma_max * sigma_max * lower_gamma_5_2(x_limit)) {}

double MagsacNoise::weight(double r2) const {
  const double x = r2 / (2 * sigma_max_ * sigma_max_);
  return x < x_limit ? scale_ * (upper_gamma_3_2(x) - gamma_limit) : 0;
}

double MagsacNoise::loss(double r2) const {
  const double s2 = sigma_max_ * sigma_max_, x = std::min(r2 / (2 * s2), x_limit);
  return scale_ * s2 * (lower_gamma_5_2(x) + x * (upper_gamma_3_2(x) - gamma_limit));
}

}  // namespace cairn
