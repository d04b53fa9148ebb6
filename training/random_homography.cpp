#include "training/random_homography.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace cairn {

HomographyRange HomographyRange::magicpoint() {
  HomographyRange r;
  r.patch_ratio = 0.8;
  r.overflow = 0.05;
  r.erosion_margin = 2;
  return r;
}

HomographyRange HomographyRange::homographic_pair() { return {}; }

HomographyRange HomographyRange::homographic_adaptation() {
  HomographyRange r;
  r.max_angle = 3.14159265358979323846;
  return r;
}

HomographyRange HomographyRange::pair_benchmark() {
  HomographyRange r;
  r.scale = 0.1;
  r.perspective = 0.05;
  r.patch_ratio = 0.8;
  r.max_angle = 3.14;
  r.allow_artefacts = false;
  return r;
}

UnitQuad UnitQuad::centred_square(double side) {
  const double a = (1 - side) / 2, b = a + side;
  return {{{{a, a}, {a, b}, {b, b}, {b, a}}}};
}

void UnitQuad::deform(double left, double right, double vertical) {
  corners[0] = corners[0] + Point{left, vertical};
  corners[1] = corners[1] + Point{left, -vertical};
  corners[2] = corners[2] + Point{right, vertical};
  corners[3] = corners[3] + Point{right, -vertical};
}

namespace {

Point centroid(const UnitQuad& q) {
  Point c;
  for (Point p : q.corners) c = c + 0.25 * p;
  return c;
}

}  // namespace

void UnitQuad::scale(double s) {
  const Point c = centroid(*this);
  for (Point& p : corners) p = c + s * (p - c);
}

void UnitQuad::move(double dx, double dy) {
  for (Point& p : corners) p = p + Point{dx, dy};
}

void UnitQuad::turn(double angle) {
  const Point c = centroid(*this);
  const double cosine = std::cos(angle), sine = std::sin(angle);
  for (Point& p : corners) {
    const Point d = p - c;
    p = c + Point{d.x * cosine + d.y * sine, -d.x * sine + d.y * cosine};
  }
}

bool UnitQuad::inside() const {
  return std::all_of(corners.begin(), corners.end(),
                     [](Point p) { return p.x >= 0 && p.x <= 1 && p.y >= 0 && p.y <= 1; });
}

Matrix3 homography_between(const UnitQuad& from, const UnitQuad& to, int height, int width) {
  std::array<Point, 4> a, b;
  for (int i = 0; i < 4; ++i) {
    a[i] = {from.corners[i].x * width, from.corners[i].y * height};
    b[i] = {to.corners[i].x * width, to.corners[i].y * height};
  }
  return homography_from_4_points(a, b);
}

namespace {

// Applies one of the candidates that keep the quad inside, drawn uniformly; `fallback` is one of
// them when artefacts are not allowed.
template <class Change>
void apply_one(UnitQuad& quad, std::vector<double> candidates, double fallback,
               bool allow_artefacts, Random& random, Change change) {
  if (!allow_artefacts) {
    std::erase_if(candidates, [&](double c) {
      UnitQuad tried = quad;
      change(tried, c);
      return !tried.inside();
    });
    candidates.push_back(fallback);
  }
  change(quad, candidates[random.integer(0, int(candidates.size()) - 1)]);
}

}  // namespace

Matrix3 random_homography(const HomographyRange& range, int height, int width, Random& random) {
  const double margin = (1 - range.patch_ratio) / 2;
  const UnitQuad square = UnitQuad::centred_square(range.patch_ratio);
  UnitQuad quad = square;

  const double sd =
      (range.allow_artefacts ? range.perspective : std::min(range.perspective, margin)) / 2;
  const double vertical = random.truncated_normal(0, sd);
  const double left = random.truncated_normal(0, sd);
  const double right = random.truncated_normal(0, sd);
  quad.deform(left, right, vertical);

  std::vector<double> scales(5);
  for (double& s : scales) s = random.truncated_normal(1, range.scale / 2);
  apply_one(quad, scales, 1, range.allow_artefacts, random,
            [](UnitQuad& q, double s) { q.scale(s); });

  Point low{1, 1}, high{0, 0};
  for (Point p : quad.corners) {
    low = {std::min(low.x, p.x), std::min(low.y, p.y)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y)};
  }
  const double o = range.allow_artefacts ? range.overflow : 0;
  const double dx = random.uniform(-low.x - o, 1 - high.x + o);
  const double dy = random.uniform(-low.y - o, 1 - high.y + o);
  quad.move(dx, dy);

  std::vector<double> angles(25);
  for (int i = 0; i < 25; ++i) angles[i] = range.max_angle * (i / 12.0 - 1);
  apply_one(quad, angles, 0, range.allow_artefacts, random,
            [](UnitQuad& q, double a) { q.turn(a); });

  return homography_between(range.zoom_patch ? UnitQuad::centred_square(1) : square, quad, height,
                            width);
}

}  // namespace cairn
