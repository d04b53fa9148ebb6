#include "training/stickman.h"

#include <algorithm>
#include <cmath>

#include "geometry/point.h"
#include "runtime/error.h"
#include "runtime/random.h"
#include "training/draw.h"
#include "training/fractal_noise.h"

namespace cairn {
namespace {

constexpr double pi = 3.14159265358979323846;
double radians(double degrees) { return degrees * pi / 180; }

enum Joint {
  r_ankle,
  r_knee,
  r_hip,
  l_hip,
  l_knee,
  l_ankle,
  pelvis,
  thorax,
  upper_neck,
  head_top,
  r_wrist,
  r_elbow,
  r_shoulder,
  l_shoulder,
  l_elbow,
  l_wrist,
  joint_count
};

// A segment with round ends: what figures and patches are drawn with.
struct Capsule {
  Point a, b;
  double radius;
  Colour colour;

  bool covers(Point p) const {
    const Point d = b - a, v = p - a;
    const double length2 = d.x * d.x + d.y * d.y;
    const double t = length2 == 0 ? 0 : std::clamp((v.x * d.x + v.y * d.y) / length2, 0.0, 1.0);
    return std::hypot(v.x - t * d.x, v.y - t * d.y) <= radius;
  }
};

struct Figure {
  std::vector<Point> joints;
  std::vector<Capsule> body;  // in the order of drawing; the head last
};

Colour random_colour(Random& r) {
  return {uint8_t(r.integer(0, 255)), uint8_t(r.integer(0, 255)), uint8_t(r.integer(0, 255))};
}

// Near a part's own colour: parts can be told apart, persons differ.
Colour varied(Colour c, Random& r) {
  const auto vary = [&](int v) { return uint8_t(std::clamp(v + r.integer(-40, 40), 0, 255)); };
  return {vary(c.r), vary(c.g), vary(c.b)};
}

// Down, turned by `angle` towards the right of the image for side = +1, towards its left for -1.
Point along(double length, double angle, int side) {
  return {side * length * std::sin(angle), length * std::cos(angle)};
}

// Joints in units of the body's height around the pelvis, y down. Frontal: the person's right side
// is on the left of the image. Lengths vary by a fifth; both sides have the same.
std::vector<Point> random_pose(Random& r) {
  const auto length = [&](double mean) { return mean * r.uniform(0.8, 1.2); };
  const auto angle = [&](double low, double high) { return radians(r.uniform(low, high)); };
  const double torso = length(0.3), neck = length(0.05), head = length(0.14);
  const double hip = length(0.07), shoulder = length(0.115);
  const double upper_arm = length(0.17), forearm = length(0.15);
  const double thigh = length(0.24), shin = length(0.23);

  std::vector<Point> p(joint_count);
  const double lean = angle(-12, 12), tilt = lean + angle(-12, 12);
  p[thorax] = p[pelvis] - along(torso, lean, 1);
  p[upper_neck] = p[thorax] - along(neck, tilt, 1);
  p[head_top] = p[upper_neck] - along(head, tilt + angle(-10, 10), 1);
  struct Side {
    int side;
    Joint hip, knee, ankle, shoulder, elbow, wrist;
  };
  for (const Side& s : {Side{-1, r_hip, r_knee, r_ankle, r_shoulder, r_elbow, r_wrist},
                        Side{1, l_hip, l_knee, l_ankle, l_shoulder, l_elbow, l_wrist}}) {
    // Outwards is positive. The shoulders' line turns with the torso.
    p[s.hip] = p[pelvis] + Point{s.side * hip, 0};
    p[s.shoulder] = p[thorax] + shoulder * Point{s.side * std::cos(lean), -s.side * std::sin(lean)};
    const double raised = angle(-15, 160), bent = raised + angle(-100, 120);
    p[s.elbow] = p[s.shoulder] + along(upper_arm, raised, s.side);
    p[s.wrist] = p[s.elbow] + along(forearm, bent, s.side);
    const double spread = angle(-8, 50), knee = spread + angle(-50, 25);
    p[s.knee] = p[s.hip] + along(thigh, spread, s.side);
    p[s.ankle] = p[s.knee] + along(shin, knee, s.side);
  }
  return p;
}

Box enclosing(const std::vector<Point>& points) {
  Bounds bounds;
  for (const Point& p : points) bounds.add(p);
  return bounds.box();
}

Point centre(const Box& b) { return {b.x + b.width / 2, b.y + b.height / 2}; }

// The pose in the image, its joints' box centred at `at`; `size` is the body's height in pixels.
Figure random_figure(Random& r, Point at, double size, double rotation) {
  Figure f;
  f.joints = random_pose(r);
  const double cosine = size * std::cos(rotation), sine = size * std::sin(rotation);
  for (Point& p : f.joints) p = {cosine * p.x - sine * p.y, sine * p.x + cosine * p.y};
  const Point shift = at - centre(enclosing(f.joints));
  for (Point& p : f.joints) p = p + shift;

  const Colour skin = varied({225, 170, 130}, r), sleeve = varied({200, 60, 50}, r),
               shirt = varied({60, 90, 200}, r), thigh = varied({60, 150, 70}, r),
               shin = varied({215, 190, 60}, r), face = varied({235, 200, 190}, r),
               hip = varied({120, 70, 150}, r);
  const auto limb = [&](Joint a, Joint b, double radius, Colour colour) {
    f.body.push_back({f.joints[a], f.joints[b], radius * size, colour});
  };
  limb(r_knee, r_ankle, 0.026, shin);
  limb(l_knee, l_ankle, 0.026, shin);
  limb(r_hip, r_knee, 0.033, thigh);
  limb(l_hip, l_knee, 0.033, thigh);
  limb(pelvis, thorax, 0.06, shirt);
  limb(r_hip, l_hip, 0.035, hip);
  limb(r_shoulder, l_shoulder, 0.035, shirt);
  limb(r_shoulder, r_elbow, 0.027, sleeve);
  limb(l_shoulder, l_elbow, 0.027, sleeve);
  limb(r_elbow, r_wrist, 0.022, skin);
  limb(l_elbow, l_wrist, 0.022, skin);
  limb(thorax, upper_neck, 0.022, face);
  // The head ends at its two joints, round ends included.
  const Point up = f.joints[head_top] - f.joints[upper_neck];
  const double length = std::hypot(up.x, up.y), radius = 0.38 * length;
  const Point end = (radius / length) * up;
  f.body.push_back({f.joints[upper_neck] + end, f.joints[head_top] - end, radius, face});
  return f;
}

std::vector<Capsule> random_patches(Random& r, const Figure& over, double size) {
  std::vector<Capsule> patches;
  for (int left = r.integer(1, 3); left > 0; --left) {
    const Point near = over.joints[size_t(r.integer(0, joint_count - 1))];
    const double angle = r.uniform(0, 2 * pi), half = r.uniform(0, 0.12) * size;
    const Point reach{half * std::cos(angle), half * std::sin(angle)};
    const Point at = near + Point{r.uniform(-0.06, 0.06) * size, r.uniform(-0.06, 0.06) * size};
    patches.push_back({at - reach, at + reach, r.uniform(0.03, 0.09) * size, random_colour(r)});
  }
  return patches;
}

// Two fields of 1/f noise, each along a colour of its own.
Tensor random_background(int size, Random& r) {
  Tensor image = Tensor::empty({size, size, 3}, DType::u8);
  const double exponent = r.uniform(0.8, 1.5);
  const std::vector<float> a = fractal_noise(size, size, exponent, r),
                           b = fractal_noise(size, size, exponent, r);
  float base[3], along_a[3], along_b[3];
  const double contrast = r.uniform(10, 45);
  for (int c = 0; c < 3; ++c) {
    base[c] = float(r.uniform(40, 215));
    along_a[c] = float(contrast * r.uniform(0.6, 1.2));
    along_b[c] = float(contrast * r.uniform(-0.7, 0.7));
  }
  uint8_t* p = image.data<uint8_t>();
  for (size_t i = 0; i < a.size(); ++i)
    for (int c = 0; c < 3; ++c)
      *p++ = uint8_t(std::clamp(base[c] + along_a[c] * a[i] + along_b[c] * b[i], 0.f, 255.f));
  return image;
}

// Every byte moves by at most `most`: nothing is perfectly flat in a photograph.
void add_grain(Tensor& image, int most, Random& r) {
  uint8_t* p = image.data<uint8_t>();
  uint32_t bits = 0;
  for (int64_t i = 0; i < image.count(); ++i) {
    bits = i % 4 ? bits >> 8 : r.bits();
    p[i] = uint8_t(std::clamp(int(p[i]) + (int(bits & 255) * (2 * most + 1) >> 8) - most, 0, 255));
  }
}

Instance labelled(const Figure& f, int64_t id, const std::vector<Capsule>& above) {
  Instance instance;
  instance.id = id;
  for (const Point& p : f.joints) {
    const bool hidden =
        std::any_of(above.begin(), above.end(), [&](const Capsule& c) { return c.covers(p); });
    instance.points.push_back({p.x, p.y, hidden ? Visibility::hidden : Visibility::visible});
  }
  instance.box = enclosing(f.joints);
  complete(instance);
  const Capsule& head = f.body.back();
  Box box = enclosing({head.a, head.b});
  instance.head = Box{box.x - head.radius, box.y - head.radius, box.width + 2 * head.radius,
                      box.height + 2 * head.radius};
  return instance;
}

void moved(Figure& f, Point by) {
  for (Point& p : f.joints) p = p + by;
  for (Capsule& c : f.body) c.a = c.a + by, c.b = c.b + by;
}

}  // namespace

Stickman stickman(const StickmanOptions& o, int64_t index, bool on_distractor) {
  if (o.size < 32 || o.size > 1024)
    throw UsageError("stickman", text("an image of ", o.size, " pixels"), "32 to 1024",
                     "choose another size");
  // Numbers apart from those of shapes and textures of the same seed and index.
  Random r(o.seed, uint64_t(index), uint64_t{200} << 40);
  const Point middle{(o.size - 1) / 2.0, (o.size - 1) / 2.0};
  const auto body_height = [&] { return o.size * o.height * r.uniform(o.scale_low, o.scale_high); };
  const auto rotation = [&] { return radians(r.uniform(-o.rotation, o.rotation)); };

  const double height = body_height();
  std::vector<Figure> figures{random_figure(r, middle, height, rotation())};
  if (r.uniform() < o.distractor) {
    const double direction = r.uniform(0, 2 * pi), distance = o.size * r.uniform(0.38, 0.6);
    const Point at = middle + Point{distance * std::cos(direction), distance * std::sin(direction)};
    const double its_height = body_height();
    figures.push_back(random_figure(r, at, its_height, rotation()));
  }
  std::vector<Capsule> patches;
  if (r.uniform() < o.occluder) patches = random_patches(r, figures[0], height);

  if (on_distractor && figures.size() == 2) {
    const Point by = middle - centre(enclosing(figures[1].joints));
    for (Figure& f : figures) moved(f, by);
    for (Capsule& c : patches) c.a = c.a + by, c.b = c.b + by;
  }

  Canvas canvas(random_background(o.size, r));
  const auto draw = [&](const std::vector<Capsule>& capsules) {
    for (const Capsule& c : capsules) canvas.line(c.a, c.b, 2 * c.radius, c.colour);
  };
  for (size_t i = figures.size(); i-- > 0;) draw(figures[i].body);
  draw(patches);
  Stickman result{canvas.image(), {}};
  add_grain(result.image, r.integer(0, 16), r);

  result.figures.push_back(labelled(figures[0], 0, patches));
  if (figures.size() == 2) {
    std::vector<Capsule> above = figures[0].body;
    above.insert(above.end(), patches.begin(), patches.end());
    result.figures.push_back(labelled(figures[1], 1, above));
  }
  return result;
}

}  // namespace cairn
