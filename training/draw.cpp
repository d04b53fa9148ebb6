#include "training/draw.h"

#include <stb/stb_easy_font.h>

#include <algorithm>
#include <cmath>

#include "runtime/error.h"

namespace cairn {
namespace {

constexpr Colour dark{24, 26, 32}, pale{222, 226, 233};

void check_image(const char* where, const Tensor& t) {
  if (t.rank() != 3 || t.dtype() != DType::u8 || (t.dim(2) != 1 && t.dim(2) != 3))
    throw Error(where, text("the image is ", t), "u8[H,W,1] or u8[H,W,3]", "convert it first");
}

// Smaller by whole pixel areas; the mean over the part of the source that a pixel covers.
Tensor reduced(const Tensor& image, int64_t height, int64_t width) {
  const int64_t H = image.dim(0), W = image.dim(1), C = image.dim(2);
  Tensor out = Tensor::empty({height, width, C}, DType::u8);
  const uint8_t* x = image.data<uint8_t>();
  uint8_t* y = out.data<uint8_t>();
  for (int64_t r = 0; r < height; ++r)
    for (int64_t c = 0; c < width; ++c) {
      const int64_t top = r * H / height, bottom = std::max(top + 1, (r + 1) * H / height);
      const int64_t left = c * W / width, right = std::max(left + 1, (c + 1) * W / width);
      for (int64_t k = 0; k < C; ++k) {
        int64_t sum = 0;
        for (int64_t i = top; i < bottom; ++i)
          for (int64_t j = left; j < right; ++j) sum += x[(i * W + j) * C + k];
        *y++ = uint8_t(sum / ((bottom - top) * (right - left)));
      }
    }
  return out;
}

struct Vertex {  // of stb_easy_font
  float x, y, z;
  unsigned char colour[4];
};

}  // namespace

Colour heat_colour(double t) {
  static constexpr Colour stops[] = {
      {66, 92, 255}, {0, 196, 255}, {64, 226, 106}, {255, 212, 0}, {255, 64, 48}};
  const double at = std::clamp(t, 0.0, 1.0) * 4;
  const int i = std::min(int(at), 3);
  const auto mix = [&](uint8_t a, uint8_t b) {
    return uint8_t(std::lround(a + (at - i) * (b - a)));
  };
  const Colour a = stops[i], b = stops[i + 1];
  return {mix(a.r, b.r), mix(a.g, b.g), mix(a.b, b.b)};
}

Canvas::Canvas(int64_t height, int64_t width, Colour background)
    : image_(Tensor::empty({height, width, 3}, DType::u8)) {
  uint8_t* p = image_.data<uint8_t>();
  for (int64_t i = 0; i < height * width; ++i) {
    *p++ = background.r;
    *p++ = background.g;
    *p++ = background.b;
  }
}

Canvas::Canvas(const Tensor& image, int scale)
    : Canvas(image.rank() == 3 ? image.dim(0) * scale : 0,
             image.rank() == 3 ? image.dim(1) * scale : 0, dark) {
  check_image("canvas", image);
  scale_ = scale;
  const int64_t W = image.dim(1), C = image.dim(2);
  uint8_t* y = image_.data<uint8_t>();
  for (int64_t r = 0; r < height(); ++r)
    for (int64_t c = 0; c < width(); ++c) {
      const uint8_t* x = image.data<uint8_t>() + (r / scale * W + c / scale) * C;
      for (int k = 0; k < 3; ++k) *y++ = x[C == 1 ? 0 : k];
    }
}

namespace {

// The pixels of 0..n that a shape from v to w may touch.
struct Range {
  int64_t first, last;
};
Range pixels(double v, double w, int64_t n) {
  return {int64_t(std::clamp(std::floor(v - 0.5), 0.0, double(n))),
          int64_t(std::clamp(std::ceil(w + 0.5) + 1, 0.0, double(n)))};
}

}  // namespace

template <class Distance>
void Canvas::paint_row(int64_t y, double left, double right, Colour colour, double opacity,
                       Distance&& distance) {
  const uint8_t to[3] = {colour.r, colour.g, colour.b};
  const Range columns = pixels(left, right, width());
  for (int64_t x = columns.first; x < columns.last; ++x) {
    const double cover = opacity * std::clamp(0.5 - distance(double(x), double(y)), 0.0, 1.0);
    uint8_t* p = image_.data<uint8_t>() + (y * width() + x) * 3;
    for (int k = 0; k < 3; ++k) p[k] = uint8_t(std::lround(p[k] + cover * (to[k] - p[k])));
  }
}

template <class Distance>
void Canvas::paint(double left, double top, double right, double bottom, Colour colour,
                   double opacity, Distance&& distance) {
  const Range rows = pixels(top, bottom, height());
  for (int64_t y = rows.first; y < rows.last; ++y)
    paint_row(y, left, right, colour, opacity, distance);
}

void Canvas::disc(Point c, double radius, Colour colour, double opacity) {
  paint(c.x - radius, c.y - radius, c.x + radius, c.y + radius, colour, opacity,
        [&](double x, double y) { return std::hypot(x - c.x, y - c.y) - radius; });
}

void Canvas::ring(Point c, double radius, double width, Colour colour, double opacity) {
  const double outer = radius + width / 2;
  paint(c.x - outer, c.y - outer, c.x + outer, c.y + outer, colour, opacity,
        [&](double x, double y) {
          return std::abs(std::hypot(x - c.x, y - c.y) - radius) - width / 2;
        });
}

void Canvas::line(Point a, Point b, double width, Colour colour, double opacity) {
  const double half = width / 2, dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
  const auto distance = [&](double x, double y) {
    const double t =
        length2 == 0 ? 0 : std::clamp(((x - a.x) * dx + (y - a.y) * dy) / length2, 0.0, 1.0);
    return std::hypot(x - a.x - t * dx, y - a.y - t * dy) - half;
  };
  const Range rows = pixels(std::min(a.y, b.y) - half, std::max(a.y, b.y) + half, height());
  const double reach = (half + 1) * std::sqrt(length2);  // along a row, times |dy|
  for (int64_t y = rows.first; y < rows.last; ++y) {
    // Of the row, what is near the line and what lies between its ends.
    double left = std::min(a.x, b.x) - half, right = std::max(a.x, b.x) + half;
    if (dy != 0) {
      const double middle = a.x + (double(y) - a.y) * dx / dy, side = reach / std::abs(dy);
      left = std::max(left, middle - side);
      right = std::min(right, middle + side);
    }
    if (left <= right) paint_row(y, left, right, colour, opacity, distance);
  }
}

void Canvas::cross(Point c, double half, double width, Colour colour, double opacity) {
  line({c.x - half, c.y}, {c.x + half, c.y}, width, colour, opacity);
  line({c.x, c.y - half}, {c.x, c.y + half}, width, colour, opacity);
}

void Canvas::box(double left, double top, double right, double bottom, Colour colour,
                 double opacity) {
  paint(left, top, right, bottom, colour, opacity, [&](double x, double y) {
    return std::max(std::max(left - x, x - right), std::max(top - y, y - bottom));
  });
}

void Canvas::text(Point at, const std::string& text, Colour colour, double size) {
  std::string ascii = text;  // the font has no other letters
  for (char& c : ascii)
    if (c < 32 || c > 126) c = '?';
  std::vector<Vertex> quads(ascii.size() * 80 + 4);
  const int n = stb_easy_font_print(0, 0, ascii.data(), nullptr, quads.data(),
                                    int(quads.size() * sizeof(Vertex)));
  for (int q = 0; q < n; ++q) {
    const Vertex &a = quads[size_t(q) * 4], &b = quads[size_t(q) * 4 + 2];
    box(at.x + size * double(a.x) - 0.5, at.y + size * double(a.y) - 0.5,
        at.x + size * double(b.x) - 0.5, at.y + size * double(b.y) - 0.5, colour);
  }
}

double Canvas::text_width(const std::string& text, double size) {
  std::string copy = text;
  return size * stb_easy_font_width(copy.data());
}

void Canvas::paste(const Tensor& image, int64_t left, int64_t top) {
  check_image("paste", image);
  const int64_t C = image.dim(2);
  for (int64_t r = std::max<int64_t>(0, -top); r < std::min(image.dim(0), height() - top); ++r)
    for (int64_t c = std::max<int64_t>(0, -left); c < std::min(image.dim(1), width() - left); ++c) {
      const uint8_t* x = image.data<uint8_t>() + (r * image.dim(1) + c) * C;
      uint8_t* y = image_.data<uint8_t>() + ((r + top) * width() + c + left) * 3;
      for (int k = 0; k < 3; ++k) y[k] = x[C == 1 ? 0 : k];
    }
}

Tensor draw_keypoints(const Tensor& image, const std::vector<ScoredPoint>& points) {
  check_image("draw_keypoints", image);
  const int64_t longer = std::max<int64_t>(1, std::max(image.dim(0), image.dim(1)));
  Canvas canvas(image, int(std::clamp<int64_t>(960 / longer, 1, 4)));
  std::vector<ScoredPoint> ordered = points;
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const ScoredPoint& a, const ScoredPoint& b) { return a.score < b.score; });
  const double best = ordered.empty() ? 1 : std::max(ordered.back().score, 1e-12);
  const double radius = 2 + double(std::max(canvas.height(), canvas.width())) / 1500;
  for (const ScoredPoint& p : ordered) {
    const Point at = canvas.at({p.x, p.y});
    canvas.disc(at, radius + 1.2, {0, 0, 0}, 0.75);
    canvas.disc(at, radius, heat_colour(p.score / best));
  }
  return canvas.image();
}

Tensor fitted(const Tensor& image, int64_t side) {
  check_image("fitted", image);
  const int64_t longer = std::max(image.dim(0), image.dim(1));
  if (longer <= side) return image;
  const auto scaled = [&](int64_t n) {
    return std::max<int64_t>(1, std::llround(double(n) * double(side) / double(longer)));
  };
  return reduced(image, scaled(image.dim(0)), scaled(image.dim(1)));
}

namespace {

constexpr double caption_scale = 1.25;

// What of a caption fits: what comes behind its last comma tells it from others, so that the words
// before it give way.
std::string shortened(const std::string& caption, double width) {
  const auto fits = [&](const std::string& s) {
    return Canvas::text_width(s, caption_scale) <= width;
  };
  if (fits(caption)) return caption;
  const size_t comma = caption.rfind(", ");
  const std::string tail = "..." + (comma == std::string::npos ? "" : caption.substr(comma));
  std::string head = caption.substr(0, comma);
  while (!head.empty() && !fits(head + tail)) head.pop_back();
  std::string words = head + tail;
  while (!fits(words)) words.pop_back();
  return words;
}

}  // namespace

Tensor contact_sheet(const std::vector<Tile>& tiles, int64_t columns, int64_t tile) {
  constexpr int64_t gap = 8, caption = 18;
  const size_t across =
      size_t(std::clamp<int64_t>(columns, 1, std::max<int64_t>(1, int64_t(tiles.size()))));
  std::vector<Tensor> small;
  std::vector<int64_t> row_heights;
  int64_t widest = 1, height = gap;
  for (size_t i = 0; i < tiles.size(); ++i) {
    small.push_back(fitted(tiles[i].image, tile));
    widest = std::max(widest, small[i].dim(1));
    if (i % across == 0) row_heights.push_back(0);
    row_heights.back() = std::max(row_heights.back(), small[i].dim(0));
  }
  for (int64_t h : row_heights) height += h + caption + gap;
  Canvas sheet(height, int64_t(across) * (widest + gap) + gap, dark);
  int64_t top = gap;
  for (size_t i = 0; i < tiles.size(); ++i) {
    const int64_t left = gap + int64_t(i % across) * (widest + gap);
    const int64_t row_height = row_heights[i / across];
    sheet.paste(small[i], left + (widest - small[i].dim(1)) / 2, top);
    sheet.text({double(left), double(top + row_height + 5)},
               shortened(tiles[i].caption, double(widest)), pale, caption_scale);
    if (i % across == across - 1) top += row_height + caption + gap;
  }
  return sheet.image();
}

}  // namespace cairn
