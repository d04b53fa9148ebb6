// Checkerboards and stripes under a random affine and perspective map.
#include "training/shapes/canvas.h"

namespace cairn::shapes {

BoardWarp::BoardWarp(Random& random, double base, double extra) {
  const double spread = max_side * (base + random.uniform() * extra);
  // The published generator puts (height, width) / 2 where (x, y) is meant; kept, as it decides
  // which boards are drawn.
  const Point c{canvas_height / 2.0, canvas_width / 2.0};
  const double s = std::floor(min_side / 3);
  const std::array<Point, 4> square{
      {{c.x + s, c.y + s}, {c.x + s, c.y - s}, {c.x - s, c.y - s}, {c.x - s, c.y + s}}};
  const auto moved = [&](double by) {
    std::array<Point, 4> result = square;
    for (Point& p : result) {
      p.x += random.uniform(-by, by);
      p.y += random.uniform(-by, by);
    }
    return result;
  };
  const std::array<Point, 4> affine_to = moved(spread), perspective_to = moved(spread / 2);
  map_ = homography_from_4_points(square, perspective_to) *
         affine_from_3_points(std::span(square).first<3>(), std::span(affine_to).first<3>());
}

Point BoardWarp::operator()(Point p) const {
  double w = map_(2, 0) * p.x + map_(2, 1) * p.y + map_(2, 2);
  if (std::abs(w) < 1e-8) w = 1e-8;
  return truncated({(map_(0, 0) * p.x + map_(0, 1) * p.y + map_(0, 2)) / w,
                    (map_(1, 0) * p.x + map_(1, 1) * p.y + map_(1, 2)) / w});
}

void draw_checkerboard(Canvas& canvas) {
  Random& random = canvas.random;
  const int rows = random.integer(3, 6), columns = random.integer(3, 6);
  const int cell = std::min((canvas_width - 1) / columns, (canvas_height - 1) / rows);
  const BoardWarp warp(random, 0.05, 0.15);
  const auto corner = [&](int row, int column) {
    return warp({double(column * cell), double(row * cell)});
  };

  std::vector<int> colours(rows * columns);
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) {
      std::vector<int> neighbours;
      if (j > 0) neighbours.push_back(colours[i * columns + j - 1]);
      if (i > 0) neighbours.push_back(colours[(i - 1) * columns + j]);
      const uint8_t colour =
          neighbours.empty() ? canvas.colour() : canvas.different_colour(neighbours);
      colours[i * columns + j] = colour;
      const Point quad[4] = {corner(i, j), corner(i, j + 1), corner(i + 1, j + 1),
                             corner(i + 1, j)};
      fill_polygon(canvas.image, quad, colour);
    }

  for (int n = random.integer(2, rows + 1); n > 0; --n) {
    const int row = random.integer(0, rows);
    const int from = random.integer(0, columns), to = random.integer(0, columns);
    const int thickness = random.integer(9, 13);
    draw_line(canvas.image, corner(row, from), corner(row, to), thickness, canvas.colour());
  }
  for (int n = random.integer(2, columns + 1); n > 0; --n) {
    const int column = random.integer(0, columns);
    const int from = random.integer(0, rows), to = random.integer(0, rows);
    const int thickness = random.integer(9, 13);
    draw_line(canvas.image, corner(from, column), corner(to, column), thickness, canvas.colour());
  }
  for (int i = 0; i <= rows; ++i)
    for (int j = 0; j <= columns; ++j) canvas.label_if_inside(corner(i, j));
}

void draw_stripes(Canvas& canvas) {
  Random& random = canvas.random;
  const int height = int(canvas_height * (1 + random.uniform()));
  const int width = int(canvas_width * (1 + random.uniform()));
  std::vector<int> cuts{0, width - 1};
  for (int n = random.integer(5, 12); n > 1; --n) cuts.push_back(int(width * random.uniform()));
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  std::vector<int> kept;
  for (size_t i = 0; i < cuts.size(); ++i)
    if (i + 1 == cuts.size() || cuts[i + 1] - cuts[i] > 0.04 * min_side) kept.push_back(cuts[i]);

  const BoardWarp warp(random, 0.1, 0.1);
  std::array<std::vector<Point>, 2> border;  // the ends of the stripes: top, bottom
  for (int cut : kept) {
    border[0].push_back(warp({double(cut), 0}));
    border[1].push_back(warp({double(cut), height - 1.0}));
  }
  const int stripes = int(kept.size()) - 1;
  int colour = canvas.colour();
  for (int i = 0; i < stripes; ++i) {
    colour = (colour + 128 + random.integer(-30, 29) + 256) % 256;
    const Point quad[4] = {border[0][i], border[0][i + 1], border[1][i + 1], border[1][i]};
    fill_polygon(canvas.image, quad, uint8_t(colour));
  }

  for (int n = random.integer(2, 4); n > 0; --n) {
    const std::vector<Point>& row = border[random.integer(0, 1)];
    const Point from = row[random.integer(0, stripes)], to = row[random.integer(0, stripes)];
    const int thickness = random.integer(9, 13);
    draw_line(canvas.image, from, to, thickness, canvas.colour());
  }
  for (int n = random.integer(2, stripes + 1); n > 0; --n) {
    const int column = random.integer(0, stripes);
    const int thickness = random.integer(9, 13);
    draw_line(canvas.image, border[0][column], border[1][column], thickness, canvas.colour());
  }
  for (const auto& row : border)
    for (Point p : row) canvas.label_if_inside(p);
}

}  // namespace cairn::shapes
