// Things with straight edges and true corners, from some pixels to half the image in size.
#include <algorithm>
#include <cmath>

#include "training/textures/sheet.h"

namespace cairn::textures {
namespace {

void draw_checkerboard(Sheet& sheet, Point centre, double size) {
  Random& random = sheet.random;
  const int rows = random.integer(2, 8), columns = random.integer(2, 8);
  const Matrix3 map = tilted_square(random, centre, 2 * size, 2 * size * rows / columns,
                                    random_angle(random), 0.25);
  const float first = sheet.level();
  const Fill fills[2] = {sheet.fill(first, centre, size),
                         sheet.fill(sheet.level_apart(first), centre, size)};
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j)
      sheet.part(map, double(j) / columns, double(i) / rows, double(j + 1) / columns,
                 double(i + 1) / rows, fills[(i + j) % 2]);
}

// A wall with rows of openings, each of its own grey.
void draw_windows(Sheet& sheet, Point centre, double size) {
  Random& random = sheet.random;
  const int rows = random.integer(1, 7), columns = random.integer(2, 8);
  const Matrix3 map = tilted_square(random, centre, 2 * size, 2 * size * random.uniform(0.4, 1.2),
                                    random.uniform(-0.3, 0.3), 0.2);
  const float wall = sheet.level(), inside = sheet.level_apart(wall);
  const double spread = random.uniform(0, 40);
  sheet.part(map, 0, 0, 1, 1, sheet.fill(wall, centre, size));
  const double gap_x = random.uniform(0.1, 0.3), gap_y = random.uniform(0.1, 0.3);
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) {
      const float level = inside + float(random.uniform(-spread, spread));
      const double left = (j + gap_x) / columns, right = (j + 1 - gap_x) / columns;
      const double top = (i + gap_y) / rows, bottom = (i + 1 - gap_y) / rows;
      Fill pane;
      pane.level = level;
      sheet.part(map, left, top, right, bottom, pane);
      if (spread > 20) {  // a bar across the opening
        pane.level = wall;
        const double middle = (left + right) / 2, bar = 0.06 * (right - left);
        sheet.part(map, middle - bar, top, middle + bar, bottom, pane);
      }
    }
}

// Three faces that meet in a corner.
void draw_cube(Sheet& sheet, Point centre, double size) {
  Random& random = sheet.random;
  const double start = random_angle(random);
  Point edges[3];
  for (int i = 0; i < 3; ++i) {
    const double angle = start + 2 * 3.14159265358979 * (i + random.uniform(-0.25, 0.25)) / 3;
    edges[i] = size * random.uniform(0.5, 1) * Point{std::cos(angle), std::sin(angle)};
  }
  for (int i = 0; i < 3; ++i) {
    const Point a = edges[i], b = edges[(i + 1) % 3];
    const Point face[4] = {centre, centre + a, centre + a + b, centre + b};
    sheet.polygon(face, sheet.fill(sheet.level(), centre, size));
  }
}

void draw_star(Sheet& sheet, Point centre, double size) {
  Random& random = sheet.random;
  const float level = sheet.level();
  const double thickness = random.uniform(2, std::max(3.0, size / 10));
  for (Point end : random_polygon(random, centre, size, random.integer(3, 8)))
    sheet.line(centre, end, thickness, level);
}

void draw_bars(Sheet& sheet, Point centre, double size) {
  Random& random = sheet.random;
  const int count = random.integer(2, 9);
  const Matrix3 map = tilted_square(random, centre, 2 * size, size * random.uniform(0.5, 2),
                                    random_angle(random), 0.25);
  for (int i = 0; i < count; ++i) {
    const double left = i / double(count), right = left + random.uniform(0.2, 0.8) / count;
    sheet.part(map, left, 0, right, 1, sheet.fill(sheet.level(), centre, size));
  }
}

}  // namespace

void draw_shapes(Sheet& sheet, int count) {
  Random& random = sheet.random;
  for (int i = 0; i < count; ++i) {
    const Point centre = sheet.somewhere();
    const double size = log_uniform(random, 10, 150);
    switch (random.integer(0, 7)) {
      case 0:
        draw_checkerboard(sheet, centre, size);
        break;
      case 1:
        draw_windows(sheet, centre, size);
        break;
      case 2:
        draw_cube(sheet, centre, size);
        break;
      case 3:
        draw_star(sheet, centre, size);
        break;
      case 4:
        draw_bars(sheet, centre, size);
        break;
      case 5:
        sheet.polygon(ellipse(centre, size, size * random.uniform(0.3, 1), random_angle(random)),
                      sheet.fill(sheet.level(), centre, size));
        break;
      default:
        sheet.polygon(random_polygon(random, centre, size, random.integer(3, 8)),
                      sheet.fill(sheet.level(), centre, size));
    }
  }
}

}  // namespace cairn::textures
