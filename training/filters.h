#pragma once
// Blurring and resizing of 8-bit grey images, with OpenCV's conventions: the window of a filter
// reaches over the border by reflection without repeating the edge pixel (reflect-101), a Gaussian
// kernel of side k has sigma = 0.3 ((k - 1) / 2 - 1) + 0.8.
#include <cstdint>
#include <vector>

#include "kernels/augment/reflect.h"
#include "training/raster.h"

namespace cairn {

double gaussian_sigma(int side);
/// `side` weights that sum to 1.
std::vector<double> gaussian_kernel(int side);

/// Mean over a square window of this side, columns x - side/2 .. x - side/2 + side - 1 and rows
/// likewise, rounded. O(1) per pixel. Throws an Error unless 1 <= side <= the shorter image side.
GrayImage box_blur(const GrayImage& image, int side);

/// Gaussian with an odd kernel side. Throws an Error on an even side or one above twice
/// the shorter image side.
std::vector<float> gaussian_smoothed(const GrayImage& image, int side);
GrayImage gaussian_blur(const GrayImage& image, int side);  ///< the same, rounded

/// Centre-aligned bilinear interpolation: output pixel x looks at (x + 1/2) W / w - 1/2.
GrayImage resize_bilinear(const GrayImage& image, int height, int width);

/// Mean over the area that an output pixel covers. Throws an Error when asked to enlarge.
GrayImage resize_area(const GrayImage& image, int height, int width);

/// Equal to resize_bilinear(gaussian_blur(image, side), height / factor, width / factor) for an
/// even factor that divides both sides, computed at the output pixels alone and rounded once
/// instead of twice: values differ by at most 1.
GrayImage blur_and_reduce(const GrayImage& image, int side, int factor);

}  // namespace cairn
