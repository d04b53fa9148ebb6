#pragma once
// Noise with the spectrum of photographs: amplitudes fall as 1 / f^exponent.
#include <vector>

#include "runtime/random.h"

namespace cairn {

/// Unit variance, mean 0: octaves of interpolated noise, each 2^(1 - exponent) times as strong as
/// the next coarser one. [height, width], row by row; periodic where both are multiples of the
/// coarsest cell.
std::vector<float> fractal_noise(int height, int width, double exponent, Random& random);

}  // namespace cairn
