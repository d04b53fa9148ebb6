// gaussian_unpool: normalised Gaussians of M widths and the descriptors that they spread.
//
// y and dy are read as rows: pixel by pixel, M rows of K+1 maps and S channels, a row for each
// width. The maps of an image are then a matrix D [HW M, K+1], the channels F = D values.
//
//   Launch    forward: 32 rows of an image for a block of 128 threads. A group of lanes takes a row
//             (lane_group.h), one lane a map, and leaves the weights in shared memory; then a
//             thread takes a channel of four rows. Backward: the forward without channels gives
//             D; dvalues = D^T dF, rows in parts, and dF values^T are products
//             (kernels/gemm/gemm.cu), an image a group; dcentre: a group of lanes walks over a
//             slice of an image's rows for up to 32 landmarks, sums of the groups meet in shared
//             memory, those of the slices in a second kernel.
//   Traffic   forward 4 (K+1 + S) B a row, all written; backward 4 (6 (K+1) + 2 S) B. Of the
//             composition, a stack of maps and a product for each width and a concat: 4 (4 (K+1) +
//             3 S) B and 4 (9 (K+1) + 4 S) B. With K = 10, S = 64: 300 B instead of 944, 776
//             instead of 1420. Floor = that / bandwidth.
//   Work      2 (K+1) S flop and K exponentials a row forward, twice the flop backward.
//   Repeats   bitwise: butterfly in a group, groups, slices and parts in order.
#include "kernels/heatmap/gaussian_unpool.h"

#include "kernels/gemm/tiled_product.h"
#include "kernels/lane_group.h"

namespace cairn::CAIRN_NS {
namespace {

/// Where a row lies: a pixel in unit coordinates, and its width.
struct Place {
  float x, y;
  int width;
};

struct Unpool {
  const float* centre;  ///< [N,K,2]
  const float* values;  ///< [N,K+1,S]
  int64_t images;
  int height, width, blobs, channels, widths;  ///< blobs: K, channels: S, widths: M
  Divisor by_width, by_channels, by_widths;
  float falloff[most_gaussian_widths] = {}, background[most_gaussian_widths] = {};

  CAIRN_HD int rows() const { return height * width * widths; }
  CAIRN_HD int row_length() const { return blobs + 1 + channels; }

  CAIRN_DEVICE_MEMBER Place place(int row) const {
    const int pixel = by_widths.quotient(row), line = by_width.quotient(pixel);
    return {(float(pixel - line * width) + 0.5f) / float(width),
            (float(line) + 0.5f) / float(height), row - pixel * widths};
  }
  CAIRN_DEVICE_MEMBER float weight(const float* centres, int k, const Place& p) const {
    if (k == blobs) return background[p.width];
    const float aspect = float(width) / float(height), f = falloff[p.width];
    const float a = p.x - centres[2 * k], b = p.y - centres[2 * k + 1];
    return f * 0.31830988618f * expf(-f * (a * a * aspect + b * b / aspect));
  }
};

struct Tile {
  static constexpr int rows = 32, threads = 128;
  static constexpr int pitch = rows + 4;  ///< of a map's weights: fewer bank conflicts
};

// The weights of a tile's rows, into y and into shared memory [K+1][pitch].
CAIRN_DEVICE void write_weights(const Unpool& s, int lanes, const float* centres, int first,
                                int count, float* weights, float* y) {
  const int lane = int(threadIdx.x) % lanes, groups = Tile::threads / lanes;
  for (int r = int(threadIdx.x) / lanes; r < max(Tile::rows, groups); r += groups) {
    const Place place = s.place(first + min(r, count - 1));
    float sum = 0;
    for (int k = lane; k <= s.blobs; k += lanes) {
      const float w = s.weight(centres, k, place);
      if (r < Tile::rows) weights[k * Tile::pitch + r] = w;
      sum += w;
    }
    const float scale = 1 / group_sum(sum, lanes);
    if (r >= Tile::rows) continue;
    for (int k = lane; k <= s.blobs; k += lanes) {
      const float w = weights[k * Tile::pitch + r] *= scale;
      if (r < count) y[r * s.row_length() + k] = w;
    }
  }
}

CAIRN_KERNEL void unpool_kernel(Unpool s, int lanes, int tiles, float* y) {
  float* const weights = dynamic_shared<float>();
  const int64_t image = int64_t(blockIdx.x) / tiles;
  const int first = int(blockIdx.x) % tiles * Tile::rows, count = min(Tile::rows, s.rows() - first);
  float* const out = y + (image * s.rows() + first) * s.row_length();
  write_weights(s, lanes, s.centre + image * s.blobs * 2, first, count, weights, out);
  sync_threads();
  const float* const values = s.values + image * (s.blobs + 1) * s.channels;
  for (int i = int(threadIdx.x); i < Tile::rows / 4 * s.channels; i += Tile::threads) {
    const int four = s.by_channels.quotient(i), c = i - four * s.channels, r = 4 * four;
    float sum[4] = {0, 0, 0, 0};
    for (int k = 0; k <= s.blobs; ++k) {
      const float v = values[k * s.channels + c];
      const Float4 w = load4(weights + k * Tile::pitch + r);
      sum[0] += w.x * v;
      sum[1] += w.y * v;
      sum[2] += w.z * v;
      sum[3] += w.w * v;
    }
    for (int j = 0; j < 4; ++j)
      if (r + j < count) out[(r + j) * s.row_length() + s.blobs + 1 + c] = sum[j];
  }
}

constexpr int threads = 256;

struct GroupSums {
  Float2 of[threads];
};

// A block: one slice of an image's rows, the landmarks chunk * lanes .. + lanes. weights is D and
// of_values is dF values^T, [N, HW M, K+1].
CAIRN_KERNEL void centre_slices_kernel(Unpool s, int lanes, int slices, int chunks,
                                       const float* weights, const float* dy,
                                       const float* of_values, Float2* of_slices) {
  const int slice = int(blockIdx.x) % slices, chunk = int(blockIdx.x) / slices % chunks;
  const int64_t image = int64_t(blockIdx.x) / slices / chunks;
  const int lane = int(threadIdx.x) % lanes, group = int(threadIdx.x) / lanes;
  const int groups = threads / lanes, own = chunk * lanes + lane, maps = s.blobs + 1;
  const int begin = int(int64_t(s.rows()) * slice / slices);
  const int end = int(int64_t(s.rows()) * (slice + 1) / slices);
  const float* c = s.centre + (image * s.blobs + min(own, s.blobs - 1)) * 2;
  Float2 sum{0, 0};
  for (int base = begin; base < end; base += groups) {
    const int row = min(base + group, end - 1);
    const int64_t at = image * s.rows() + row;
    const float *D = weights + at * maps, *more = of_values + at * maps;
    const float* dD = dy + at * s.row_length();
    float mean = 0;
    for (int k = lane; k < maps; k += lanes) mean += D[k] * (dD[k] + more[k]);
    mean = group_sum(mean, lanes);
    if (own >= s.blobs || base + group >= end) continue;
    const Place place = s.place(row);
    const float g = 2 * s.falloff[place.width] * D[own] * (dD[own] + more[own] - mean);
    sum.x += g * (place.x - c[0]);
    sum.y += g * (place.y - c[1]);
  }
  auto& sums = shared<GroupSums>();
  sums.of[threadIdx.x] = sum;
  sync_threads();
  if (group != 0 || own >= s.blobs) return;
  for (int g = 1; g < groups; ++g) {
    sum.x += sums.of[g * lanes + lane].x;
    sum.y += sums.of[g * lanes + lane].y;
  }
  of_slices[(image * slices + slice) * s.blobs + own] = sum;
}

CAIRN_KERNEL void merge_centre_slices_kernel(Unpool s, int slices, const Float2* of_slices,
                                             float* dcentre) {
  const float aspect = float(s.width) / float(s.height);
  for (int64_t i = global_thread(); i < s.images * s.blobs; i += global_threads()) {
    Float2 sum{0, 0};
    for (int slice = 0; slice < slices; ++slice) {
      const Float2 part = of_slices[(i / s.blobs * slices + slice) * s.blobs + i % s.blobs];
      sum.x += part.x;
      sum.y += part.y;
    }
    dcentre[2 * i] = sum.x * aspect;
    dcentre[2 * i + 1] = sum.y / aspect;
  }
}

Unpool unpool_of(const Tensor& centre, const Tensor& values,
                 const std::vector<GaussianWidth>& widths, const Tensor& y) {
  Unpool s;
  s.centre = centre.data<float>();
  s.values = values.data<float>();
  s.images = y.dim(0);
  s.height = int(y.dim(1));
  s.width = int(y.dim(2));
  s.blobs = int(centre.dim(1));
  s.channels = int(values.dim(2));
  s.widths = int(widths.size());
  s.by_width = Divisor(s.width);
  s.by_channels = Divisor(std::max(s.channels, 1));
  s.by_widths = Divisor(s.widths);
  for (size_t i = 0; i < widths.size(); ++i) {
    s.falloff[i] = float(0.5 / (widths[i].sigma * widths[i].sigma));
    s.background[i] = float(widths[i].background);
  }
  return s;
}

void start_forward(const Unpool& s, Tensor& y) {
  const int tiles = (s.rows() + Tile::rows - 1) / Tile::rows;
  launch("gaussian_unpool", unpool_kernel, Dim3(s.images * tiles), Tile::threads,
         (s.blobs + 1) * Tile::pitch * sizeof(float), s, lanes_for(s.blobs + 1), tiles,
         y.data<float>());
}

// D [N, HW M, K+1].
Tensor weights_of(Unpool s, const Tensor& dy) {
  s.channels = 0;
  Tensor weights = dy.empty_like({s.images, s.rows(), s.blobs + 1});
  start_forward(s, weights);
  return weights;
}

// The channels dF of every row; images are the groups of a product.
Patches channels_of(const Unpool& s, const Tensor& dy) {
  Patches p = matrix(dy.data<float>() + s.blobs + 1, s.channels, s.row_length());
  p.group_stride = int64_t(s.rows()) * s.row_length();
  return p;
}

// dF values^T [N, HW M, K+1].
Tensor gradient_through_values(const Unpool& s, const Tensor& dy) {
  Tensor out = dy.empty_like({s.images, s.rows(), s.blobs + 1});
  Product p;
  p.m = s.rows();
  p.n = s.blobs + 1;
  p.k = s.channels;
  p.groups = index_count(s.images);
  p.a = channels_of(s, dy);
  p.b = matrix(s.values, s.channels, s.channels);
  p.b.group_stride = int64_t(p.n) * p.k;
  p.c_group = int64_t(p.m) * p.n;
  p.c_row = p.n;
  multiply(p, out);
  return out;
}

void values_backward(const Unpool& s, const Tensor& weights, const Tensor& dy, Tensor& dvalues) {
  Product p;
  p.m = s.blobs + 1;
  p.n = s.channels;
  p.k = s.rows();
  p.groups = index_count(s.images);
  p.a = matrix(weights.raw(), s.blobs + 1, s.blobs + 1);
  p.a.group_stride = int64_t(p.k) * p.m;
  p.b = channels_of(s, dy);
  p.a_by_columns = p.b_by_columns = true;
  p.c_group = int64_t(p.m) * p.n;
  p.c_row = p.n;
  multiply(p, dvalues, true);
}

void centre_backward(const Unpool& s, const Tensor& weights, const Tensor& dy, Tensor& dcentre) {
  if (dcentre.count() == 0) return;
  const Tensor of_values = gradient_through_values(s, dy);
  const int lanes = lanes_for(s.blobs + 1), chunks = (s.blobs + lanes - 1) / lanes;
  const int64_t wanted = 512 / (s.images * chunks) + 1;
  const int slices = int(std::clamp<int64_t>(s.rows() / (8 * (threads / lanes)), 1, wanted));
  Tensor memory = dcentre.empty_like({slices, s.images * s.blobs, 2});
  auto* of_slices = reinterpret_cast<Float2*>(memory.data<float>());
  launch("gaussian_unpool_backward", centre_slices_kernel, Dim3(s.images * chunks * slices),
         threads, 0, s, lanes, slices, chunks, weights.data<float>(), dy.data<float>(),
         of_values.data<float>(), of_slices);
  launch("gaussian_unpool_backward", merge_centre_slices_kernel, blocks_for(s.images * s.blobs, 64),
         64, 0, s, slices, of_slices, dcentre.data<float>());
}

}  // namespace

void gaussian_unpool(const Tensor& centre, const Tensor& values,
                     const std::vector<GaussianWidth>& widths, Tensor& y) {
  start_forward(unpool_of(centre, values, widths, y), y);
}

void gaussian_unpool_backward(const Tensor& centre, const Tensor& values,
                              const std::vector<GaussianWidth>& widths, const Tensor& dy,
                              Tensor* dcentre, Tensor* dvalues) {
  const Unpool s = unpool_of(centre, values, widths, dy);
  const Tensor weights = weights_of(s, dy);
  if (dcentre) centre_backward(s, weights, dy, *dcentre);
  if (dvalues) values_backward(s, weights, dy, *dvalues);
}

}  // namespace cairn::CAIRN_NS
