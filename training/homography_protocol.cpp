#include "training/homography_protocol.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/error.h"
#include "training/filters.h"

namespace cairn {
namespace {

using Resize = HomographyProtocol::Resize;
using Rule = Suppression::Rule;
using View = HomographyProtocol::View;

HomographyProtocol cairn_protocol() {
  HomographyProtocol p;
  p.name = "cairn";
  p.description =
      "320x240, best 300 points, those of the shared view (repeatability), 640x480, best 1000 "
      "points (matching); suppression 4, mutual nearest neighbours, 3 px";
  return p;
}

// DeTone et al. 2018, appendix. Where it is silent: images are resized exactly, homographies
// follow, and matches are sought among all points.
HomographyProtocol paper_protocol() {
  HomographyProtocol p = cairn_protocol();
  p.name = "paper";
  p.description =
      "SuperPoint, appendix: 320x240, best 300 points of the shared view; 640x480, 1000 points, "
      "suppression 4, matches among all points";
  p.repeated = View::before_top_k;
  return p;
}

// rpautrat/SuperPoint, evaluations/: boxes of side 4 for repeatability, 8 for matching.
HomographyProtocol rp_protocol() {
  HomographyProtocol p = cairn_protocol();
  p.name = "rp";
  p.description =
      "rpautrat/SuperPoint: central crops of 320x240, 300 points, box suppression 4; 640x480, 1000 "
      "points, box suppression 8; best points of the shared view; no half pixel in homographies";
  p.resize = Resize::central_crop;
  p.repeated = p.for_homography = p.for_matches = View::before_top_k;
  p.pixel_centres = false;
  p.repeatability.suppression = {Rule::boxes, 4};
  p.matching.suppression = {Rule::boxes, 8};
  return p;
}

// eric-yyjau/pytorch-superpoint, evaluation.py.
HomographyProtocol ey_protocol() {
  HomographyProtocol p = cairn_protocol();
  p.name = "ey";
  p.description =
      "pytorch-superpoint: upper left crops of 320x240 and 640x480, 1000 points; matching score "
      "and precision judged by the estimated homography";
  p.resize = Resize::top_left_crop;
  p.pixel_centres = false;
  p.repeatability.top_k = 1000;
  p.repeated = View::before_top_k;
  p.truth = HomographyProtocol::Truth::estimate;
  return p;
}

// TRI-ML/KP2D, evaluation/: the low resolution of its tables.
HomographyProtocol kp2d_protocol() {
  HomographyProtocol p = cairn_protocol();
  p.name = "kp2d";
  p.description =
      "KP2D: 320x240 and 300 points throughout, no suppression, matching score among all points, "
      "5000 RANSAC iterations";
  p.pixel_centres = false;
  p.repeatability.suppression = {Rule::none, 0};
  p.matching = p.repeatability;
  p.repeated = p.for_homography = View::before_top_k;
  p.ransac_iterations = 5000;
  return p;
}

// mihaidusmanu/d2-net, hpatches_sequences/.
HomographyProtocol mma_protocol() {
  HomographyProtocol p = cairn_protocol();
  p.name = "mma";
  p.description = "D2-Net: native sizes, all points, mutual nearest neighbours";
  p.resize = Resize::native;
  p.matching.top_k = 0;
  p.matches_only = true;
  p.radii = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  return p;
}

// For synthetic pairs, which are drawn at the size they are meant to have.
HomographyProtocol pairs_protocol() {
  HomographyProtocol p = cairn_protocol();
  p.name = "pairs";
  p.description =
      "native sizes, best 300 points, those of the shared view (repeatability), best 1000 points "
      "(matching); suppression 4, mutual nearest neighbours, 3 px";
  p.resize = Resize::native;
  p.cosines = true;
  return p;
}

std::vector<HomographyProtocol> protocols() {
  return {cairn_protocol(), paper_protocol(), rp_protocol(),   ey_protocol(),
          kp2d_protocol(),  mma_protocol(),   pairs_protocol()};
}

GrayImage channel(const Tensor& image, int64_t c) {
  GrayImage plane(int(image.dim(0)), int(image.dim(1)));
  const uint8_t* from = image.data<uint8_t>();
  for (size_t i = 0; i < plane.pixels.size(); ++i)
    plane.pixels[i] = from[int64_t(i) * image.dim(2) + c];
  return plane;
}

Tensor resized(const Tensor& image, int height, int width) {
  if (image.dim(0) == height && image.dim(1) == width) return image;
  const bool smaller = height <= image.dim(0) && width <= image.dim(1);
  const int64_t channels = image.dim(2);
  Tensor out = Tensor::empty({height, width, channels}, DType::u8);
  for (int64_t c = 0; c < channels; ++c) {
    const GrayImage plane = channel(image, c);
    const GrayImage to =
        smaller ? resize_area(plane, height, width) : resize_bilinear(plane, height, width);
    for (size_t i = 0; i < to.pixels.size(); ++i)
      out.data<uint8_t>()[int64_t(i) * channels + c] = to.pixels[i];
  }
  return out;
}

Tensor cropped(const Tensor& image, int left, int top, int height, int width) {
  const int64_t channels = image.dim(2);
  Tensor out = Tensor::empty({height, width, channels}, DType::u8);
  for (int y = 0; y < height; ++y)
    std::memcpy(out.data<uint8_t>() + int64_t{y} * width * channels,
                image.data<uint8_t>() + ((top + y) * image.dim(1) + left) * channels,
                size_t(width * channels));
  return out;
}

Matrix3 resizing_map(const HomographyProtocol& p, double sx, double sy) {
  return p.pixel_centres ? resizing(sx, sy) : Matrix3{{sx, 0, 0, 0, sy, 0, 0, 0, 1}};
}

}  // namespace

std::vector<std::string> protocol_names() {
  std::vector<std::string> names;
  for (const HomographyProtocol& p : protocols()) names.push_back(p.name);
  return names;
}

HomographyProtocol homography_protocol(const std::string& name) {
  std::string known;
  for (const HomographyProtocol& p : protocols()) {
    if (p.name == name) return p;
    known += (known.empty() ? "" : ", ") + p.name;
  }
  throw UsageError("--preset", "'" + name + "' is unknown", known, "name one of them");
}

PreparedImage prepared(const Tensor& image, const HomographyProtocol& protocol, ImageSize size) {
  const int64_t height = image.dim(0), width = image.dim(1);
  const double sx = double(size.width) / double(width), sy = double(size.height) / double(height);
  if (protocol.resize == Resize::native) return {image, {}};
  if (protocol.resize == Resize::exact)
    return {resized(image, size.height, size.width), resizing_map(protocol, sx, sy)};
  const double s = std::max(sx, sy);
  const int h = std::max(size.height, int(std::lround(s * double(height)))),
            w = std::max(size.width, int(std::lround(s * double(width))));
  int left = 0, top = 0;
  if (protocol.resize == Resize::central_crop) {
    left = (w - size.width) / 2;
    top = (h - size.height) / 2;
  }
  return {cropped(resized(image, h, w), left, top, size.height, size.width),
          translation(-left, -top) * resizing_map(protocol, s, s)};
}

}  // namespace cairn
