#pragma once
// Pictures for people: anti-aliased overlays on images, labels, contact sheets.
#include <cstdint>
#include <string>
#include <vector>

#include "geometry/point.h"
#include "runtime/tensor.h"

namespace cairn {

struct Colour {
  uint8_t r, g, b;
};

/// 0 is blue, then cyan, green and yellow; 1 is red. Clamped.
Colour heat_colour(double t);

/// An RGB picture that is drawn on. Points are pixels with integer centres; everything is clipped.
class Canvas {
 public:
  Canvas(int64_t height, int64_t width, Colour background);
  /// From u8 [H,W,1] or [H,W,3], enlarged `scale` times; at() says where its points come to lie.
  explicit Canvas(const Tensor& image, int scale = 1);

  /// A point of the image, after the enlargement.
  Point at(Point p) const { return {(p.x + 0.5) * scale_ - 0.5, (p.y + 0.5) * scale_ - 0.5}; }

  void disc(Point centre, double radius, Colour colour, double opacity = 1);
  void ring(Point centre, double radius, double width, Colour colour, double opacity = 1);
  void line(Point a, Point b, double width, Colour colour, double opacity = 1);
  void cross(Point centre, double half_width, double width, Colour colour, double opacity = 1);
  void box(double left, double top, double right, double bottom, Colour colour, double opacity = 1);
  /// One line of ASCII, its upper left corner at `at`; letters are 7 `size` high.
  void text(Point at, const std::string& text, Colour colour, double size = 1.5);
  static double text_width(const std::string& text, double size = 1.5);
  /// Copies an image, upper left corner at (left, top).
  void paste(const Tensor& image, int64_t left, int64_t top);

  int64_t height() const { return image_.dim(0); }
  int64_t width() const { return image_.dim(1); }
  const Tensor& image() const { return image_; }  ///< u8 [H,W,3]

 private:
  // Blends `colour` by how much of each pixel the shape covers: half a pixel on either side of its
  // border, whose signed distance (negative inside) is distance(x, y).
  template <class Distance>
  void paint(double left, double top, double right, double bottom, Colour colour, double opacity,
             Distance&& distance);
  template <class Distance>
  void paint_row(int64_t y, double left, double right, Colour colour, double opacity,
                 Distance&& distance);

  Tensor image_;
  int scale_ = 1;
};

/// The image with its keypoints as rimmed dots coloured by score, the surest on top; small images
/// are enlarged.
Tensor draw_keypoints(const Tensor& image, const std::vector<ScoredPoint>& points);

/// The image, scaled down (means over areas) until no side is longer than `side`.
Tensor fitted(const Tensor& image, int64_t side);

/// Images with captions in rows and columns, each fitted() into `tile` pixels.
struct Tile {
  Tensor image;  ///< u8 [H,W,1] or [H,W,3]
  std::string caption;
};
Tensor contact_sheet(const std::vector<Tile>& tiles, int64_t columns, int64_t tile);

}  // namespace cairn
