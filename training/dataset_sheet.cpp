#include "training/dataset_sheet.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include "runtime/error.h"
#include "runtime/image.h"
#include "training/draw.h"
#include "training/draw_skeleton.h"

namespace cairn {
namespace {

struct Subject {
  const AnnotatedImage* image;
  const Instance* instance;
};

std::vector<Subject> subjects(const KeypointDataset& data) {
  std::vector<Subject> all;
  for (const AnnotatedImage& image : data.images)
    for (const Instance& i : image.instances)
      if (i.labelled_points() > 0) all.push_back({&image, &i});
  return all;
}

// Whole pixels: the first column and row, and how many.
struct Window {
  int64_t left, top, width, height;
};

// The box and all points with a tenth around, but not much beyond the image.
Window window_of(const Instance& instance, const Tensor& image) {
  Bounds seen = bounds(instance);
  const Box& box = instance.box;
  seen.add({box.x, box.y});
  seen.add({box.x + box.width, box.y + box.height});
  const double margin = 4 + 0.1 * std::max(seen.right - seen.left, seen.bottom - seen.top);
  const auto W = double(image.dim(1)), H = double(image.dim(0));
  const auto within = [](double v, double size) {
    return int64_t(std::floor(std::clamp(v, -0.25 * size, 1.25 * size)));
  };
  const int64_t l = within(seen.left - margin, W), t = within(seen.top - margin, H);
  return {l, t, std::max<int64_t>(1, within(seen.right + margin, W) - l + 1),
          std::max<int64_t>(1, within(seen.bottom + margin, H) - t + 1)};
}

Tensor cut(const Tensor& image, const Window& w) {
  Canvas canvas(w.height, w.width, {0, 0, 0});
  canvas.paste(image, -w.left, -w.top);
  return canvas.image();
}

std::optional<Tile> tile_of(const Subject& s, const Skeleton& skeleton, int64_t side) {
  Tensor image;
  try {
    image = read_image(s.image->path, 3);
  } catch (const Error&) {
    return {};
  }
  const Window w = window_of(*s.instance, image);
  const Tensor part = fitted(cut(image, w), side);
  const double sx = double(part.dim(1)) / double(w.width),
               sy = double(part.dim(0)) / double(w.height);
  std::vector<LabelledPoint> points = s.instance->points;
  for (LabelledPoint& p : points) {
    p.x = (p.x - double(w.left) + 0.5) * sx - 0.5;
    p.y = (p.y - double(w.top) + 0.5) * sy - 0.5;
  }
  Canvas canvas(part, int(std::clamp<int64_t>(side / std::max(part.dim(0), part.dim(1)), 1, 8)));
  draw_skeleton(canvas, skeleton, points);
  const std::string name = std::filesystem::path(s.image->path).filename().string();
  return Tile{canvas.image(), text(name, ", ", s.instance->id)};
}

}  // namespace

Tensor dataset_sheet(const KeypointDataset& data, const SheetOptions& o) {
  const std::vector<Subject> all = subjects(data);
  std::vector<Tile> tiles;
  const int64_t n = std::min<int64_t>(o.count, int64_t(all.size()));
  for (int64_t i = 0; i < n; ++i)
    if (auto tile = tile_of(all[size_t(i * int64_t(all.size()) / n)], data.skeleton, o.tile))
      tiles.push_back(std::move(*tile));
  if (tiles.empty())
    throw Error(data.source, text("none of ", n, " annotations could be drawn"),
                "a labelled point in an image that can be read",
                "look at the report of cairn check");
  return contact_sheet(tiles, o.columns, o.tile);
}

}  // namespace cairn
