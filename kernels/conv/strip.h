#pragma once
// A strip is what one row of outputs sees of an image, laid out so that the pixels under the kernel
// at one output are consecutive, and those of neighbouring outputs overlap:
//
//   strip  [width source columns][U source rows][channels]
//
// so that the products of a convolution read it as a matrix whose rows overlap, and it is only as
// many times larger than the source as the kernel has rows.
#include <algorithm>
#include <cstdint>
#include <vector>

namespace cairn {

/// One image [H,W,C], of which `channels` from `x` on are read.
template <class T>
struct StripSource {
  const T* x;
  int64_t H, W, C, channels;
};

/// Columns left..left+width of rows row + offset[u]; zeros outside of the image.
template <class T>
void fill_strip(const StripSource<T>& s, int64_t row, const std::vector<int64_t>& offset,
                int64_t left, int64_t width, T* strip) {
  const int64_t U = int64_t(offset.size()), step = U * s.channels;
  const auto zeros = [&](T* to, int64_t first, int64_t last) {
    for (int64_t q = first; q < last; ++q) std::fill_n(to + q * step, s.channels, T(0));
  };
  for (int64_t u = 0; u < U; ++u) {
    const int64_t r = row + offset[u];
    const bool inside = r >= 0 && r < s.H;
    const int64_t first = inside ? std::clamp<int64_t>(-left, 0, width) : width;
    const int64_t last = inside ? std::clamp<int64_t>(s.W - left, first, width) : width;
    const T* from = s.x + (r * s.W + left) * s.C;
    T* to = strip + u * s.channels;
    zeros(to, 0, first);
    if (s.channels < 8)
      for (int64_t q = first; q < last; ++q)
        for (int64_t c = 0; c < s.channels; ++c) to[q * step + c] = from[q * s.C + c];
    else
      for (int64_t q = first; q < last; ++q) std::copy_n(from + q * s.C, s.channels, to + q * step);
    zeros(to, last, width);
  }
}

}  // namespace cairn
