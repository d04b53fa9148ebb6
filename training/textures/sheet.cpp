#include "training/textures/sheet.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace cairn::textures {
namespace {

constexpr double pi = 3.14159265358979323846;

uint8_t grey(float v) { return uint8_t(std::clamp(v, 0.f, 255.f)); }

}  // namespace

Sheet::Sheet(int height, int width, Random& r)
    : random(r),
      image(height, width),
      dark_(r.uniform(0, 90)),
      bright_(r.uniform(150, 255)),
      grain_(size_t(tile_) * tile_) {
  const std::vector<float> noise = fractal_noise(tile_, tile_, r.uniform(0.6, 1.3), r);
  for (size_t i = 0; i < noise.size(); ++i)
    grain_[i] = int8_t(std::lround(std::clamp(32 * noise[i], -127.f, 127.f)));
}

float Sheet::level_apart(float other) {
  const double range = bright_ - dark_, apart = range / 4;
  // One of the two parts of the range that are far enough, by their lengths.
  const double below = std::max(0.0, other - apart - dark_),
               above = std::max(0.0, bright_ - other - apart);
  const double at = random.uniform(0, below + above);
  return float(at < below ? dark_ + at : other + apart + (at - below));
}

Fill Sheet::fill(float level, Point centre, double size) {
  Fill f;
  f.level = level;
  f.anchor = centre;
  const double kind = random.uniform();
  if (kind < 0.2) return f;
  if (kind < 0.6) {
    const double change = random.uniform(0.1, 0.5) * (bright_ - dark_) / std::max(size, 4.0);
    const double angle = random_angle(random);
    f.slope_x = float(change * std::cos(angle));
    f.slope_y = float(change * std::sin(angle));
  }
  if (kind > 0.4) {
    f.grain = float(random.uniform(0.02, 0.25) * (bright_ - dark_));
    const double angle = random_angle(random), along = log_uniform(random, 0.25, 1.5),
                 across = log_uniform(random, 0.5, 1.5), unit = double(1 << 24);
    const auto fixed = [](double v) { return uint32_t(int64_t(v)); };
    f.u = random.bits();
    f.v = random.bits();
    f.u_x = fixed(unit * along * std::cos(angle));
    f.u_y = fixed(unit * along * std::sin(angle));
    f.v_x = fixed(-unit * across * std::sin(angle));
    f.v_y = fixed(unit * across * std::cos(angle));
  }
  return f;
}

void Sheet::polygon(std::span<const Point> vertices, const Fill& f) {
  polygon_spans(image.height, image.width, vertices, [&](int y, int first, int last) {
    uint8_t* row = image.row(y);
    const bool flat = f.slope_x == 0 && f.slope_y == 0 && f.grain == 0;
    if (flat) {
      std::memset(row + first, grey(f.level), size_t(last - first + 1));
      return;
    }
    const float start = f.level + f.slope_y * float(y - f.anchor.y) - f.slope_x * float(f.anchor.x);
    uint32_t u = f.u + f.u_y * uint32_t(y) + f.u_x * uint32_t(first);
    uint32_t v = f.v + f.v_y * uint32_t(y) + f.v_x * uint32_t(first);
    const float grain = f.grain / 32;
    for (int x = first; x <= last; ++x) {
      row[x] =
          grey(start + f.slope_x * float(x) + grain * float(grain_[(u >> 24) * tile_ + (v >> 24)]));
      u += f.u_x;
      v += f.v_x;
    }
  });
}

void Sheet::part(const Matrix3& map, double left, double top, double right, double bottom,
                 const Fill& f) {
  const Point corners[4] = {apply(map, {left, top}), apply(map, {right, top}),
                            apply(map, {right, bottom}), apply(map, {left, bottom})};
  for (Point p : corners)
    if (!(std::abs(p.x) < 1e5 && std::abs(p.y) < 1e5)) return;
  polygon(corners, f);
}

void Sheet::noise_background(float level, double contrast) {
  const std::vector<float> noise =
      fractal_noise(image.height, image.width, random.uniform(0.8, 1.6), random);
  for (size_t i = 0; i < noise.size(); ++i)
    image.pixels[i] = grey(level + float(contrast) * noise[i]);
}

void Sheet::gradient_background() {
  const Point corners[4] = {{0, 0},
                            {double(image.width), 0},
                            {double(image.width), double(image.height)},
                            {0, double(image.height)}};
  Fill f = fill(level(), {image.width / 2.0, image.height / 2.0}, image.width);
  f.grain = std::min(f.grain, 6.f);
  polygon(corners, f);
}

double power_law_size(Random& random, double low, double high) {
  const double share = low / high;
  return low / std::sqrt(1 - random.uniform() * (1 - share * share));
}

double log_uniform(Random& random, double low, double high) {
  return low * std::exp(random.uniform() * std::log(high / low));
}

double random_angle(Random& random) { return random.uniform(0, 2 * pi); }

std::vector<Point> ellipse(Point centre, double a, double b, double angle) {
  const int count = std::clamp(int(3 * std::sqrt(std::max(a, b))), 8, 48);
  const double cosine = std::cos(angle), sine = std::sin(angle);
  std::vector<Point> points(count);
  for (int i = 0; i < count; ++i) {
    const double x = a * std::cos(2 * pi * i / count), y = b * std::sin(2 * pi * i / count);
    points[i] = centre + Point{x * cosine - y * sine, x * sine + y * cosine};
  }
  return points;
}

std::vector<Point> rectangle(Point centre, double a, double b, double angle) {
  const double cosine = std::cos(angle), sine = std::sin(angle);
  const Point along{a * cosine, a * sine}, across{-b * sine, b * cosine};
  return {centre + along + across, centre + along - across, centre - along - across,
          centre - along + across};
}

std::vector<Point> random_polygon(Random& random, Point centre, double radius, int count) {
  const double start = random_angle(random);
  std::vector<Point> points(count);
  for (int i = 0; i < count; ++i) {
    const double angle = start + 2 * pi * (i + 0.8 * random.uniform()) / count;
    const double r = radius * random.uniform(0.5, 1.2);
    points[i] = centre + Point{r * std::cos(angle), r * std::sin(angle)};
  }
  return points;
}

Matrix3 tilted_square(Random& random, Point centre, double width, double height, double angle,
                      double tilt) {
  const Point square[4] = {{0, 0}, {1, 0}, {1, 1}, {0, 1}};
  const double move = tilt * std::min(width, height);
  const double cosine = std::cos(angle), sine = std::sin(angle);
  std::array<Point, 4> to;
  for (int i = 0; i < 4; ++i) {
    const double x = width * (square[i].x - 0.5) + random.uniform(-move, move),
                 y = height * (square[i].y - 0.5) + random.uniform(-move, move);
    to[i] = centre + Point{x * cosine - y * sine, x * sine + y * cosine};
  }
  return homography_from_4_points(square, to);
}

}  // namespace cairn::textures
