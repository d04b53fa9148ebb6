// Lines, stars, ellipses, noise.
#include "training/shapes/canvas.h"

namespace cairn::shapes {

namespace {
constexpr double pi = 3.14159265358979323846;
}

Point random_centre(Canvas& canvas, double margin) {
  const double x = canvas.below(margin, canvas_width - margin);
  const double y = canvas.below(margin, canvas_height - margin);
  return {x, y};
}

std::vector<Point> points_around(Canvas& canvas, Point centre, double radius, int count,
                                 double least) {
  std::vector<Point> points(count);
  for (int i = 0; i < count; ++i) {
    const double angle = (i + canvas.random.uniform()) * 2 * pi / count;
    const double fx = std::max(canvas.random.uniform(), least);
    const double fy = std::max(canvas.random.uniform(), least);
    points[i] = truncated(
        {centre.x + fx * radius * std::cos(angle), centre.y + fy * radius * std::sin(angle)});
  }
  return points;
}

void draw_lines(Canvas& canvas) {
  const int count = canvas.random.integer(1, 9);
  std::vector<Segment> drawn;
  for (int i = 0; i < count; ++i) {
    const Point a = random_centre(canvas, 0), b = random_centre(canvas, 0);
    const Segment segment{a, b};
    if (std::any_of(drawn.begin(), drawn.end(),
                    [&](const Segment& s) { return cross(segment, s); }))
      continue;
    drawn.push_back(segment);
    const int thickness = canvas.random.integer(9, 18);  // 1 % to 2 % of the shorter side
    draw_line(canvas.image, a, b, thickness, canvas.colour());
    canvas.points.push_back(a);
    canvas.points.push_back(b);
  }
}

void draw_star(Canvas& canvas) {
  const int branches = canvas.random.integer(3, 5);
  const int thickness = canvas.random.integer(9, 18);
  const double radius = std::max(canvas.random.uniform() * min_side / 2, min_side / 5);
  const Point centre = random_centre(canvas, radius);
  canvas.points.push_back(centre);
  for (Point tip : points_around(canvas, centre, radius, branches, 0.3)) {
    draw_line(canvas.image, centre, tip, thickness, canvas.colour());
    canvas.points.push_back(tip);
  }
}

// Ellipses have no corners: a negative class without labels.
void draw_ellipses(Canvas& canvas) {
  struct Circle {
    Point centre;
    double radius;
  };
  std::vector<Circle> drawn;
  for (int i = 0; i < 20; ++i) {
    const auto semi_axis = [&] {
      return std::trunc(std::max(canvas.random.uniform() * min_side / 4, min_side / 20));
    };
    const double semi_x = semi_axis(), semi_y = semi_axis(), radius = std::max(semi_x, semi_y);
    const Point centre = random_centre(canvas, radius);
    if (std::any_of(drawn.begin(), drawn.end(), [&](const Circle& c) {
          return radius > distance(centre, c.centre) - c.radius;
        }))
      continue;
    drawn.push_back({centre, radius});
    const double angle = canvas.random.uniform() * pi / 2;
    fill_ellipse(canvas.image, centre, semi_x, semi_y, angle, canvas.colour());
  }
}

void draw_gaussian_noise(Canvas& canvas) {
  std::vector<uint8_t>& pixels = canvas.image.pixels;  // a multiple of 4 of them
  for (size_t i = 0; i < pixels.size(); i += 4) {
    const uint32_t bits = canvas.random.bits();
    for (int k = 0; k < 4; ++k) pixels[i + k] = uint8_t(((bits >> (8 * k)) & 255) * 255 >> 8);
  }
}

}  // namespace cairn::shapes
