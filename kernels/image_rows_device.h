#pragma once
// Work on images [N,H,W,C], pixel by pixel and V channels at a time, for kernels: blockIdx.x walks
// over the image rows (one 64-bit division per row), the threads along a row. Included by .cu files
// only.
#include "kernels/device.h"

namespace cairn::CAIRN_NS {

struct ImageSize {
  int64_t N;
  int H, W, C;
  explicit ImageSize(const Shape& s) : N(s[0]), H(int(s[1])), W(int(s[2])), C(int(s[3])) {}
};

struct RowGrid {
  Dim3 grid, block;
};

/// A block of up to 256 threads for every row and 256 packs of it.
inline RowGrid row_grid(const ImageSize& s, int V) {
  const int64_t packs = int64_t(s.W) * (s.C / V);
  const int64_t threads = std::min<int64_t>(256, (packs + 31) / 32 * 32);
  if (packs == 0) return {Dim3(0), Dim3(32)};
  return {Dim3(std::min<int64_t>(s.N * s.H, 65535),
               std::min<int64_t>((packs + threads - 1) / threads, 65535)),
          Dim3(threads)};
}

/// f(n, i, j, c) for every pixel (i, j) of image n and every V channels from c.
template <int V, class F>
CAIRN_DEVICE void for_each_pack(const ImageSize& s, const F& f) {
  const int per_pixel = s.C / V, packs = s.W * per_pixel;
  for (int64_t row = blockIdx.x; row < s.N * s.H; row += gridDim.x) {
    const int64_t n = row / s.H;
    const int i = int(row - n * s.H);
    for (int t = blockIdx.y * blockDim.x + threadIdx.x; t < packs; t += gridDim.y * blockDim.x)
      f(n, i, t / per_pixel, t % per_pixel * V);
  }
}

/// The place of (n, i, j, c) in an image tensor.
CAIRN_DEVICE int64_t place(const ImageSize& s, int64_t n, int i, int j, int c) {
  return ((n * s.H + i) * s.W + j) * s.C + c;
}

}  // namespace cairn::CAIRN_NS
