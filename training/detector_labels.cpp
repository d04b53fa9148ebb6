#include "training/detector_labels.h"

#include <cmath>
#include <vector>

#include "runtime/error.h"

namespace cairn {

Tensor detector_labels(std::span<const Point> points, int height, int width, Random& random) {
  if (height % detector_cell || width % detector_cell)
    throw Error("detector_labels", text("an image of ", height, "x", width),
                "sides that are multiples of 8", "pad or crop the image");
  const int columns = width / detector_cell;
  Tensor labels = Tensor::full({height / detector_cell, columns}, no_point, DType::i32);
  std::vector<uint8_t> taken(size_t(height) * width, 0);
  std::vector<int> in_cell(size_t(labels.count()), 0);
  for (Point p : points) {
    const double px = std::round(p.x), py = std::round(p.y);
    if (!(px >= 0 && px < width && py >= 0 && py < height)) continue;
    const int x = int(px), y = int(py), cell = y / detector_cell * columns + x / detector_cell;
    if (taken[size_t(y) * width + x]) continue;  // the same pixel twice is one candidate
    taken[size_t(y) * width + x] = 1;
    if (random.integer(1, ++in_cell[cell]) == 1)  // the k-th replaces with probability 1/k
      labels.data<int32_t>()[cell] = y % detector_cell * detector_cell + x % detector_cell;
  }
  return labels;
}

}  // namespace cairn
