#include "geometry/seen_rows.h"

#include <algorithm>
#include <cmath>

namespace cairn {
namespace {

class Outline {
 public:
  Outline(const Matrix3& h, int64_t height, int64_t width)
      : m_(h.m), height_(double(height)), width_(double(width)), columns_(width) {}

  RowSpan row(int64_t y) const {
    double low = 0, high = double(columns_ - 1);
    // Each border of the input is a line of the output: a x + b y + c >= 0 on the side that shows
    // it. With (X, Y, w) = H (x, y, 1) they are X + w/2, (W - 1/2) w - X, the same for Y, and w.
    const double sides[5][2] = {
        {1, 0.5}, {-1, width_ - 0.5}, {1, 0.5}, {-1, height_ - 0.5}, {0, 1}};
    for (int k = 0; k < 5; ++k) {
      const int axis = k < 2 ? 0 : 3;
      const auto side = [&](int i) { return sides[k][0] * m_[axis + i] + sides[k][1] * m_[6 + i]; };
      const double slope = side(0), rest = side(1) * double(y) + side(2);
      if (slope > 0) low = std::max(low, -rest / slope);
      if (slope < 0) high = std::min(high, -rest / slope);
      if (slope == 0 && rest < 0) return {};
    }
    if (!(low <= high + 2)) return {};  // two pixels: more than these divisions lose
    int64_t first = std::max<int64_t>(0, int64_t(low) - 1);
    int64_t last = std::min(columns_ - 1, int64_t(high) + 1);
    while (first <= last && !seen(first, y)) ++first;
    while (last >= first && !seen(last, y)) --last;
    if (first > last) return {};
    return {int32_t(first), int32_t(last + 1)};
  }

 private:
  bool seen(int64_t column, int64_t row) const {
    const double c = double(column), r = double(row);
    const double w = m_[6] * c + m_[7] * r + m_[8];
    if (!(w >= 1e-6)) return false;
    const double x = (m_[0] * c + m_[1] * r + m_[2]) * (1 / w);
    const double y = (m_[3] * c + m_[4] * r + m_[5]) * (1 / w);
    return x >= -0.5 && x < width_ - 0.5 && y >= -0.5 && y < height_ - 0.5;
  }

  const std::array<double, 9> m_;
  const double height_, width_;
  const int64_t columns_;
};

}  // namespace

int64_t element_reach(int margin, int dy) {
  return std::lround(std::sqrt(double(margin * margin - dy * dy)));
}

std::vector<RowSpan> seen_rows(const Matrix3& output_to_input, int64_t height, int64_t width,
                               int margin) {
  const Outline outline(output_to_input, height, width);
  std::vector<RowSpan> rows(static_cast<size_t>(height));
  for (int64_t y = 0; y < height; ++y) rows[size_t(y)] = outline.row(y);
  std::vector<RowSpan> eroded = rows;
  for (int64_t y = 0; y < height; ++y) {
    RowSpan& s = eroded[size_t(y)];
    for (int dy = -margin; dy < margin; ++dy) {
      if (y + dy < 0 || y + dy >= height) continue;
      const RowSpan other = rows[size_t(y + dy)];
      const int64_t reach = element_reach(margin, dy);
      const int64_t left = other.begin == 0 ? 0 : other.begin + reach;
      const int64_t right =
          other.end == width ? width : other.end - std::min<int64_t>(reach, margin - 1);
      s.begin = std::max(s.begin, int32_t(left));
      s.end = std::min(s.end, int32_t(right));
      if (other.begin == other.end) s.end = 0;
    }
    if (s.begin >= s.end) s = {};
  }
  return eroded;
}

}  // namespace cairn
