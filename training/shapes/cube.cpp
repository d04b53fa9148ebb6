// A box seen in parallel projection, three faces visible.
#include "training/shapes/canvas.h"

namespace cairn::shapes {
namespace {

struct Vertex {
  double x, y, z;
};

// (a, b) -> (a cos - b sin, a sin + b cos)
void rotate(double& a, double& b, double angle) {
  const double cosine = std::cos(angle), sine = std::sin(angle), old = a;
  a = old * cosine - b * sine;
  b = old * sine + b * cosine;
}

}  // namespace

void draw_cube(Canvas& canvas) {
  Random& random = canvas.random;
  const auto side = [&] { return 0.2 * min_side + random.uniform() * 2 * min_side / 3; };
  const auto angle = [&] { return (0.1 + 0.3 * random.uniform()) * 3.14159265358979323846; };
  const auto squeeze = [&] { return 0.4 + 0.6 * random.uniform(); };
  const Vertex size{side(), side(), side()}, turn{angle(), angle(), angle()};
  const Vertex scale{squeeze(), squeeze(), squeeze()};
  const double x0 = canvas_width / 2 + random.integer(-canvas_width / 5, canvas_width / 5 - 1);
  const double y0 = canvas_height / 2 + random.integer(-canvas_height / 5, canvas_height / 5 - 1);

  Point vertices[8];  // bit 0 of the index: far end along x; bit 1: y; bit 2: z
  for (int i = 0; i < 8; ++i) {
    Vertex v{i & 1 ? size.x : 0, i & 2 ? size.y : 0, i & 4 ? size.z : 0};
    rotate(v.x, v.z, turn.z);  // about y, then x, then z
    rotate(v.y, v.z, turn.y);
    rotate(v.x, v.y, turn.x);
    vertices[i] = truncated({x0 + scale.x * v.x, y0 + scale.y * v.y});
  }

  const int faces[3][4] = {{7, 3, 1, 5}, {7, 5, 4, 6}, {7, 6, 2, 3}};
  const uint8_t colour = canvas.colour();
  for (const auto& f : faces) {
    const Point quad[4] = {vertices[f[0]], vertices[f[1]], vertices[f[2]], vertices[f[3]]};
    fill_polygon(canvas.image, quad, colour);
  }
  const int thickness = random.integer(2, 13);
  for (const auto& f : faces)
    for (int j = 0; j < 4; ++j) {
      const int edge = (colour + 128 + random.integer(-64, 63)) % 256;
      draw_line(canvas.image, vertices[f[j]], vertices[f[(j + 1) % 4]], thickness, uint8_t(edge));
    }
  for (int i = 1; i < 8; ++i) canvas.label_if_inside(vertices[i]);  // vertex 0 is hidden
}

}  // namespace cairn::shapes
