#include "training/landmark_pictures.h"

#include <algorithm>
#include <cmath>

#include "training/draw_skeleton.h"
#include "training/grey_image.h"

namespace cairn {
namespace {

constexpr int64_t tile = 192;

// Image `n` of [N,...] without its first dimension, on cpu.
Tensor one_of(const Tensor& all, int64_t n) {
  const Tensor row = all.rows(n, n + 1);
  return row.reshape({all.dim(1), all.dim(2), all.dim(3)});
}

}  // namespace

Tensor coloured_maps(const Tensor& maps) {
  const int64_t pixels = maps.dim(0) * maps.dim(1), K = maps.dim(2) - 1;
  Tensor picture = Tensor::empty({maps.dim(0), maps.dim(1), 3}, DType::u8);
  for (int64_t u = 0; u < pixels; ++u) {
    double r = 0, g = 0, b = 0;
    for (int64_t k = 0; k < K; ++k) {
      const Colour c = point_colour(int(k), int(K));
      const double share = double(maps.data<float>()[u * (K + 1) + k]);
      r += share * c.r;
      g += share * c.g;
      b += share * c.b;
    }
    uint8_t* to = picture.data<uint8_t>() + u * 3;
    to[0] = uint8_t(std::min(255.0, r));
    to[1] = uint8_t(std::min(255.0, g));
    to[2] = uint8_t(std::min(255.0, b));
  }
  return picture;
}

Tensor with_landmarks(const Tensor& picture, const Keypoints& found, int scale) {
  Canvas canvas(picture, scale);
  const int K = int(found.points.size());
  for (int k = 0; k < K; ++k) {
    const Point at = canvas.at({found.points[size_t(k)][0], found.points[size_t(k)][1]});
    canvas.disc(at, 5, {0, 0, 0});
    canvas.disc(at, 4, point_colour(k, K));
  }
  return canvas.image();
}

namespace {

int enlargement(const Tensor& images) {
  return int(std::max<int64_t>(1, tile / std::max(images.dim(1), images.dim(2))));
}

// Pictures in a row; the last one decoded is looked at again.
class Strip {
 public:
  Strip(LandmarkAutoencoder& model, const Tensor& like) : model_(model), like_(like) {}

  void show(const Tensor& image, const char* caption) {
    const Tensor here = image.to(Device::cpu);
    tiles_.push_back({with_landmarks(grey_bytes(one_of(here, 0)), model_.detect(image, {}).at(0),
                                     enlargement(like_)),
                      caption});
  }
  void decode(const LandmarkAutoencoder::Code& code, const char* caption) {
    painted_ = model_.decode(code, like_.dim(1), like_.dim(2));
    tiles_.push_back(
        {Canvas(grey_bytes(one_of(painted_.to(Device::cpu), 0)), enlargement(like_)).image(),
         caption});
  }
  LandmarkStrip finished(const Tensor& asked) const {
    LandmarkStrip strip{
        contact_sheet(tiles_, int64_t(tiles_.size()), tile), {}, model_.detect(painted_, {}).at(0)};
    const std::vector<float> p = asked.to(Device::cpu).values<float>();
    for (size_t k = 0; k < strip.found.points.size(); ++k)
      strip.asked.points.push_back(
          {p[2 * k] * float(like_.dim(2)) - 0.5f, p[2 * k + 1] * float(like_.dim(1)) - 0.5f});
    return strip;
  }

 private:
  LandmarkAutoencoder& model_;
  const Tensor& like_;
  Tensor painted_;
  std::vector<Tile> tiles_;
};

}  // namespace

LandmarkStrip moved_strip(LandmarkAutoencoder& model, const Tensor& image,
                          const Tensor& displacement, int steps) {
  Strip strip(model, image);
  strip.show(image, "image");
  LandmarkAutoencoder::Code code = model.encode(image);
  const std::vector<float> from = code.points.values<float>(), by = displacement.values<float>();
  for (int i = 0; i <= steps; ++i) {
    std::vector<float> points = from;
    for (size_t c = 0; c < points.size(); ++c) points[c] += by[c] * float(i) / float(steps);
    code.points = Tensor::from(code.points.shape(), points, image.device());
    strip.decode(code, i == 0 ? "decoded" : i == steps ? "moved" : "");
  }
  return strip.finished(code.points);
}

LandmarkStrip exchanged_strip(LandmarkAutoencoder& model, const Tensor& image,
                              const Tensor& other) {
  Strip strip(model, image);
  strip.show(image, "image");
  strip.show(other, "appearance of");
  LandmarkAutoencoder::Code code = model.encode(image);
  strip.decode(code, "decoded");
  code.descriptors = model.encode(other).descriptors;
  strip.decode(code, "exchanged");
  return strip.finished(code.points);
}

Tensor landmark_sheet(Model& model, const Tensor& images, Device device) {
  const std::vector<Keypoints> found = model.detect(images.to(device), {});
  std::vector<Tile> tiles;
  for (int64_t n = 0; n < images.dim(0); ++n)
    tiles.push_back(
        {with_landmarks(grey_bytes(one_of(images, n)), found[size_t(n)], enlargement(images)), ""});
  return contact_sheet(tiles, 4, tile);
}

Tensor autoencoder_sheet(LandmarkAutoencoder& model, const Tensor& images, Device device) {
  const Tensor there = images.to(device);
  const std::vector<Keypoints> found = model.detect(there, {});
  const LandmarkAutoencoder::Code code = model.encode(there);
  const Tensor maps = model.maps(there).to(Device::cpu);
  const Tensor painted = model.decode(code, images.dim(1), images.dim(2)).to(Device::cpu);
  const int scale = enlargement(images);
  const auto enlarged = [&](const Tensor& picture) { return Canvas(picture, scale).image(); };
  std::vector<Tile> tiles;
  for (int64_t n = 0; n < images.dim(0); ++n) {
    const Tensor picture = grey_bytes(one_of(images, n));
    tiles.push_back({enlarged(picture), "image"});
    tiles.push_back({with_landmarks(picture, found[size_t(n)], scale), "landmarks"});
    tiles.push_back({enlarged(coloured_maps(one_of(maps, n))), "maps"});
    tiles.push_back({enlarged(grey_bytes(one_of(painted, n))), "decoded"});
  }
  return contact_sheet(tiles, 8, tile);
}

}  // namespace cairn
