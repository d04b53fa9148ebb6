// The ladder of gaussian, for n elements of y in maps of K channels.
//
//   a block a map       a thread strides over the pixels of its map: it stores 4 B K elements
//                       apart, each into a sector of 32 B of its own where K >= 8.
//   a thread an element coalesced stores; but a thread has one channel once, and loads and divides
//                       for one element: 20 B asked for, though 16 of them from the first cache.
//   separable           exp(-a^2 - b^2) = exp(-a^2) exp(-b^2): W + H exponentials a map instead of
//                       W H, as on the cpu. 8 B asked for in their place, from the caches. A wrong
//                       turn: the exponential that it saves hides behind the stores.
//   a channel a thread  the op: a thread keeps its channel, loads its blob once, and computes every
//                       exponential. Nothing but the stores is left: 4 B.
//
//   Launch    256 threads a block; see each kernel
//   Traffic   as each step claims, below
//   Repeats   bitwise: every element has one writer
#include "kernels/heatmap/gaussian.h"

#include "kernels/ladder/claims.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr int block = 256;

/// peak exp(-(x falloff_x (u - x)^2 + falloff_y (v - y)^2)) at (u, v), all in unit coordinates.
struct Blob {
  float x, y, peak, falloff_x, falloff_y;
};

struct Blobs {
  const float *centre, *sigma, *amplitude;
  GaussianForm form;
  int height, width, channels;
  float aspect, inverse_height, inverse_width;

  CAIRN_DEVICE_MEMBER Blob load(int64_t map) const {
    const float s = sigma[map], inverse = 1 / (s * s);
    const float falloff = form == GaussianForm::undivided ? inverse : 0.5f * inverse;
    const float norm = form == GaussianForm::density ? 0.15915494309f * inverse : 1.f;
    return {centre[2 * map], centre[2 * map + 1], amplitude[map] * norm, falloff * aspect,
            falloff / aspect};
  }
  CAIRN_DEVICE_MEMBER float column_exponent(const Blob& b, int column) const {
    const float d = (float(column) + 0.5f) * inverse_width - b.x;
    return b.falloff_x * d * d;
  }
  CAIRN_DEVICE_MEMBER float row_exponent(const Blob& b, int row) const {
    const float d = (float(row) + 0.5f) * inverse_height - b.y;
    return b.falloff_y * d * d;
  }
  CAIRN_DEVICE_MEMBER float value(const Blob& b, int column, int row) const {
    return b.peak * expf(-column_exponent(b, column) - row_exponent(b, row));
  }
};

// ---- a block a map ----

CAIRN_KERNEL void map_kernel(Blobs blobs, float* y) {
  const int K = blobs.channels, pixels = blobs.height * blobs.width;
  const Blob blob = blobs.load(blockIdx.x);
  float* out = y + int64_t(blockIdx.x) / K * pixels * K + blockIdx.x % K;
  for (int u = int(threadIdx.x); u < pixels; u += block)
    out[int64_t(u) * K] = blobs.value(blob, u % blobs.width, u / blobs.width);
}

// ---- a thread an element ----

/// An element of a row of an image: blocks (rows, parts of a row).
struct RowElement {
  int in_row, column, row, channel;
  int64_t image;
  CAIRN_DEVICE_MEMBER explicit RowElement(const Blobs& b)
      : in_row(int(blockIdx.y * blockDim.x + threadIdx.x)),
        column(in_row / b.channels),
        row(int(blockIdx.x) % b.height),
        channel(in_row % b.channels),
        image(int(blockIdx.x) / b.height) {}
  CAIRN_DEVICE_MEMBER bool inside(const Blobs& b) const { return column < b.width; }
  CAIRN_DEVICE_MEMBER int64_t at(const Blobs& b) const {
    return int64_t(blockIdx.x) * b.width * b.channels + in_row;
  }
};

CAIRN_KERNEL void element_kernel(Blobs blobs, float* y) {
  const RowElement e(blobs);
  if (!e.inside(blobs)) return;
  const Blob blob = blobs.load(e.image * blobs.channels + e.channel);
  y[e.at(blobs)] = blobs.value(blob, e.column, e.row);
}

// ---- separable ----

/// factors [N, W + H, K]: of the columns, then of the rows with the peak.
CAIRN_KERNEL void factors_kernel(Blobs blobs, int64_t count, float* factors) {
  const int64_t i = global_thread(), lines = blobs.width + blobs.height;
  if (i >= count) return;
  const int line = int(i / blobs.channels % lines);
  const Blob b = blobs.load(i / blobs.channels / lines * blobs.channels + i % blobs.channels);
  factors[i] = line < blobs.width ? expf(-blobs.column_exponent(b, line))
                                  : b.peak * expf(-blobs.row_exponent(b, line - blobs.width));
}

CAIRN_KERNEL void product_kernel(Blobs blobs, const float* factors, float* y) {
  const RowElement e(blobs);
  if (!e.inside(blobs)) return;
  const float* own = factors + e.image * (blobs.width + blobs.height) * blobs.channels + e.channel;
  y[e.at(blobs)] = own[e.column * blobs.channels] * own[(blobs.width + e.row) * blobs.channels];
}

}  // namespace

Ladder gaussian_ladder(const Tensor& centre, const Tensor& sigma, const Tensor& amplitude,
                       GaussianForm form, Tensor& y) {
  const PixelGrid grid(y.shape());
  const int64_t H = grid.height, W = grid.width, K = grid.channels, maps = grid.maps(),
                lines = maps * (W + H);
  const Blobs blobs{
      centre.data<float>(), sigma.data<float>(), amplitude.data<float>(), form,
      grid.height,          grid.width,          grid.channels,           float(W) / float(H),
      1 / float(H),         1 / float(W)};
  const Dim3 rows(grid.images * H, (W * K + block - 1) / block);

  const auto by_map = [=]() mutable {
    launch("a block a map", map_kernel, Dim3(maps), block, 0, blobs, y.data<float>());
  };
  const auto by_element = [=]() mutable {
    launch("a thread an element", element_kernel, rows, block, 0, blobs, y.data<float>());
  };
  const auto separable = [=]() mutable {
    Tensor factors = y.empty_like({lines});
    launch("separable: factors", factors_kernel, Dim3((lines + block - 1) / block), block, 0, blobs,
           lines, factors.data<float>());
    launch("separable: products", product_kernel, rows, block, 0, blobs, factors.data<float>(),
           y.data<float>());
  };
  const auto op = [=]() mutable { CAIRN_NS::gaussian(centre, sigma, amplitude, form, y); };

  constexpr uint64_t blob = 16;
  constexpr double division = exponential, per_blob = division + 6, per_value = exponential + 12;
  const uint64_t n = 4 * uint64_t(y.count()), of_maps = blob * uint64_t(maps),
                 table = 4 * uint64_t(lines);
  const double elements = double(y.count());
  return {{"a block a map",
           "a thread strides over the pixels of its map",
           {{.bytes = {block * of_maps, n, of_maps, n},
             .flops = per_value * elements,
             .blocks = maps,
             .l2_bytes = sector_waste(K) * double(n)}},
           0,
           by_map},
          {"a thread an element",
           "neighbouring threads store neighbouring elements",
           {{.bytes = {blob / 4 * n, n, of_maps, n},
             .flops = (per_value + per_blob) * elements,
             .blocks = rows.count()}},
           0,
           by_element},
          {"separable",
           "factors of columns and rows from memory, not an exponential an element",
           {{.bytes = {blob * uint64_t(lines), table, of_maps, table},
             .flops = (per_value + per_blob) * double(lines),
             .blocks = (lines + block - 1) / block},
            {.bytes = {2 * n, n, table, n}, .flops = elements, .blocks = rows.count()}},
           table,
           separable},
          {"a channel a thread",
           "a thread keeps its channel, and loads its blob once",
           {PixelClaims{grid}.each_pixel(0, 4, blob, per_value)},
           0,
           op,
           "[16,64,64,16], which fits the second-level cache: 0.0118 ms, 11 % of the bandwidth "
           "limit (H200, 2026-11-20); larger shapes not measured yet"}};
}

}  // namespace cairn::CAIRN_NS
