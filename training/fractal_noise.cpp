#include "training/fractal_noise.h"

#include <algorithm>
#include <cmath>

namespace cairn {
namespace {

// Twice the size, linear between the centres of pixels, periodic.
std::vector<float> doubled(const std::vector<float>& from, int rows, int columns) {
  std::vector<float> to(4 * from.size()), mixed(columns + 2);
  for (int y = 0; y < 2 * rows; ++y) {
    const int near = y / 2, far = (near + (y % 2 ? 1 : rows - 1)) % rows;
    const float *a = &from[size_t(near) * columns], *b = &from[size_t(far) * columns];
    for (int x = 0; x < columns; ++x) mixed[x + 1] = 0.75f * a[x] + 0.25f * b[x];
    mixed[0] = mixed[columns];
    mixed[columns + 1] = mixed[1];
    float* row = &to[size_t(y) * 2 * columns];
    for (int x = 0; x < columns; ++x) {
      row[2 * x] = 0.75f * mixed[x + 1] + 0.25f * mixed[x];
      row[2 * x + 1] = 0.75f * mixed[x + 1] + 0.25f * mixed[x + 2];
    }
  }
  return to;
}

}  // namespace

std::vector<float> fractal_noise(int height, int width, double exponent, Random& random) {
  int octaves = 0;
  while (std::min(height, width) >> octaves >= 8) ++octaves;
  int rows = ((height - 1) >> octaves) + 1, columns = ((width - 1) >> octaves) + 1;
  std::vector<float> field(size_t(rows) * columns, 0.f);
  float strength = 1;
  for (int octave = 0;; ++octave) {
    uint32_t bits = 0;
    for (size_t i = 0; i < field.size(); ++i) {
      bits = i % 4 ? bits >> 8 : random.bits();
      field[i] += strength * (float(bits & 255) - 127.5f);
    }
    if (octave == octaves) break;
    field = doubled(field, rows, columns);
    rows *= 2;
    columns *= 2;
    strength *= float(std::exp2(1 - exponent));
  }
  double sum = 0, squares = 0;
  for (float v : field) {
    sum += v;
    squares += double(v) * v;
  }
  const double mean = sum / double(field.size());
  const float m = float(mean),
              scale = float(1 / std::sqrt(squares / double(field.size()) - mean * mean));
  std::vector<float> out(size_t(height) * width);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      out[size_t(y) * width + x] = scale * (field[size_t(y) * columns + x] - m);
  return out;
}

}  // namespace cairn
