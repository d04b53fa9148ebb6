#include "training/raster.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace cairn {
namespace {

// A run of real coordinates on one row; empty while low > high.
struct Run {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  void include(double a, double b) {
    low = std::min(low, a);
    high = std::max(high, b);
  }
};

// Integers in [low, high] and in 0..size-1; empty (first > last) where there are none.
struct Range {
  int first, last;
  Range(double low, double high, int size)
      : first(int(std::ceil(std::clamp(low, 0.0, double(size))))),
        last(int(std::floor(std::clamp(high, -1.0, size - 1.0)))) {}
};

void fill_run(GrayImage& image, int y, const Run& run, uint8_t colour) {
  const Range x(run.low, run.high, image.width);
  if (x.first <= x.last) std::memset(image.row(y) + x.first, colour, size_t(x.last - x.first + 1));
}

void include_disc(Run& run, Point centre, double radius, int y) {
  const double dy = y - centre.y, square = radius * radius - dy * dy;
  if (square < 0) return;
  const double half = std::sqrt(square);
  run.include(centre.x - half, centre.x + half);
}

// Where the edge a-b meets row y, for a convex outline.
void include_edge(Run& run, Point a, Point b, int y) {
  if (a.y > b.y) std::swap(a, b);
  if (y < a.y || y > b.y) return;
  if (a.y == b.y) {
    run.include(std::min(a.x, b.x), std::max(a.x, b.x));
    return;
  }
  const double x = a.x + (b.x - a.x) * ((y - a.y) / (b.y - a.y));
  run.include(x, x);
}

}  // namespace

double GrayImage::mean() const {
  uint64_t sum = 0;
  for (int y = 0; y < height; ++y) {
    uint32_t in_row = 0;
    for (int x = 0; x < width; ++x) in_row += row(y)[x];
    sum += in_row;
  }
  return pixels.empty() ? 0 : double(sum) / double(pixels.size());
}

void polygon_spans(int height, int width, std::span<const Point> vertices,
                   const SpanPainter& paint) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (Point p : vertices) {
    low = std::min(low, p.y);
    high = std::max(high, p.y);
  }
  const Range rows(low, high, height);
  std::vector<double> crossings;
  const auto paint_run = [&](int y, double left, double right) {
    const Range x(left, right, width);
    if (x.first <= x.last) paint(y, x.first, x.last);
  };
  for (int y = rows.first; y <= rows.last; ++y) {
    crossings.clear();
    for (size_t i = 0; i < vertices.size(); ++i) {
      Point a = vertices[i], b = vertices[(i + 1) % vertices.size()];
      if (a.y > b.y) std::swap(a, b);
      if (a.y == b.y) {  // a level edge closes no area, but is border
        if (a.y == y) paint_run(y, std::min(a.x, b.x), std::max(a.x, b.x));
      } else if (y >= a.y && y < b.y) {  // half open: a vertex between two edges counts once
        crossings.push_back(a.x + (b.x - a.x) * ((y - a.y) / (b.y - a.y)));
      } else if (y == b.y) {  // the lower end is border too
        paint_run(y, b.x, b.x);
      }
    }
    std::sort(crossings.begin(), crossings.end());
    for (size_t i = 0; i + 1 < crossings.size(); i += 2)
      paint_run(y, crossings[i], crossings[i + 1]);
  }
}

void fill_polygon(GrayImage& image, std::span<const Point> vertices, uint8_t colour) {
  polygon_spans(image.height, image.width, vertices, [&](int y, int first, int last) {
    std::memset(image.row(y) + first, colour, size_t(last - first + 1));
  });
}

void draw_line(GrayImage& image, Point a, Point b, double thickness, uint8_t colour) {
  const double radius = thickness / 2, length = std::hypot(b.x - a.x, b.y - a.y);
  const Point normal =
      length > 0 ? (radius / length) * Point{a.y - b.y, b.x - a.x} : Point{0, radius};
  const Point corners[4] = {a + normal, b + normal, b - normal, a - normal};
  const Range rows(std::min(a.y, b.y) - radius, std::max(a.y, b.y) + radius, image.height);
  for (int y = rows.first; y <= rows.last; ++y) {
    Run run;  // the shape is convex: one run per row
    include_disc(run, a, radius, y);
    include_disc(run, b, radius, y);
    for (int i = 0; i < 4; ++i) include_edge(run, corners[i], corners[(i + 1) % 4], y);
    fill_run(image, y, run, colour);
  }
}

void fill_disc(GrayImage& image, Point centre, double radius, uint8_t colour) {
  const Range rows(centre.y - radius, centre.y + radius, image.height);
  for (int y = rows.first; y <= rows.last; ++y) {
    Run run;
    include_disc(run, centre, radius, y);
    fill_run(image, y, run, colour);
  }
}

void fill_ellipse(GrayImage& image, Point centre, double semi_x, double semi_y, double angle,
                  uint8_t colour) {
  // a x^2 + 2 b x y + c y^2 <= 1 around the centre.
  const double cosine = std::cos(angle), sine = std::sin(angle);
  const double u = 1 / (semi_x * semi_x), v = 1 / (semi_y * semi_y);
  const double a = cosine * cosine * u + sine * sine * v, b = cosine * sine * (u - v),
               c = sine * sine * u + cosine * cosine * v;
  const double reach = std::sqrt(a / (a * c - b * b));
  const Range rows(centre.y - reach, centre.y + reach, image.height);
  for (int y = rows.first; y <= rows.last; ++y) {
    const double dy = y - centre.y, square = a - (a * c - b * b) * dy * dy;
    if (square < 0) continue;
    const double middle = centre.x - b * dy / a, half = std::sqrt(square) / a;
    fill_run(image, y, {middle - half, middle + half}, colour);
  }
}

}  // namespace cairn
