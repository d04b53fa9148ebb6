#pragma once
// Procedural photographs: images with the statistics that matter to a corner detector (occlusion,
// objects of all sizes, 1/f spectra, junctions, text) and no licence but ours. Dead leaves follow
// Lee, Mumford, Huang, "Occlusion models for natural images", IJCV 2001.
//
// An image is drawn at twice its size without anti-aliasing and reduced by the mean of 2x2 pixels.
// Its kind is drawn too: a third collages of everything, the rest one family each.
#include <cstdint>

#include "runtime/tensor.h"
#include "training/raster.h"

namespace cairn {

enum class TextureKind {
  leaves,   ///< opaque discs, polygons and rectangles, sizes distributed as r^-3 from 3 to 120 px
  noise,    ///< amplitude 1 / f^b with b in 0.8 .. 1.6: plain, in steps, or creased
  shapes,   ///< polygons, stars, checkerboards, windows, cubes and line fans on noise
  strokes,  ///< rows of glyph-like poly-lines in perspective
  collage   ///< leaves, shapes and strokes over each other
};
inline constexpr int texture_kinds = 5;
const char* name(TextureKind);

struct TextureOptions {
  int height = 240, width = 320;  ///< of the image; objects keep their size in pixels
  uint64_t seed = 0;
};

/// Image number `index` of the endless sequence `seed`, u8 [height, width, 1]: the same in any
/// order. Throws an Error on a size below 16x16 or above 4096x4096.
Tensor texture(const TextureOptions& options, int64_t index);

/// What it is reduced from: 2 height x 2 width. Pixel p of the image covers the four around
/// 2 p + 1/2.
GrayImage texture_source(const TextureOptions& options, int64_t index);

TextureKind texture_kind(const TextureOptions& options, int64_t index);

}  // namespace cairn
