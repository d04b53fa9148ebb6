#include "training/homographic_pairs.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "runtime/threads.h"
#include "training/detector_labels.h"
#include "training/grey_image.h"
#include "training/image_warp.h"

namespace cairn {
namespace {

// Random numbers of one pair. The image itself may be drawn from lower counters.
enum class Use : uint64_t { homography, photometric, partner_photometric, labels, partner_labels };
Random numbers(uint64_t seed, int64_t index, Use use) {
  return Random(seed, uint64_t(index), (uint64_t(use) + 96) << 40);
}

PairBatch empty_batch(int64_t pairs, int64_t height, int64_t width) {
  const Shape cells{2 * pairs, height / detector_cell, width / detector_cell};
  return {Tensor::empty({2 * pairs, height, width, 1}), Tensor::empty(cells, DType::i32),
          Tensor::empty(cells, DType::u8), Tensor::empty({pairs, 9})};
}

// Row `row` of a batch: its image (values of 0..255), its points, its valid cells.
struct Side {
  Tensor image;
  std::vector<Point> points;
  Tensor valid;
};
void fill_row(PairBatch& batch, int64_t row, const Side& side, const HomographicPairs& options,
              Random photometric, Random labels) {
  const int height = int(side.image.dim(0)), width = int(side.image.dim(1));
  const PhotometricDraw changes =
      options.augment_photometric ? random_changes(options.photometric, height, width, photometric)
                                  : PhotometricDraw{};
  const Tensor label = detector_labels(side.points, height, width, labels);
  batch.image.rows(row, row + 1)
      .copy_from(augmented(side.image, changes).reshape({1, height, width, 1}));
  batch.label.rows(row, row + 1).copy_from(label.reshape({1, label.dim(0), label.dim(1)}));
  batch.valid.rows(row, row + 1).copy_from(side.valid.reshape({1, label.dim(0), label.dim(1)}));
}

// From pixels of image and partner to those of level 0: two windows, one within the other.
std::array<Matrix3, 2> random_windows(size_t levels, double height, double width, Random& random) {
  std::array<double, 2> side;
  for (double& s : side) s = std::exp2(random.uniform(1 - double(levels), 0));
  const auto corner = [&](double room) {
    const double x = random.uniform(0, room * width);
    return Point{x, random.uniform(0, room * height)};
  };
  const size_t larger = side[0] < side[1] ? 1 : 0, smaller = 1 - larger;
  std::array<Point, 2> at;
  at[larger] = corner(1 - side[larger]);
  at[smaller] = at[larger] + corner(side[larger] - side[smaller]);
  std::array<Matrix3, 2> to_whole;
  for (size_t i : {0, 1}) to_whole[i] = translation(at[i].x, at[i].y) * resizing(side[i], side[i]);
  return to_whole;
}

// How many pixels `h` makes of one at p, along a side: the root of its Jacobian's determinant.
double scale_at(const Matrix3& h, Point p) {
  const double w = h(2, 0) * p.x + h(2, 1) * p.y + h(2, 2);
  return std::sqrt(std::abs(determinant(h) / (w * w * w)));
}

// What is seen through `to_whole`, from pixels of the view to those of level 0.
Side view_of(const ImageLevels& levels, const Matrix3& to_whole, int margin) {
  const int64_t height = levels[0].image.dim(0), width = levels[0].image.dim(1);
  const Point centre{double(width - 1) / 2, double(height - 1) / 2};
  const int64_t level = std::lround(
      std::clamp(-std::log2(scale_at(to_whole, centre)), 0.0, double(levels.size() - 1)));
  const double size = std::exp2(level);
  const LabelledImage& from = levels[size_t(level)];
  const Matrix3 to_level = resizing(size, size) * to_whole, to_view = inverse(to_level);

  const WarpedImage warp = warped(grey_values(from.image), to_level, height, width);
  Side view{warp.image, {}, whole_cells(eroded(warp.seen, margin), detector_cell)};
  for (const Point& p : from.points) view.points.push_back(apply(to_view, p));
  return view;
}

// Pair `pair` of a batch.
void fill_pair(PairBatch& batch, int64_t pair, const ImageLevels& from,
               const HomographicPairs& options, uint64_t seed, int64_t index) {
  const int height = int(from[0].image.dim(0)), width = int(from[0].image.dim(1));
  Random random = numbers(seed, index, Use::homography);
  const Matrix3 h = random_homography(options.homography, height, width, random);
  const auto [image_window, partner_window] = random_windows(from.size(), height, width, random);
  const Matrix3 partner_view = partner_window * h;
  const Matrix3 to_partner = inverse(partner_view) * image_window;

  const Side image = view_of(from, image_window, options.homography.erosion_margin);
  const Side partner = view_of(from, partner_view, options.homography.erosion_margin);
  const int64_t pairs = batch.homography.dim(0);
  fill_row(batch, pair, image, options, numbers(seed, index, Use::photometric),
           numbers(seed, index, Use::labels));
  fill_row(batch, pairs + pair, partner, options, numbers(seed, index, Use::partner_photometric),
           numbers(seed, index, Use::partner_labels));
  std::copy(to_partner.m.begin(), to_partner.m.end(), batch.homography.data<float>() + 9 * pair);
}

}  // namespace

PairBatch homographic_pair(const ImageLevels& from, const HomographicPairs& options, uint64_t seed,
                           int64_t index) {
  PairBatch batch = empty_batch(1, from[0].image.dim(0), from[0].image.dim(1));
  fill_pair(batch, 0, from, options, seed, index);
  return batch;
}

PairBatch pair_batch(const LabelledImages& images, const HomographicPairs& options, uint64_t seed,
                     int size, int64_t number) {
  const int64_t first = number * size;
  const ImageLevels sample = images(first);
  PairBatch batch = empty_batch(size, sample[0].image.dim(0), sample[0].image.dim(1));
  fill_pair(batch, 0, sample, options, seed, first);
  parallel_for(size - 1, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin + 1; i < end + 1; ++i)
      fill_pair(batch, i, images(first + i), options, seed, first + i);
  });
  return batch;
}

}  // namespace cairn
