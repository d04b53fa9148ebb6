#include "training/textures.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#include "training/textures/sheet.h"

namespace cairn {
namespace {

using textures::Sheet;

// Numbers apart from those of the synthetic shapes of the same seed and index.
Random numbers(const TextureOptions& options, int64_t index) {
  return Random(options.seed, uint64_t(index), uint64_t{160} << 40);
}

TextureKind draw_kind(Random& random) {
  const double u = random.uniform();
  if (u < 0.25) return TextureKind::leaves;
  if (u < 0.35) return TextureKind::noise;
  if (u < 0.52) return TextureKind::shapes;
  if (u < 0.65) return TextureKind::strokes;
  return TextureKind::collage;
}

void draw_background(Sheet& sheet) {
  const double range = sheet.bright() - sheet.dark();
  if (sheet.random.uniform() < 0.7)
    sheet.noise_background(sheet.level(), sheet.random.uniform(0.03, 0.2) * range);
  else
    sheet.gradient_background();
}

int times(const Sheet& sheet, double count) {
  return std::max(1, int(std::lround(count * sheet.area())));
}

void draw_collage(Sheet& sheet) {
  Random& random = sheet.random;
  draw_leaves(sheet, times(sheet, random.uniform(50, 500)), 12, 300);
  for (int layers = random.integer(1, 3); layers > 0; --layers) {
    draw_shapes(sheet, times(sheet, random.uniform(3, 14)));
    draw_strokes(sheet, times(sheet, random.uniform(0, 2.5)));
    draw_leaves(sheet, times(sheet, textures::log_uniform(random, 5, 300)), 6, 120);
  }
}

// Light that falls unevenly, and surfaces that are never quite even: a slope across the image and
// weak 1/f noise, both multiplied.
void shade(Sheet& sheet) {
  Random& random = sheet.random;
  GrayImage& image = sheet.image;
  const float strength = float(random.uniform(0.01, 0.12)), slope = float(random.uniform(0, 0.5));
  const double angle = textures::random_angle(random);
  const float slope_x = slope * float(std::cos(angle)) / float(image.width);
  const float slope_y = slope * float(std::sin(angle)) / float(image.height);
  const std::vector<float> noise =
      fractal_noise(image.height, image.width, random.uniform(0.9, 1.5), random);
  for (int y = 0; y < image.height; ++y) {
    const float row_light = 1 + slope_y * float(y - image.height / 2);
    const float* n = &noise[size_t(y) * size_t(image.width)];
    uint8_t* row = image.row(y);
    for (int x = 0; x < image.width; ++x) {
      const float light = row_light + slope_x * float(x - image.width / 2) + strength * n[x];
      row[x] = uint8_t(std::clamp(float(row[x]) * light, 0.f, 255.f));
    }
  }
}

// (1 2 1) / 4 along both axes: an edge becomes as wide as a lens leaves it.
void soften(GrayImage& image) {
  std::vector<uint8_t> above(image.row(0), image.row(0) + image.width), here(above);
  for (int y = 0; y < image.height; ++y) {
    uint8_t* row = image.row(y);
    const uint8_t* below = image.row(std::min(y + 1, image.height - 1));
    here.assign(row, row + image.width);
    for (int x = 0; x < image.width; ++x)
      row[x] = uint8_t((above[x] + 2 * here[x] + below[x] + 2) / 4);
    above.swap(here);
    int left = row[0];
    for (int x = 0; x < image.width; ++x) {
      const int middle = row[x], right = row[std::min(x + 1, image.width - 1)];
      row[x] = uint8_t((left + 2 * middle + right + 2) / 4);
      left = middle;
    }
  }
}

}  // namespace

const char* name(TextureKind kind) {
  const char* names[texture_kinds] = {"leaves", "noise", "shapes", "strokes", "collage"};
  return names[int(kind)];
}

TextureKind texture_kind(const TextureOptions& options, int64_t index) {
  Random random = numbers(options, index);
  return draw_kind(random);
}

GrayImage texture_source(const TextureOptions& options, int64_t index) {
  for (int side : {options.height, options.width})
    if (side < 16 || side > 4096)
      throw Error("texture", text("size ", options.height, "x", options.width),
                  "sides of 16 to 4096 pixels", "choose another size");
  Random random = numbers(options, index);
  const TextureKind kind = draw_kind(random);
  Sheet sheet(2 * options.height, 2 * options.width, random);
  if (kind == TextureKind::noise)
    draw_noise(sheet);
  else
    draw_background(sheet);
  switch (kind) {
    case TextureKind::leaves:
      draw_leaves(sheet, times(sheet, textures::log_uniform(random, 300, 3000)), 6, 240);
      break;
    case TextureKind::noise:
      break;
    case TextureKind::shapes:
      draw_shapes(sheet, times(sheet, random.uniform(8, 50)));
      break;
    case TextureKind::strokes:
      draw_strokes(sheet, times(sheet, random.uniform(3, 12)));
      break;
    case TextureKind::collage:
      draw_collage(sheet);
      break;
  }
  if (kind != TextureKind::noise) shade(sheet);
  if (random.uniform() < 0.5) soften(sheet.image);
  return std::move(sheet.image);
}

Tensor texture(const TextureOptions& options, int64_t index) {
  const GrayImage source = texture_source(options, index);
  Tensor image = Tensor::empty({options.height, options.width, 1}, DType::u8);
  uint8_t* to = image.data<uint8_t>();
  for (int y = 0; y < options.height; ++y) {
    const uint8_t *a = source.row(2 * y), *b = source.row(2 * y + 1);
    for (int x = 0; x < options.width; ++x)
      *to++ = uint8_t((a[2 * x] + a[2 * x + 1] + b[2 * x] + b[2 * x + 1] + 2) / 4);
  }
  return image;
}

}  // namespace cairn
