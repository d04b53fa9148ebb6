#pragma once
// Image files, through stb_image: JPEG, PNG, BMP, PGM and PPM in, PNG out.
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/tensor.h"

namespace cairn {

/// Larger images are refused before they are decoded.
inline constexpr int64_t max_image_pixels = int64_t{1} << 27;

struct ImageInfo {
  int64_t width, height;
  int channels;  ///< as stored: 1 grey, 2 grey + alpha, 3 RGB, 4 RGB + alpha
};

/// From the header alone. Throws an Error when the file is missing, empty, not an image, or larger
/// than max_image_pixels.
ImageInfo read_image_info(const std::string& path);

/// u8 [H,W,channels] with channels 1 (grey = 0.299 R + 0.587 G + 0.114 B) or 3 (RGB). Alpha is
/// dropped, 16 bits become 8, an EXIF orientation is not applied. Throws an Error when the file is
/// missing, empty, truncated, not an image, or larger than max_image_pixels.
Tensor read_image(const std::string& path, int channels);

/// Writes u8 [H,W,1] or [H,W,3], on cpu, atomically.
void write_png(const std::string& path, const Tensor& image);
/// The bytes of that file.
std::string encode_png(const Tensor& image);

/// Whether the name ends like an image's that read_image() can read, in any case.
bool has_image_extension(const std::string& path);
/// The files of a folder with such names, sorted; not of its subfolders.
std::vector<std::string> image_files(const std::string& folder);

}  // namespace cairn
