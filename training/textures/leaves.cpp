// Dead leaves: opaque shapes that fall over each other.
#include "training/textures/sheet.h"

namespace cairn::textures {

void draw_leaves(Sheet& sheet, int count, double smallest, double largest) {
  Random& random = sheet.random;
  for (int i = 0; i < count; ++i) {
    const Point centre = sheet.somewhere();
    const double size = power_law_size(random, smallest, largest), angle = random_angle(random);
    std::vector<Point> outline;
    switch (random.integer(0, 3)) {
      case 0:
        outline = ellipse(centre, size, size * random.uniform(0.4, 1), angle);
        break;
      case 1:
        outline = rectangle(centre, size, size * random.uniform(0.2, 1), angle);
        break;
      default:
        outline = random_polygon(random, centre, size, random.integer(3, 8));
    }
    sheet.polygon(outline, sheet.fill(sheet.level(), centre, size));
  }
}

}  // namespace cairn::textures
