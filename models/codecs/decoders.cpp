#include "models/codecs/decoders.h"

#include <algorithm>
#include <cmath>

namespace cairn {
namespace {

struct Offset {
  double x, y;
};

// A map about its largest cell (x, y).
struct Around {
  const float* map;
  int64_t height, width, x, y;

  double operator()(int64_t dx, int64_t dy) const { return map[(y + dy) * width + x + dx]; }
  // How far one may go from the largest cell in both directions of an axis.
  int64_t reach_x() const { return std::min(x, width - 1 - x); }
  int64_t reach_y() const { return std::min(y, height - 1 - y); }
};

Offset quarter_offset(const Around& a) {
  const auto towards = [](double before, double after) {
    return after > before ? 0.25 : after < before ? -0.25 : 0.0;
  };
  return {a.reach_x() > 0 ? towards(a(-1, 0), a(1, 0)) : 0,
          a.reach_y() > 0 ? towards(a(0, -1), a(0, 1)) : 0};
}

std::vector<double> blur_weights(int64_t radius, double sigma) {
  std::vector<double> w;
  for (int64_t t = -radius; t <= radius; ++t)
    w.push_back(std::exp(-0.5 * double(t * t) / (sigma * sigma)));
  return w;
}

// The logarithms of the 5 x 5 blurred cells about the largest one. The parabola does not feel their
// scale, so the blur is not normalised.
struct LogCells {
  double p[5][5];

  LogCells(const Around& a, double sigma) {
    const int64_t reach = int64_t(std::ceil(2.5 * sigma));
    const auto wx = blur_weights(std::min(reach, a.reach_x() - 2), sigma);
    const auto wy = blur_weights(std::min(reach, a.reach_y() - 2), sigma);
    const int64_t rx = int64_t(wx.size()) / 2, ry = int64_t(wy.size()) / 2;
    double blurred[5][5] = {};
    for (int64_t dy = -2 - ry; dy <= 2 + ry; ++dy)
      for (int64_t dx = -2; dx <= 2; ++dx) {
        double sum = 0;
        for (int64_t t = -rx; t <= rx; ++t) sum += wx[t + rx] * a(dx + t, dy);
        for (int64_t row = std::max<int64_t>(-2, dy - ry); row <= std::min<int64_t>(2, dy + ry);
             ++row)
          blurred[row + 2][dx + 2] += wy[dy - row + ry] * sum;
      }
    for (int r = 0; r < 5; ++r)
      for (int q = 0; q < 5; ++q) p[r][q] = std::log(std::max(blurred[r][q], 1e-10));
  }
  double operator()(int dx, int dy) const { return p[dy + 2][dx + 2]; }
};

Offset dark_offset(const Around& a, double sigma) {
  if (a.reach_x() < 2 || a.reach_y() < 2) return quarter_offset(a);
  const LogCells P(a, sigma);
  const double gx = (P(1, 0) - P(-1, 0)) / 2, gy = (P(0, 1) - P(0, -1)) / 2;
  const double hxx = (P(2, 0) - 2 * P(0, 0) + P(-2, 0)) / 4;
  const double hyy = (P(0, 2) - 2 * P(0, 0) + P(0, -2)) / 4;
  const double hxy = (P(1, 1) - P(-1, 1) - P(1, -1) + P(-1, -1)) / 4;
  const double determinant = hxx * hyy - hxy * hxy;
  if (!(determinant > 0) || !(hxx < 0)) return quarter_offset(a);
  const Offset step{(hxy * gy - hyy * gx) / determinant, (hxy * gx - hxx * gy) / determinant};
  return std::abs(step.x) <= 1 && std::abs(step.y) <= 1 ? step : quarter_offset(a);
}

Offset soft_argmax_offset(const Around& a) {
  const int64_t rx = std::min<int64_t>(3, a.reach_x()), ry = std::min<int64_t>(3, a.reach_y());
  double sum = 0, sum_x = 0, sum_y = 0;
  for (int64_t dy = -ry; dy <= ry; ++dy)
    for (int64_t dx = -rx; dx <= rx; ++dx) {
      const double weight = std::max(0.0, a(dx, dy));
      sum += weight;
      sum_x += weight * double(dx);
      sum_y += weight * double(dy);
    }
  return sum > 0 ? Offset{sum_x / sum, sum_y / sum} : Offset{0, 0};
}

}  // namespace

const std::vector<std::string>& decoder_names() {
  static const std::vector<std::string> names = {"dark", "quarter", "argmax", "soft_argmax"};
  return names;
}

Peak find_peak(const float* map, int64_t height, int64_t width, Decoder decoder, double sigma) {
  const int64_t best = std::max_element(map, map + height * width) - map;
  const Around a{map, height, width, best % width, best / width};
  Offset offset{0, 0};
  if (decoder == Decoder::quarter) offset = quarter_offset(a);
  if (decoder == Decoder::dark) offset = dark_offset(a, sigma);
  if (decoder == Decoder::soft_argmax) offset = soft_argmax_offset(a);
  return {double(a.x) + offset.x, double(a.y) + offset.y, map[best]};
}

}  // namespace cairn
