#pragma once
// The canvas that a primitive of the synthetic shapes draws on. Inside of the generator alone:
// see training/synthetic_shapes.h.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "geometry/homography.h"
#include "runtime/random.h"
#include "training/raster.h"

namespace cairn::shapes {

inline constexpr int canvas_height = 960, canvas_width = 1280;
inline constexpr double min_side = canvas_height, max_side = canvas_width;

struct Canvas {
  Random& random;
  GrayImage image;
  int background = 0;         ///< integer mean of the image when the primitive starts
  std::vector<Point> points;  ///< labels, canvas pixels

  /// At least 30 away from the background (modulo 256).
  uint8_t colour() { return contrasting(background); }
  uint8_t contrasting(int with) {
    const int c = random.integer(0, 255);
    return uint8_t(std::abs(c - with) < 30 ? (c + 128) % 256 : c);
  }
  /// At least 50 away from each of `others`, if 20 draws suffice.
  uint8_t different_colour(const std::vector<int>& others) {
    int c = random.integer(0, 255);
    const auto near = [&](int other) { return std::abs(c - other) < 50; };
    for (int i = 0; i < 20 && std::any_of(others.begin(), others.end(), near); ++i)
      c = random.integer(0, 255);
    return uint8_t(c);
  }
  /// Integer x in [low, high - 1].
  int below(double low, double high) { return random.integer(int(low), int(high) - 1); }

  static bool inside(Point p) {
    return p.x >= 0 && p.x < canvas_width && p.y >= 0 && p.y < canvas_height;
  }
  void label_if_inside(Point p) {
    if (inside(p)) points.push_back(p);
  }
};

struct Segment {
  Point a, b;
};
/// Whether two segments cross (touching in an end point or lying on one line does not count).
inline bool cross(const Segment& s, const Segment& t) {
  const auto left = [](Point a, Point b, Point c) {
    return (c.y - a.y) * (b.x - a.x) > (b.y - a.y) * (c.x - a.x);
  };
  return left(s.a, t.a, t.b) != left(s.b, t.a, t.b) && left(s.a, s.b, t.a) != left(s.a, s.b, t.b);
}

inline Point truncated(Point p) { return {std::trunc(p.x), std::trunc(p.y)}; }
inline double distance(Point a, Point b) { return std::hypot(a.x - b.x, a.y - b.y); }

/// `count` points in the order of their direction, one per equal slice of the circle and uniform
/// within it; x and y each lie at `radius` times its own factor max(U, least) from the centre.
std::vector<Point> points_around(Canvas& canvas, Point centre, double radius, int count,
                                 double least);
/// A random centre at least `margin` from the border.
Point random_centre(Canvas& canvas, double margin);

/// The random affine map, then the random perspective map, of boards; corners move by up to
/// max_side (base + U extra), and half of it. Coordinates are truncated to integers.
class BoardWarp {
 public:
  BoardWarp(Random& random, double base, double extra);
  /// A point behind the horizon lands somewhere too: boards are drawn, and labelled, by the images
  /// of their corners.
  Point operator()(Point p) const;

 private:
  Matrix3 map_;
};

void draw_lines(Canvas&);
void draw_polygon(Canvas&);
void draw_multiple_polygons(Canvas&);
void draw_ellipses(Canvas&);
void draw_star(Canvas&);
void draw_checkerboard(Canvas&);
void draw_stripes(Canvas&);
void draw_cube(Canvas&);
void draw_gaussian_noise(Canvas&);

}  // namespace cairn::shapes
