#pragma once
// The noise model of MAGSAC++ (Barath, Noskova, Ivashechkin and Matas, CVPR 2020): the standard
// deviation of the noise is not known but uniform in (0, sigma_max], and marginalised.

namespace cairn {

/// Residuals r of a homography, as a function of r^2. A correct match with noise sigma has r /
/// sigma distributed as chi with 4 degrees of freedom; beyond its 0.99 quantile k = 3.64 it is
/// none.
class MagsacNoise {
 public:
  static constexpr double quantile = 3.64;

  explicit MagsacNoise(double sigma_max);  ///< in pixels

  /// The residual from which on a match says nothing: k sigma_max.
  double cut_off() const { return quantile * sigma_max_; }
  /// w(r): what a match weighs in a fit, 0 from the cut-off on.
  double weight(double r2) const;
  /// rho(r) = integral of r w(r): rises from 0 to loss_limit(), which it has from the cut-off on.
  double loss(double r2) const;
  double loss_limit() const { return loss_limit_; }
  /// 1 - rho / rho_max: what a match adds to a model's quality, in 0..1.
  double quality(double r2) const { return 1 - loss(r2) / loss_limit_; }

 private:
  double sigma_max_, scale_, loss_limit_;
};

}  // namespace cairn
