#include "training/synthetic_shapes.h"

#include <cstring>
#include <numeric>

#include "runtime/error.h"
#include "training/filters.h"
#include "training/shapes/background.h"
#include "training/shapes/canvas.h"

namespace cairn {
namespace {

struct Entry {
  const char* name;
  void (*draw)(shapes::Canvas&);
};

const Entry entries[primitive_count] = {
    {"lines", shapes::draw_lines},
    {"polygon", shapes::draw_polygon},
    {"multiple_polygons", shapes::draw_multiple_polygons},
    {"ellipses", shapes::draw_ellipses},
    {"star", shapes::draw_star},
    {"checkerboard", shapes::draw_checkerboard},
    {"stripes", shapes::draw_stripes},
    {"cube", shapes::draw_cube},
    {"gaussian_noise", shapes::draw_gaussian_noise},
};

// Canvas pixels per output pixel.
int reduction(const SyntheticShapes& options) {
  for (int factor : {8, 4})
    if (options.height * factor == shapes::canvas_height &&
        options.width * factor == shapes::canvas_width)
      return factor;
  throw Error("synthetic shapes", text("size ", options.height, "x", options.width),
              "120x160 or 240x320 (the canvas of 960x1280 divided by 8 or 4)",
              "choose one of the two sizes");
}

}  // namespace

const char* name(Primitive p) { return entries[int(p)].name; }

LabelledImage synthetic_shape(const SyntheticShapes& options, Primitive primitive, uint64_t seed,
                              int64_t index) {
  const int factor = reduction(options);
  // Each primitive has numbers of its own, so that equal indices share no background.
  Random random(seed, uint64_t(index), uint64_t(primitive) << 40);
  shapes::Canvas canvas{random, {}, 0, {}};
  canvas.image = primitive == Primitive::gaussian_noise
                     ? GrayImage(shapes::canvas_height, shapes::canvas_width)
                     : shapes::smooth_background(random);
  canvas.background = int(canvas.image.mean());
  entries[int(primitive)].draw(canvas);

  const GrayImage reduced = blur_and_reduce(canvas.image, factor == 8 ? 21 : 11, factor);
  LabelledImage result;
  result.image = Tensor::empty({options.height, options.width, 1}, DType::u8);
  std::memcpy(result.image.raw(), reduced.pixels.data(), reduced.pixels.size());
  const double scale = 1.0 / factor;
  const Matrix3 to_output = options.compat_label_scale
                                ? Matrix3{{scale, 0, 0, 0, scale, 0, 0, 0, 1}}
                                : resizing(scale, scale);
  for (Point p : canvas.points) result.points.push_back(apply(to_output, p));
  return result;
}

LabelledImage synthetic_shape(const SyntheticShapes& options, uint64_t seed, int64_t index) {
  Random random(seed, uint64_t(index), uint64_t{primitive_count} << 40);
  double left =
      random.uniform() * std::accumulate(options.amounts.begin(), options.amounts.end(), 0.0);
  int chosen = 0;
  while (chosen + 1 < primitive_count && left >= options.amounts[chosen])
    left -= options.amounts[chosen++];
  return synthetic_shape(options, Primitive(chosen), seed, index);
}

}  // namespace cairn
