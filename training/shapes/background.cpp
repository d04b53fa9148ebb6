#include "training/shapes/background.h"

#include "training/shapes/canvas.h"

namespace cairn::shapes {
namespace {

constexpr int block = 8;

// Where the integral of a piecewise constant function, one value per block, is read: at `part`
// pixels into block `index` (pixel x spans [x, x + 1]). Outside, the function goes on by reflection
// about the centre of its first or last pixel, at m: the integral is 2 F(m) - F(mirrored place).
struct Edge {
  int index;
  float part;
  bool mirrored;
  bool far_side;
};

struct Windows {
  std::vector<Edge> low, high;  // of the window around the centre of each block
  Edge near_mirror, far_mirror;

  Windows(int blocks, int side) {
    const double length = blocks * block;
    const auto plain = [&](double e) {
      const int i = std::min(int(e / block), blocks - 1);
      return Edge{i, float(e - i * block), false, false};
    };
    const auto edge = [&](double e) {
      Edge result;
      if (e < 0.5) {
        result = plain(1 - e);
        result.mirrored = true;
      } else if (e > length - 0.5) {
        result = plain(2 * length - 1 - e);
        result.mirrored = result.far_side = true;
      } else {
        result = plain(e);
      }
      return result;
    };
    for (int i = 0; i < blocks; ++i) {
      const double begin = i * block + (block - 1) / 2.0 - side / 2;
      low.push_back(edge(begin));
      high.push_back(edge(begin + side));
    }
    near_mirror = plain(0.5);
    far_mirror = plain(length - 0.5);
  }
};

// Box means down the columns of values[n][lines]; the inner loops run over the columns, which are
// contiguous.
std::vector<float> box_means(const std::vector<float>& values, int n, int lines, int side) {
  const Windows windows(n, side);
  std::vector<float> prefix(size_t(n) * lines, 0.f);
  for (int i = 1; i < n; ++i)
    for (int k = 0; k < lines; ++k)
      prefix[i * lines + k] = prefix[(i - 1) * lines + k] + block * values[(i - 1) * lines + k];
  const auto integral = [&](const Edge& e, int k) {
    return prefix[e.index * lines + k] + e.part * values[e.index * lines + k];
  };
  std::vector<float> at_near(lines), at_far(lines), sum(lines);
  for (int k = 0; k < lines; ++k) {
    at_near[k] = 2 * integral(windows.near_mirror, k);
    at_far[k] = 2 * integral(windows.far_mirror, k);
  }
  const auto add = [&](const Edge& e, float sign) {
    if (e.mirrored) {
      const std::vector<float>& twice = e.far_side ? at_far : at_near;
      for (int k = 0; k < lines; ++k) sum[k] += sign * (twice[k] - integral(e, k));
    } else {
      for (int k = 0; k < lines; ++k) sum[k] += sign * integral(e, k);
    }
  };
  std::vector<float> means(values.size());
  for (int i = 0; i < n; ++i) {
    std::fill(sum.begin(), sum.end(), 0.f);
    add(windows.high[i], 1);
    add(windows.low[i], -1);
    for (int k = 0; k < lines; ++k) means[i * lines + k] = sum[k] / float(side);
  }
  return means;
}

std::vector<float> transposed(const std::vector<float>& values, int rows, int columns) {
  std::vector<float> result(values.size());
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) result[j * rows + i] = values[i * columns + j];
  return result;
}

// Linear between the centres of blocks, constant beyond the outermost; in 16-bit arithmetic with
// 4 bits after the point.
GrayImage interpolated(const std::vector<float>& values, int rows, int columns) {
  const int width = columns * block;
  std::vector<uint16_t> wide(size_t(rows) * width);
  for (int i = 0; i < rows; ++i) {
    const float* from = values.data() + size_t(i) * columns;
    uint16_t* to = wide.data() + size_t(i) * width;
    for (int x = 0; x < width; ++x) {
      const int twice = 2 * x + 1 + block;  // twice the distance from the centre before column 0
      const int j = twice / (2 * block) - 1;
      const float w = float(twice % (2 * block)) / (2 * block);
      const float a = from[std::max(j, 0)], b = from[std::min(j + 1, columns - 1)];
      to[x] = uint16_t(16 * (a + w * (b - a)) + 0.5f);
    }
  }
  GrayImage image(rows * block, width);
  for (int y = 0; y < image.height; ++y) {
    const int twice = 2 * y + 1 + block, i = twice / (2 * block) - 1;
    const uint16_t w = uint16_t(twice % (2 * block)), v = uint16_t(16 - w);
    const uint16_t* a = wide.data() + size_t(std::max(i, 0)) * width;
    const uint16_t* b = wide.data() + size_t(std::min(i + 1, rows - 1)) * width;
    uint8_t* to = image.row(y);
    for (int x = 0; x < width; ++x)  // at most 16 * 16 * 255 + 128 < 2^16
      to[x] = uint8_t(uint16_t(uint16_t(a[x] * v) + uint16_t(b[x] * w) + 128) >> 8);
  }
  return image;
}

}  // namespace

BlockMeans::BlockMeans(const GrayImage& image)
    : height(image.height / block), width(image.width / block), values(size_t(height) * width) {
  std::vector<uint16_t> columns(image.width);
  for (int i = 0; i < height; ++i) {
    std::fill(columns.begin(), columns.end(), uint16_t{0});
    for (int y = i * block; y < (i + 1) * block; ++y) {
      const uint8_t* row = image.row(y);
      for (int x = 0; x < image.width; ++x) columns[x] = uint16_t(columns[x] + row[x]);
    }
    for (int j = 0; j < width; ++j) {
      int sum = 0;
      for (int x = j * block; x < (j + 1) * block; ++x) sum += columns[x];
      values[i * width + j] = float(sum) / (block * block);
    }
  }
}

GrayImage wide_box_blur(const BlockMeans& blocks, int side) {
  const int h = blocks.height, w = blocks.width;
  const std::vector<float> down = box_means(blocks.values, h, w, side);
  const std::vector<float> across = box_means(transposed(down, h, w), w, h, side);
  return interpolated(transposed(across, w, h), h, w);
}

RoughBackground::RoughBackground(Random& random) {
  // Noise uniform in 0..254; values above a threshold in 0..255 become 255, the others 0.
  level = std::max(0, 254 - random.integer(0, 255));
  Canvas canvas{random, GrayImage(canvas_height, canvas_width, uint8_t(level)), level, {}};
  for (int i = 0; i < 100; ++i) {
    const Point centre = random_centre(canvas, 0);
    const int radius = random.integer(25, 38);  // 2 % to 3 % of the longer side
    fill_disc(canvas.image, centre, radius, canvas.colour());
  }
  side = random.integer(150, 499);
  image = std::move(canvas.image);
}

GrayImage smooth_background(Random& random) {
  const RoughBackground rough(random);
  BlockMeans blocks(rough.image);
  const double p = rough.level / 255.0, sd = 255 * std::sqrt(p * (1 - p)) / block;
  const float scale = float(sd / std::sqrt(21845.0));  // of a sum of four bytes: 4 (2^16 - 1) / 12
  for (float& mean : blocks.values) {
    const uint32_t bits = random.bits();
    const int sum =
        int(bits & 255) + int(bits >> 8 & 255) + int(bits >> 16 & 255) + int(bits >> 24);
    if (mean == float(rough.level)) mean += scale * float(sum - 510);
  }
  return wide_box_blur(blocks, rough.side);
}

}  // namespace cairn::shapes
