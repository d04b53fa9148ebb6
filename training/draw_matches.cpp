#include "training/draw_matches.h"

#include <algorithm>
#include <cmath>

namespace cairn {
namespace {

constexpr Colour dark{24, 26, 32}, green{64, 226, 106}, red{255, 64, 48}, yellow{255, 212, 0};
constexpr int64_t gap = 8;

// The border of an image of this size through h, in short pieces: it may cross the horizon.
void draw_outline(Canvas& canvas, const Matrix3& h, double height, double width, double thickness) {
  const Point corners[5] = {{-0.5, -0.5},
                            {width - 0.5, -0.5},
                            {width - 0.5, height - 0.5},
                            {-0.5, height - 0.5},
                            {-0.5, -0.5}};
  constexpr int pieces = 64;
  for (int side = 0; side < 4; ++side)
    for (int k = 0; k < pieces; ++k) {
      const auto at = [&](int i) {
        const Point p = corners[side] + (double(i) / pieces) * (corners[side + 1] - corners[side]);
        return canvas.at(apply(h, p));
      };
      const Point p = at(k), q = at(k + 1);
      if (std::isfinite(p.x + p.y + q.x + q.y)) canvas.line(p, q, thickness, yellow);
    }
}

}  // namespace

Tensor draw_matches(const Tensor& a, const Tensor& b, std::span<const MatchLine> lines,
                    const std::optional<Matrix3>& homography) {
  const int64_t longest = std::max({int64_t{1}, a.dim(0), a.dim(1), b.dim(0), b.dim(1)});
  const int scale = int(std::clamp<int64_t>(960 / longest, 1, 4));
  const double thickness = 1.2 + double(longest * scale) / 1500;
  const Canvas left(a, scale);
  Canvas right(b, scale);
  if (homography)
    draw_outline(right, *homography, double(a.dim(0)), double(a.dim(1)), 1.5 * thickness);

  Canvas sheet(std::max(left.height(), right.height()), left.width() + gap + right.width(), dark);
  sheet.paste(left.image(), 0, 0);
  sheet.paste(right.image(), left.width() + gap, 0);
  const Point beside{double(left.width() + gap), 0};
  // Many lines must not hide the images: the more there are, the fainter.
  const double opacity = std::clamp(60.0 / double(lines.size() + 1), 0.2, 0.6);
  for (bool inlier : {false, true})
    for (const MatchLine& l : lines) {
      if (l.inlier != inlier) continue;
      const Point from = left.at(l.from), to = right.at(l.to) + beside;
      const Colour colour = inlier ? green : red;
      sheet.line(from, to, inlier ? thickness : 0.6 * thickness, colour, opacity);
      for (Point p : {from, to}) sheet.disc(p, (inlier ? 1.5 : 1) * thickness, colour);
    }
  return sheet.image();
}

}  // namespace cairn
