#pragma once
// The sheet that textures are drawn on, at twice the size of the image, and what shapes on it are
// filled with. Inside of the generator alone: see training/textures.h. Lengths here are pixels of
// the sheet, half a pixel of the image each.
#include <span>
#include <vector>

#include "geometry/homography.h"
#include "runtime/random.h"
#include "training/fractal_noise.h"
#include "training/raster.h"

namespace cairn::textures {

/// A grey value, a linear change of it across the shape, and grain: noise seen turned and
/// stretched.
struct Fill {
  float level = 0, slope_x = 0, slope_y = 0;  ///< at the anchor; per pixel
  Point anchor;
  float grain = 0;  ///< standard deviation
  /// Tile coordinates, of which the upper 8 bits are the index: they wrap by overflow.
  uint32_t u = 0, v = 0, u_x = 0, v_x = 0, u_y = 0, v_y = 0;
};

class Sheet {
 public:
  Sheet(int height, int width, Random& random);

  Random& random;
  GrayImage image;

  /// A grey value of the image's range; one at least a quarter of the range away from `other`.
  float level() { return float(random.uniform(dark_, bright_)); }
  float level_apart(float other);
  /// Flat, gradient or grainy, for a shape of this size around `centre`.
  Fill fill(float level, Point centre, double size);

  void polygon(std::span<const Point> vertices, const Fill& fill);
  /// A rectangle of the unit square under a map; nothing if it reaches the horizon.
  void part(const Matrix3& map, double left, double top, double right, double bottom,
            const Fill& fill);
  void line(Point a, Point b, double thickness, float level) {
    draw_line(image, a, b, thickness, uint8_t(level));
  }
  /// The whole sheet: noise of mean `level` and this contrast.
  void noise_background(float level, double contrast);
  void gradient_background();

  Point somewhere() { return {random.uniform(0, image.width), random.uniform(0, image.height)}; }
  /// Sheets of any size are filled alike: the area relative to an image of 240x320.
  double area() const { return double(image.height) * image.width / (480.0 * 640.0); }
  double dark() const { return dark_; }
  double bright() const { return bright_; }

 private:
  static constexpr int tile_ = 256;
  double dark_, bright_;
  std::vector<int8_t> grain_;  // 32 is one standard deviation
};

/// Density proportional to r^-3 between two sizes: as many pixels of each size.
double power_law_size(Random& random, double low, double high);
/// As many of each octave.
double log_uniform(Random& random, double low, double high);
double random_angle(Random& random);

std::vector<Point> ellipse(Point centre, double a, double b, double angle);
std::vector<Point> rectangle(Point centre, double a, double b, double angle);
/// Star-shaped around the centre: `count` vertices in the order of their direction.
std::vector<Point> random_polygon(Random& random, Point centre, double radius, int count);

/// The unit square seen as a quadrilateral around `centre`: sides `width` and `height`, turned, the
/// corners moved by up to `tilt` times the shorter side.
Matrix3 tilted_square(Random& random, Point centre, double width, double height, double angle,
                      double tilt);

void draw_leaves(Sheet&, int count, double smallest, double largest);
void draw_shapes(Sheet&, int count);
void draw_strokes(Sheet&, int blocks);
void draw_noise(Sheet&);

}  // namespace cairn::textures
