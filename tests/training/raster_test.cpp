#include "training/raster.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/random.h"

namespace cairn {
namespace {

constexpr int height = 60, width = 80;

// Compares each pixel with inside(x, y), positive inside the shape; a pixel whose centre is on the
// border up to rounding may be either.
template <class Inside>
void expect_drawn(const GrayImage& image, Inside inside) {
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const double margin = inside(double(x), double(y));
      if (std::abs(margin) < 1e-9) continue;
      ASSERT_EQ(image.row(y)[x] == 255, margin > 0) << "at " << x << ", " << y;
    }
}

TEST(Raster, ALineIsEveryPixelWithinHalfItsThickness) {
  Random r(1);
  for (int i = 0; i < 50; ++i) {
    const Point a{r.uniform(-20, 100), r.uniform(-20, 80)},
        b{r.uniform(-20, 100), r.uniform(-20, 80)};
    const double thickness = r.uniform(0.5, 20);
    GrayImage image(height, width);
    draw_line(image, a, b, thickness, 255);
    expect_drawn(image, [&](double x, double y) {
      const Point d = b - a;
      const double t = ((x - a.x) * d.x + (y - a.y) * d.y) / (d.x * d.x + d.y * d.y);
      const Point nearest = a + std::clamp(t, 0.0, 1.0) * d;
      return thickness / 2 - std::hypot(x - nearest.x, y - nearest.y);
    });
  }
}

TEST(Raster, APolygonIsEveryPixelAnOddNumberOfEdgesAway) {
  Random r(2);
  for (int i = 0; i < 50; ++i) {
    std::vector<Point> v(size_t(r.integer(3, 7)));  // may cross itself
    for (Point& p : v) p = {r.uniform(-20, 100), r.uniform(-20, 80)};
    GrayImage image(height, width);
    fill_polygon(image, v, 255);
    expect_drawn(image, [&](double x, double y) {
      int edges = 0;
      for (size_t k = 0; k < v.size(); ++k) {
        const Point a = v[k], b = v[(k + 1) % v.size()];
        if ((a.y > y) != (b.y > y) && x < a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y)) ++edges;
      }
      return edges % 2 ? 1.0 : -1.0;
    });
  }
}

TEST(Raster, TheBorderOfAPolygonWithIntegerCornersBelongsToIt) {
  GrayImage image(height, width);
  const Point square[4] = {{10, 10}, {20, 10}, {20, 15}, {10, 15}};
  fill_polygon(image, square, 255);
  expect_drawn(image, [&](double x, double y) {
    return x >= 10 && x <= 20 && y >= 10 && y <= 15 ? 1.0 : -1.0;
  });
}

TEST(Raster, AnEllipseIsEveryPixelInsideItsCurve) {
  Random r(3);
  for (int i = 0; i < 50; ++i) {
    const Point c{r.uniform(-10, 90), r.uniform(-10, 70)};
    const double semi_x = r.uniform(1, 30), semi_y = r.uniform(1, 30), angle = r.uniform(0, 3);
    GrayImage image(height, width);
    fill_ellipse(image, c, semi_x, semi_y, angle, 255);
    expect_drawn(image, [&](double x, double y) {
      const double u = (x - c.x) * std::cos(angle) + (y - c.y) * std::sin(angle);
      const double v = -(x - c.x) * std::sin(angle) + (y - c.y) * std::cos(angle);
      return 1 - u * u / (semi_x * semi_x) - v * v / (semi_y * semi_y);
    });
  }
}

TEST(Raster, ShapesFarOutsideLeaveTheImageAlone) {
  GrayImage image(height, width);
  const Point far[3] = {{1e9, 1e9}, {2e9, 1e9}, {1e9, 3e9}};
  fill_polygon(image, far, 255);
  draw_line(image, far[0], far[1], 9, 255);
  fill_disc(image, {-1e6, 20}, 5, 255);
  EXPECT_EQ(image.mean(), 0);
}

}  // namespace
}  // namespace cairn
