#include "training/synth_faces.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "runtime/error.h"
#include "runtime/random.h"
#include "training/photometric.h"
#include "training/raster.h"

namespace cairn {
namespace {

constexpr double pi = 3.14159265358979323846;
constexpr int samples = 4;  // of a pixel, in each direction

enum FacePoint {
  right_eye,
  left_eye,
  nose,
  right_mouth,
  left_mouth,
  chin,
  right_brow,
  left_brow,
  right_contour,
  left_contour,
  point_count
};

// In image sides around the middle of the head, before scale and roll.
struct Face {
  Point centre;
  double roll, scale;
  double squeeze, half_width, half_height;
  std::array<Point, point_count> points;

  // In pixels of an image of this size.
  Point at(Point p, int size) const {
    const double c = scale * std::cos(roll), s = scale * std::sin(roll);
    const Point unit = centre + Point{c * p.x - s * p.y, s * p.x + c * p.y};
    return {unit.x * size - 0.5, unit.y * size - 0.5};
  }
};

Face random_face(Random& r) {
  Face f;
  f.centre.x = 0.5 + r.uniform(-0.08, 0.08);
  f.centre.y = 0.5 + r.uniform(-0.08, 0.08);
  f.roll = r.normal() * 10 * pi / 180;
  f.scale = r.uniform(0.85, 1.15);
  const double yaw = r.uniform(-0.5, 0.5), shift = 0.1 * yaw;
  f.squeeze = 1 - 0.25 * std::abs(yaw);
  f.half_width = 0.30 * r.uniform(0.92, 1.08);
  f.half_height = 0.38 * r.uniform(0.92, 1.08);

  const auto pair = [&](FacePoint right, double x, double middle, double y) {
    f.points[right] = {middle - x, y};
    f.points[right + 1] = {middle + x, y};
  };
  const double eye_x = 0.13 * r.uniform(0.9, 1.1) * f.squeeze;
  const double eye_y = -0.10 + r.uniform(-0.02, 0.02);
  pair(right_eye, eye_x, shift, eye_y);
  pair(right_brow, eye_x, shift, eye_y - 0.07);
  f.points[nose] = {1.5 * shift, 0.05 + r.uniform(-0.02, 0.02)};
  const double mouth_x = 0.10 * r.uniform(0.8, 1.2) * f.squeeze;
  pair(right_mouth, mouth_x, shift, 0.19 + r.uniform(-0.02, 0.02));
  f.points[chin] = {0.8 * shift, f.half_height};
  pair(right_contour, f.half_width, 0, 0.02);
  return f;
}

// What a sample shows: colours come last, so that shapes are drawn as numbers of parts.
enum Part : uint8_t { background, skin, hair, brow, white_of_eye, iris, nose_line, lips, parts };

GrayImage drawn_parts(const Face& f, int size, Random& r) {
  GrayImage image(size, size, background);
  const double unit = f.scale * size;
  const auto ellipse = [&](Point p, double semi_x, double semi_y, Part part) {
    fill_ellipse(image, f.at(p, size), semi_x * unit, semi_y * unit, f.roll, part);
  };
  const auto line = [&](Point a, Point b, double width, Part part) {
    draw_line(image, f.at(a, size), f.at(b, size), width * unit, part);
  };
  ellipse({}, f.half_width, f.half_height, skin);

  // The cap of the ellipse above a level line.
  std::array<Point, 33> cap;
  const double from = pi + std::asin(r.uniform(0.6, 0.75)), to = 3 * pi - from;
  for (size_t i = 0; i < cap.size(); ++i) {
    const double t = from + (to - from) * double(i) / double(cap.size() - 1);
    cap[i] = f.at({f.half_width * std::cos(t), f.half_height * std::sin(t)}, size);
  }
  fill_polygon(image, cap, hair);

  for (const int side : {0, 1}) {
    const Point eye = f.points[right_eye + side], above = f.points[right_brow + side];
    const Point reach{0.045 * f.squeeze, 0};
    line(above - reach, above + reach, 0.02, brow);
    ellipse(eye, 0.05 * f.squeeze, 0.028, white_of_eye);
    ellipse(eye, 0.024 * f.squeeze, 0.024, iris);
  }
  const Point tip = f.points[nose], root{(f.points[right_eye].x + f.points[left_eye].x) / 2, -0.06};
  line(root, tip, 0.022, nose_line);
  const Point right = f.points[right_mouth], left = f.points[left_mouth];
  ellipse(0.5 * (right + left), (left.x - right.x) / 2, r.uniform(0.005, 0.05), lips);
  return image;
}

using Rgb = std::array<float, 3>;  // 0..255

Rgb random_rgb(Random& r, const Rgb& low, const Rgb& high) {
  Rgb colour;
  for (size_t c = 0; c < 3; ++c) colour[c] = float(r.uniform(low[c], high[c]));
  return colour;
}

Rgb mixed(const Rgb& a, const Rgb& b, float share) {
  return {a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2])};
}

// From -1 in one corner of the image to 1 in the opposite one, in a random direction.
class Ramp {
 public:
  Ramp(int size, Random& r) {
    const double angle = r.uniform(0, 2 * pi), c = std::cos(angle), s = std::sin(angle);
    const double per_pixel = 2 / (size * (std::abs(c) + std::abs(s)));
    x_ = float(c * per_pixel);
    y_ = float(s * per_pixel);
    middle_ = float(size - 1) / 2;
  }
  float operator()(int x, int y) const {
    return x_ * (float(x) - middle_) + y_ * (float(y) - middle_);
  }

 private:
  float x_, y_, middle_;
};

// Means over the samples of every pixel. The background is constant within a pixel.
Tensor coloured(const GrayImage& drawn, Random& r) {
  const int size = drawn.width / samples;
  const Rgb ends[2] = {random_rgb(r, {0, 0, 0}, {255, 255, 255}),
                       random_rgb(r, {0, 0, 0}, {255, 255, 255})};
  std::array<Rgb, parts> colours;
  const Rgb pale = random_rgb(r, {225, 185, 155}, {255, 225, 200});
  const Rgb dark = random_rgb(r, {110, 70, 45}, {140, 95, 70});
  colours[skin] = mixed(pale, dark, float(r.uniform()));
  colours[hair] = random_rgb(r, {10, 8, 5}, {80, 55, 40});
  colours[brow] = mixed(colours[hair], {0, 0, 0}, 0.3f);
  colours[white_of_eye] = random_rgb(r, {230, 230, 225}, {255, 255, 255});
  colours[iris] = random_rgb(r, {10, 10, 10}, {60, 70, 80});
  colours[nose_line] = mixed(colours[skin], {0, 0, 0}, 0.3f);
  colours[lips] = random_rgb(r, {130, 30, 30}, {190, 70, 70});
  const Ramp behind(size, r), light(size, r);

  Tensor image = Tensor::empty({size, size, 3});
  float* out = image.data<float>();
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x) {
      colours[background] = mixed(ends[0], ends[1], 0.5f + 0.5f * behind(x, y));
      Rgb sum{};
      for (int i = 0; i < samples; ++i)
        for (int j = 0; j < samples; ++j) {
          const Rgb& seen = colours[drawn.row(samples * y + i)[samples * x + j]];
          for (size_t c = 0; c < 3; ++c) sum[c] += seen[c];
        }
      const float scale = (1 + 0.15f * light(x, y)) / (samples * samples);
      for (size_t c = 0; c < 3; ++c) *out++ = scale * sum[c];
    }
  return image;
}

// Numbers apart from those of the other generators at the same seed and index.
Random numbers(const SynthFaceOptions& o, int64_t index) {
  if (o.size < 16 || o.size > 512)
    throw UsageError("synth_face", text("an image of ", o.size, " pixels"), "16 to 512",
                     "choose another size");
  return Random(o.seed, uint64_t(index), uint64_t{240} << 40);
}

std::vector<Point> pixels(const Face& f, int size) {
  std::vector<Point> points;
  for (const Point& p : f.points) points.push_back(f.at(p, size));
  return points;
}

}  // namespace

const Skeleton& synth_face_skeleton() {
  static const Skeleton skeleton{
      {"right_eye", "left_eye", "nose", "right_mouth", "left_mouth", "chin", "right_brow",
       "left_brow", "right_contour", "left_contour"},
      {1, 0, 2, 4, 3, 5, 7, 6, 9, 8},
      {},
      {}};
  return skeleton;
}

SynthFace synth_face(const SynthFaceOptions& o, int64_t index) {
  Random r = numbers(o, index);
  const Face face = random_face(r);
  Tensor image = coloured(drawn_parts(face, samples * o.size, r), r);
  add_noise(image, 0.02 * 255, r);
  SynthFace result{Tensor::empty(image.shape(), DType::u8), pixels(face, o.size)};
  const float* from = image.data<float>();
  uint8_t* to = result.image.data<uint8_t>();
  for (int64_t i = 0; i < image.count(); ++i)
    to[i] = uint8_t(std::clamp(from[i], 0.f, 255.f) + 0.5f);
  return result;
}

std::vector<Point> synth_face_points(const SynthFaceOptions& o, int64_t index) {
  Random r = numbers(o, index);
  return pixels(random_face(r), o.size);
}

}  // namespace cairn
