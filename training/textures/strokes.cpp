// Something like writing: rows of glyphs, each a poly-line between the nodes of a small lattice.
#include <algorithm>
#include <cmath>

#include "training/textures/sheet.h"

namespace cairn::textures {
namespace {

struct Glyph {
  std::vector<Point> nodes;  // in a unit cell; every two neighbours are joined
};

Glyph random_glyph(Random& random) {
  Glyph g;
  int x = random.integer(0, 2), y = random.integer(0, 3);
  for (int left = random.integer(2, 6); left > 0; --left) {
    g.nodes.push_back({x / 2.0, y / 3.0});
    // Mostly along one axis, as in letters; now and then a slanted stroke.
    const int move = random.integer(0, 4);
    if (move <= 1 || move == 4) x = (x + random.integer(1, 2)) % 3;
    if (move >= 2) y = (y + random.integer(1, 3)) % 4;
  }
  return g;
}

// An alphabet makes rows repeat themselves, as writing does.
void draw_block(Sheet& sheet) {
  Random& random = sheet.random;
  std::vector<Glyph> alphabet(random.integer(8, 40));
  for (Glyph& g : alphabet) g = random_glyph(random);
  const double height = log_uniform(random, 10, 90), width = height * random.uniform(0.45, 0.8);
  const int columns = random.integer(4, 24), rows = random.integer(1, 10);
  const double line_height = height * random.uniform(1.3, 2);
  const double angle = random.uniform() < 0.7 ? random.uniform(-0.2, 0.2) : random_angle(random);
  const Point centre = sheet.somewhere();
  const double w = columns * width * 1.3, h = rows * line_height;
  const Matrix3 map = tilted_square(random, centre, w, h, angle, 0.15);
  const float paper = sheet.level(), ink = sheet.level_apart(paper);
  if (random.uniform() < 0.5)
    sheet.part(map, -0.05, -0.05, 1.05, 1.05, sheet.fill(paper, centre, w));
  const double thickness = std::clamp(height * random.uniform(0.08, 0.2), 2.0, 12.0);
  for (int i = 0; i < rows; ++i) {
    const int used = i + 1 < rows ? columns : random.integer(1, columns);
    for (int j = 0; j < used; ++j) {
      if (random.uniform() < 0.15) continue;  // a space between words
      const Glyph& g = alphabet[size_t(random.integer(0, int(alphabet.size()) - 1))];
      Point last{};
      for (size_t k = 0; k < g.nodes.size(); ++k) {
        const Point node = apply(map, {(j * 1.3 + g.nodes[k].x) * width / w,
                                       (i * line_height + g.nodes[k].y * height) / h});
        if (k > 0 && std::isfinite(node.x) && std::isfinite(last.x))
          sheet.line(last, node, thickness, ink);
        last = node;
      }
    }
  }
}

}  // namespace

void draw_strokes(Sheet& sheet, int blocks) {
  for (int i = 0; i < blocks; ++i) draw_block(sheet);
}

}  // namespace cairn::textures
