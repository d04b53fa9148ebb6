#pragma once
// Drawing on 8-bit grey images without anti-aliasing: a pixel is painted when its centre lies in
// the shape or on its border. Everything is clipped to the image; nothing depends on the processor.
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "geometry/point.h"

namespace cairn {

/// A grey image on the host: height rows of width bytes.
struct GrayImage {
  int height = 0, width = 0;
  std::vector<uint8_t> pixels;

  GrayImage() = default;
  GrayImage(int height_, int width_, uint8_t value = 0)
      : height(height_), width(width_), pixels(size_t(height_) * width_, value) {}
  uint8_t* row(int y) { return pixels.data() + int64_t{y} * width; }
  const uint8_t* row(int y) const { return pixels.data() + int64_t{y} * width; }
  double mean() const;
};

/// Called with row y and the first and last column of a run of covered pixels, inside the image.
using SpanPainter = std::function<void(int y, int first, int last)>;

/// The runs of a polygon (even-odd rule: it may be concave or cross itself); the ends of two runs
/// may touch.
void polygon_spans(int height, int width, std::span<const Point> vertices,
                   const SpanPainter& paint);

void fill_polygon(GrayImage& image, std::span<const Point> vertices, uint8_t colour);
/// All pixels within thickness / 2 of the segment: the caps are round.
void draw_line(GrayImage& image, Point a, Point b, double thickness, uint8_t colour);
void fill_disc(GrayImage& image, Point centre, double radius, uint8_t colour);
/// `angle`, in radians, turns the x semi-axis towards the y axis.
void fill_ellipse(GrayImage& image, Point centre, double semi_x, double semi_y, double angle,
                  uint8_t colour);

}  // namespace cairn
