#include "training/homographic_pairs.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/augment/photometric.h"
#include "kernels/points/detector_labels.h"
#include "runtime/error.h"
#include "runtime/threads.h"
#include "training/detector_rows.h"
#include "training/image_warp.h"

namespace cairn {
namespace {

// Random numbers of one pair. The image itself may be drawn from lower counters.
enum class Use : uint64_t { homography, photometric, partner_photometric, labels, partner_labels };
Random numbers(uint64_t seed, int64_t index, Use use) {
  return Random(seed, uint64_t(index), (uint64_t(use) + 96) << 40);
}

Batch empty_batch(const PairImages& images, int64_t pairs, const ImageCache* cache) {
  const int64_t rows = 2 * pairs, height = images.height, width = images.width;
  Batch b = empty_detector_rows(rows, height, width, images.most_points);
  b["homography"] = Tensor::empty({pairs, 9});
  if (!cache) {
    b["crop"] = Tensor::empty({rows, height, width, 1}, DType::u8);
    return b;
  }
  ImageCache::make_room(b, rows);
  if (cache->has_guests()) b["guests"] = Tensor::zeros({pairs, height, width, 1}, DType::u8);
  return b;
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

// What is seen of an image: of which level, and the map from the view's pixels to the level's.
struct View {
  int64_t level;
  Matrix3 to_level;
  Tensor valid;
};

View view_of(const ImageLevels& from, const Matrix3& to_whole, int margin) {
  const int64_t height = from.levels[0].image.dim(0), width = from.levels[0].image.dim(1);
  const Point centre{double(width - 1) / 2, double(height - 1) / 2};
  const int64_t level = std::lround(
      std::clamp(-std::log2(scale_at(to_whole, centre)), 0.0, double(from.levels.size() - 1)));
  const double size = std::exp2(level);
  return {level, resizing(size, size) * to_whole,
          seen_cells(to_whole, int(height), int(width), margin, detector_cell)};
}

// Row `row` of a batch shows `view` of the image of pair `pair`.
void put_pixels(Batch& batch, int64_t row, const View& view, const ImageLevels& from, int64_t pair,
                const ImageCache* cache) {
  if (!cache) {
    Tensor crop = batch.at("crop").rows(row, row + 1);
    crop.copy_from(
        warped(from.levels[size_t(view.level)].image, view.to_level, crop.dim(1), crop.dim(2))
            .reshape(crop.shape()));
    return;
  }
  const int64_t index = from.kept >= 0 ? from.kept + view.level : cache->count() + pair;
  cache->put_crop(batch, row, index, view.to_level, /*block=*/1);
}

// All else of that row.
void put_labels(Batch& batch, int64_t row, const View& view, const ImageLevels& from,
                const HomographicPairs& options, Random photometric, Random labels) {
  const Tensor& first = from.levels[0].image;
  PhotometricDraw changes;
  if (options.augment_photometric)
    changes = random_changes(options.photometric, first.dim(0), first.dim(1), photometric);
  put_detector_row(
      batch, row,
      {changes, row, from.levels[size_t(view.level)].points, inverse(view.to_level), view.valid},
      labels);
}

// Pair `pair` of a batch.
void draw_pair(Batch& batch, int64_t pair, const ImageLevels& from, const HomographicPairs& options,
               uint64_t seed, int64_t index, const ImageCache* cache) {
  const Tensor& first = from.levels[0].image;
  const int height = int(first.dim(0)), width = int(first.dim(1));
  Random random = numbers(seed, index, Use::homography);
  const Matrix3 h = random_homography(options.homography, height, width, random);
  const auto [image_window, partner_window] =
      random_windows(from.levels.size(), height, width, random);
  const Matrix3 partner_view = partner_window * h;
  const Matrix3 to_partner = inverse(partner_view) * image_window;
  std::copy(to_partner.m.begin(), to_partner.m.end(),
            batch.at("homography").data<float>() + 9 * pair);

  const int64_t partner_row = batch.at("homography").dim(0) + pair;
  const View image = view_of(from, image_window, options.homography.erosion_margin),
             partner = view_of(from, partner_view, options.homography.erosion_margin);
  put_pixels(batch, pair, image, from, pair, cache);
  put_pixels(batch, partner_row, partner, from, pair, cache);
  put_labels(batch, pair, image, from, options, numbers(seed, index, Use::photometric),
             numbers(seed, index, Use::labels));
  put_labels(batch, partner_row, partner, from, options,
             numbers(seed, index, Use::partner_photometric),
             numbers(seed, index, Use::partner_labels));
  if (cache && from.kept < 0)
    batch.at("guests").rows(pair, pair + 1).copy_from(first.reshape({1, height, width, 1}));
}

}  // namespace

Batch draw_pair_batch(const PairImages& images, const HomographicPairs& options, uint64_t seed,
                      int size, int64_t number, const ImageCache* cache) {
  if (images.height % detector_cell || images.width % detector_cell)
    throw Error("draw_pair_batch", text("images of ", images.height, "x", images.width),
                "sides that are multiples of 8", "pad or crop them");
  Batch batch = empty_batch(images, size, cache);
  parallel_for(size, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t index = number * size + i;
      draw_pair(batch, i, images.at(index), options, seed, index, cache);
    }
  });
  return batch;
}

PairBatch rendered_pairs(const Batch& drawn, ImageCache* cache) {
  const Tensor& valid = drawn.at("valid");
  const Shape images{valid.dim(0), detector_cell * valid.dim(1), detector_cell * valid.dim(2), 1};
  if (cache && cache->has_guests()) cache->take_in(drawn.at("guests"));
  const Tensor seen = cache ? cache->crops(drawn, images[1], images[2]) : drawn.at("crop");
  Tensor image = Tensor::empty(images, DType::f32, valid.device()),
         label = Tensor::empty(valid.shape(), DType::i32, valid.device());
  photometric(seen, drawn.at("plan"), drawn.at("amounts"), image);
  detector_labels(drawn.at("points"), drawn.at("keys"), label);
  return {image, label, valid, drawn.at("homography")};
}

}  // namespace cairn
