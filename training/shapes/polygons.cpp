// One plain polygon, or several with textures.
#include "training/filters.h"
#include "training/shapes/canvas.h"

namespace cairn::shapes {
namespace {

struct Polygon {
  Point centre;
  double radius;
  std::vector<Point> vertices;
};

double interior_angle(Point before, Point at, Point after) {
  const Point u = before - at, v = after - at;
  const double cosine = (u.x * v.x + u.y * v.y) / (std::hypot(u.x, u.y) * std::hypot(v.x, v.y));
  return std::acos(std::clamp(cosine, -1.0, 1.0));
}

// Keeps the vertices for which keep(previous, vertex, next) holds.
template <class Keep>
void filter(std::vector<Point>& vertices, Keep keep) {
  const size_t n = vertices.size();
  std::vector<Point> kept;
  for (size_t i = 0; i < n; ++i)
    if (keep(vertices[(i + n - 1) % n], vertices[i], vertices[(i + 1) % n]))
      kept.push_back(vertices[i]);
  vertices = std::move(kept);
}

// May have fewer than three vertices: coinciding and flat (120 degrees or more) ones are dropped.
Polygon random_polygon(Canvas& canvas) {
  const int corners = canvas.random.integer(3, 7);
  Polygon p;
  p.radius = std::max(canvas.random.uniform() * min_side / 2, min_side / 10);
  p.centre = random_centre(canvas, p.radius);
  p.vertices = points_around(canvas, p.centre, p.radius, corners, 0.4);
  filter(p.vertices, [](Point a, Point b, Point) { return distance(a, b) > 0.01; });
  filter(p.vertices, [](Point a, Point b, Point c) {
    return interior_angle(a, b, c) < 2 * 3.14159265358979323846 / 3;
  });
  return p;
}

bool overlap(const Polygon& p, const Polygon& q) {
  if (distance(p.centre, q.centre) + std::min(p.radius, q.radius) < std::max(p.radius, q.radius))
    return true;  // nested
  const auto edge = [](const Polygon& polygon, size_t i) {
    return Segment{polygon.vertices[i], polygon.vertices[(i + 1) % polygon.vertices.size()]};
  };
  for (size_t i = 0; i < p.vertices.size(); ++i)
    for (size_t j = 0; j < q.vertices.size(); ++j)
      if (cross(edge(p, i), edge(q, j))) return true;
  return false;
}

// A constant with 3000 small discs over the whole canvas, box-blurred; only the part that the
// polygon and the blur's window need is painted, with the same random numbers as the whole.
void fill_with_texture(Canvas& canvas, const Polygon& polygon) {
  const uint8_t ground = canvas.colour();
  const int side = canvas.random.integer(50, 99);
  Point low{canvas_width, canvas_height}, high{0, 0};
  for (Point v : polygon.vertices) {
    low = {std::min(low.x, v.x), std::min(low.y, v.y)};
    high = {std::max(high.x, v.x), std::max(high.y, v.y)};
  }
  const int left = std::max(0, int(low.x) - side), top = std::max(0, int(low.y) - side);
  const int right = std::min(canvas_width, int(high.x) + side + 1);
  const int bottom = std::min(canvas_height, int(high.y) + side + 1);

  GrayImage part(bottom - top, right - left, ground);
  for (int i = 0; i < 3000; ++i) {
    const Point centre = random_centre(canvas, 0) - Point{double(left), double(top)};
    const int radius = canvas.random.integer(0, 19);
    const uint8_t colour = canvas.colour();
    if (centre.x >= -radius && centre.x < part.width + radius)
      fill_disc(part, centre, radius, colour);
  }
  const GrayImage texture = box_blur(part, side);
  polygon_spans(canvas_height, canvas_width, polygon.vertices, [&](int y, int first, int last) {
    std::copy_n(texture.row(y - top) + first - left, last - first + 1, canvas.image.row(y) + first);
  });
}

}  // namespace

void draw_polygon(Canvas& canvas) {
  Polygon polygon;
  do polygon = random_polygon(canvas);
  while (polygon.vertices.size() < 3);
  fill_polygon(canvas.image, polygon.vertices, canvas.colour());
  canvas.points = polygon.vertices;
}

void draw_multiple_polygons(Canvas& canvas) {
  std::vector<Polygon> drawn;
  for (int i = 0; i < 30; ++i) {
    Polygon polygon = random_polygon(canvas);
    if (polygon.vertices.size() < 3 ||
        std::any_of(drawn.begin(), drawn.end(),
                    [&](const Polygon& other) { return overlap(polygon, other); }))
      continue;
    fill_with_texture(canvas, polygon);
    canvas.points.insert(canvas.points.end(), polygon.vertices.begin(), polygon.vertices.end());
    drawn.push_back(std::move(polygon));
  }
}

}  // namespace cairn::shapes
