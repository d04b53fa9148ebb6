#include "kernels/conv/winograd.h"

#include <algorithm>

#include "kernels/activation.h"
#include "kernels/conv/winograd_tiles.h"
#include "kernels/gemm/panels.h"
#include "runtime/threads.h"

namespace cairn {
namespace {

template <class T>
TiledImage<T> tiled(const Shape& x, const T* data, int64_t Ho, int64_t Wo, int padding) {
  return {data, x[1], x[2], x[3], (Ho + 3) / 4, (Wo + 3) / 4, padding};
}

template <class T>
int64_t tiles_of(const TiledImage<T>& x, int64_t N) {
  return N * x.rows * x.columns;
}

// Tiles that a thread takes through all three stages before the next: as many as keep their
// transforms, and the products of one panel, in a quarter of a megabyte of L2, beside the weights
// and what is being fetched for the next block.
int64_t block_of(int64_t C) {
  const int64_t bytes = 36 * (C + panel_width<float>()) * 4, rows = tile_rows();
  return std::clamp<int64_t>((256 << 10) / bytes / rows * rows, rows, 4 * rows);
}

bool fills_vectors(int64_t channels) { return channels % CAIRN_ISA_CALL(vector_lanes) == 0; }

bool is_aligned(const Tensor& y) { return reinterpret_cast<uintptr_t>(y.raw()) % 64 == 0; }

Tensor transformed(WinogradWeights k) {
  const int64_t width = panel_width<float>(), panels = (k.N + width - 1) / width;
  Tensor u = Tensor::empty({36, panels, k.K, width});
  k.u = u.data<float>();
  const int64_t lanes = CAIRN_ISA_CALL(vector_lanes);
  parallel_for((k.K + lanes - 1) / lanes, 1, [&](int64_t begin, int64_t end) {
    CAIRN_ISA_CALL(winograd_weights, k, begin * lanes, end * lanes);
  });
  return u;
}

template <class T>
void curve(Tensor& y, Activation act) {
  if (!is_curved(act)) return;
  T* p = y.data<T>();
  parallel_for(y.count(), 1 << 12, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) p[i] = T(activate(act, float(p[i]), 0.f));
  });
}

// Everything but the tiles' memory.
template <class In, class Out>
WinogradForward<In, Out> forward_of(const Shape& x, const In* data, const Tensor& u, int padding,
                                    const Epilogue& epilogue, Tensor& y) {
  const int64_t Ho = x[1] + 2 * padding - 2, Wo = x[2] + 2 * padding - 2;
  return {tiled(x, data, Ho, Wo, padding),
          u.data<float>(),
          y.data<Out>(),
          y.dim(2) * y.dim(3),
          Ho,
          Wo,
          y.dim(3),
          epilogue.bias ? epilogue.bias->data<float>() : nullptr,
          epilogue.act,
          epilogue.slope,
          epilogue.pool2,
          too_large_to_cache(y.bytes()) && is_aligned(y) && fills_vectors(y.dim(3)),
          block_of(x[3]),
          nullptr,
          nullptr,
          nullptr,
          {}};
}

// Blocks of tiles from several threads. Sums over outputs are of whole units of tile_rows() tiles;
// without them the threads share the tiles more evenly, which a small map has few of.
template <class T>
void run(const WinogradForward<T, T>& k, int64_t N) {
  const bool sums = k.moments || k.through.x;
  const int64_t tiles = tiles_of(k.x, N), unit = sums ? tile_rows() : 1;
  parallel_for((tiles + unit - 1) / unit, 1, [&](int64_t begin, int64_t end) {
    Tensor scratch = Tensor::empty({CAIRN_ISA_CALL(winograd_scratch, k.x.C, k.block)});
    auto mine = k;
    mine.scratch = scratch.data<float>();
    CAIRN_ISA_CALL(winograd_forward, mine, begin * unit, std::min(end * unit, tiles));
  });
}

template <class T>
void convolve(const Tensor& x, const WinogradWeights& weights, int padding,
              const Epilogue& epilogue, Tensor& y) {
  const Tensor u = transformed(weights);
  run(forward_of<T, T>(x.shape(), x.data<T>(), u, padding, epilogue, y), x.dim(0));
  curve<T>(y, epilogue.act);
}

template <class T>
int64_t units_of(const TiledImage<T>& x, int64_t N) {
  return (tiles_of(x, N) + tile_rows() - 1) / tile_rows();
}

// Outputs of a unit that lie inside of the image.
int64_t outputs_of(const WinogradForward<float, float>& k, int64_t unit, int64_t tiles) {
  int64_t count = 0;
  for (int64_t t = unit * tile_rows(); t < std::min<int64_t>((unit + 1) * tile_rows(), tiles); ++t)
    count += std::min<int64_t>(4, k.Ho - t / k.x.columns % k.x.rows * 4) *
             std::min<int64_t>(4, k.Wo - t % k.x.columns * 4);
  return count;
}

// A patch has the tiles of one block of products. A thread goes down a column of patches: the two
// rows that a patch shares with the one above are kept, the columns that it shares are computed
// again.
constexpr int64_t patch_rows = 3, patch_columns = 4;

template <class Out>
void convolve_patches(const Shape& x, const std::function<void(const MapPatch&)>& compute,
                      const WinogradWeights& weights, int padding, const Epilogue& epilogue,
                      Tensor& y) {
  const Tensor u = transformed(weights);
  auto whole = forward_of<float, Out>(x, nullptr, u, padding, epilogue, y);
  whole.block = patch_rows * patch_columns;
  const int64_t C = x[3], shrink = epilogue.pool2 ? 2 : 1;
  const int64_t down = (whole.x.rows + patch_rows - 1) / patch_rows;
  const int64_t across = (whole.x.columns + patch_columns - 1) / patch_columns;
  parallel_for(x[0] * down * across, 1, [&](int64_t begin, int64_t end) {
    Tensor patch = Tensor::empty({4 * patch_rows + 2, 4 * patch_columns + 2, C});
    Tensor scratch = Tensor::empty({CAIRN_ISA_CALL(winograd_scratch, C, whole.block)});
    for (int64_t item = begin; item < end; ++item) {
      const int64_t n = item / down / across;
      const int64_t i = item % down * patch_rows, j = item / down % across * patch_columns;
      const int64_t rows = std::min(patch_rows, whole.x.rows - i);
      const int64_t columns = std::min(patch_columns, whole.x.columns - j);
      const int64_t row = (4 * columns + 2) * C, kept = item > begin && i > 0 ? 2 : 0;
      float* at = patch.data<float>();
      std::copy_n(at + 4 * patch_rows * row, kept * row, at);
      compute({n, 4 * i - padding + kept, 4 * j - padding, 4 * rows + 2 - kept, 4 * columns + 2,
               at + kept * row});
      auto mine = whole;
      mine.x = {at, 4 * rows + 2, 4 * columns + 2, C, rows, columns, 0};
      mine.y += (n * y.dim(1) + 4 * i / shrink) * whole.y_row + 4 * j / shrink * whole.O;
      mine.Ho -= 4 * i;
      mine.Wo -= 4 * j;
      mine.scratch = scratch.data<float>();
      CAIRN_ISA_CALL(winograd_forward, mine, 0, rows * columns);
    }
  });
  curve<Out>(y, epilogue.act);
}

WinogradWeights backward_weights(const Tensor& w) {
  const int64_t O = w.dim(0), C = w.dim(3);
  return {w.data<float>(), 1, C, 9 * C, true, O, C, nullptr};
}

WinogradWeights forward_weights(const Tensor& w) {
  const int64_t O = w.dim(0), C = w.dim(3);
  return {w.data<float>(), 9 * C, C, 1, false, C, O, nullptr};
}

// 3x3, stride 1, and enough tiles to pay for the transforms of the weights.
bool is_of_the_kind(const Shape& x, const Shape& w, const Conv2dOptions& o) {
  const int64_t Ho = x[1] + 2 * o.padding - 2, Wo = x[2] + 2 * o.padding - 2;
  return w[1] == 3 && w[2] == 3 && o.stride == 1 && o.dilation == 1 && o.groups == 1 &&
         o.padding <= 2 && Ho >= 4 && Wo >= 4 && x[0] * Ho * Wo >= 192;
}

// Of narrow layers those with enough channels, three or more on either side, and outputs that fill
// three quarters of their tiles.
bool serves(const Tensor& x, const Tensor& w, const Conv2dOptions& o, bool enough_channels) {
  if (x.dtype() != DType::f32 || !is_of_the_kind(x.shape(), w.shape(), o)) return false;
  if (winograd_serves_wide(x.shape(), w.shape(), o)) return true;
  const int64_t Ho = x.dim(1) + 2 * o.padding - 2, Wo = x.dim(2) + 2 * o.padding - 2;
  return enough_channels && std::min(w.dim(0), w.dim(3)) >= 3 &&
         3 * padded_to(Ho, 4) * padded_to(Wo, 4) <= 4 * Ho * Wo;
}

}  // namespace

bool winograd_serves_wide(const Shape& x, const Shape& w, const Conv2dOptions& o) {
  return is_of_the_kind(x, w, o) && w[0] >= 32 && w[3] >= 32 && fills_vectors(w[0]) &&
         fills_vectors(w[3]);
}

bool winograd_serves(const Tensor& x, const Tensor& w, const Conv2dOptions& o) {
  return serves(x, w, o, w.dim(3) >= 8);
}

bool winograd_serves_data(const Tensor& dx, const Tensor& w, const Conv2dOptions& o) {
  return serves(dx, w, o, w.dim(0) >= 12);
}

bool winograd_serves_weights(const Tensor& x, const Tensor& dw, const Conv2dOptions& o) {
  return serves(x, dw, o, dw.dim(3) >= 12);
}

void winograd(const Tensor& x, const Tensor& w, int padding, const Epilogue& epilogue, Tensor& y) {
  y.dtype() == DType::bf16 ? convolve<bf16>(x, forward_weights(w), padding, epilogue, y)
                           : convolve<float>(x, forward_weights(w), padding, epilogue, y);
}

void winograd_of_patches(const Shape& x, const std::function<void(const MapPatch&)>& compute,
                         const Tensor& w, int padding, const Epilogue& epilogue, Tensor& y) {
  y.dtype() == DType::bf16
      ? convolve_patches<bf16>(x, compute, forward_weights(w), padding, epilogue, y)
      : convolve_patches<float>(x, compute, forward_weights(w), padding, epilogue, y);
}

void winograd_backward_data(const Tensor& dy, const Tensor& w, int padding, Tensor& dx) {
  convolve<float>(dy, backward_weights(w), 2 - padding, {}, dx);
}

PartMoments winograd_normed(const Tensor& x, const ChannelNorm<float>& norm, const Tensor& w,
                            int padding, const Tensor& bias, Tensor& y) {
  const Tensor u = transformed(forward_weights(w));
  Epilogue epilogue;
  epilogue.bias = &bias;
  auto k = forward_of<float, float>(x.shape(), x.data<float>(), u, padding, epilogue, y);
  const int64_t units = units_of(k.x, x.dim(0)), tiles = tiles_of(k.x, x.dim(0));
  Tensor sums = Tensor::empty({units, 3, k.O});
  k.norm = &norm;
  k.moments = sums.data<float>();
  run(k, x.dim(0));
  PartMoments moments(units, k.O);
  for (int64_t i = 0; i < units; ++i)
    moments.take_sums(i, k.moments + i * 3 * k.O, outputs_of(k, i, tiles));
  return moments;
}

void winograd_backward_data_normed(const Tensor& dy, const Tensor& w, int padding, const Tensor& x,
                                   const ChannelNorm<float>& norm, Tensor& g,
                                   std::vector<double>& sums) {
  const Tensor u = transformed(backward_weights(w));
  auto k = forward_of<float, float>(dy.shape(), dy.data<float>(), u, 2 - padding, {}, g);
  const int64_t units = units_of(k.x, dy.dim(0));
  Tensor parts = Tensor::empty({units, 2, k.O});
  k.through = {x.data<float>(), norm, parts.data<float>()};
  run(k, dy.dim(0));
  sums.assign(2 * k.O, 0);
  for (int64_t i = 0; i < parts.count(); ++i) sums[i % (2 * k.O)] += k.through.sums[i];
}

namespace {

void weights_gradient(const Tensor& x, const ChannelNorm<float>* norm, const Tensor& dy,
                      int padding, Tensor& dw) {
  const int64_t O = dw.dim(0), C = dw.dim(3), width = panel_width<float>(), capacity = 192;
  const int64_t m_row = padded_to(O, width / 2);
  WinogradPair pair{tiled(x.shape(), x.data<float>(), dy.dim(1), dy.dim(2), padding),
                    tiled(dy.shape(), dy.data<float>(), dy.dim(1), dy.dim(2), 0),
                    capacity,
                    padded_to(C, width) * capacity + 16,
                    m_row * capacity + 16,
                    nullptr,
                    nullptr,
                    nullptr,
                    norm};
  Tensor v = Tensor::empty({36, pair.v_stride}), m = Tensor::empty({36, pair.m_stride});
  Tensor g = Tensor::empty({36, O, C});
  pair.v = v.data<float>();
  pair.m = m.data<float>();
  const int64_t tiles = tiles_of(pair.x, x.dim(0));
  for (int64_t first = 0; first < tiles; first += capacity) {
    const int64_t count = std::min(capacity, tiles - first);
    parallel_for(count, 4, [&](int64_t begin, int64_t end) {
      Tensor patch = Tensor::empty({36 * std::max(O, C)});
      WinogradPair mine = pair;
      mine.patch = patch.data<float>();
      CAIRN_ISA_CALL(winograd_pair, mine, first + begin, first + end, begin);
    });
    // g(point) += m' v, each point by one thread in the order of the tiles.
    parallel_for(36, 1, [&](int64_t begin, int64_t end) {
      for (int64_t point = begin; point < end; ++point) {
        Block<float> block;
        block.M = O;
        block.N = C;
        block.K = count;
        block.a = pair.m + point * pair.m_stride;
        block.a_row = 1;
        block.a_column = m_row;
        block.b = pair.v + point * pair.v_stride;
        block.b_row = width;
        block.b_panel = capacity * width;
        block.c = g.data<float>() + point * O * C;
        block.c_row = C;
        block.accumulate = first > 0;
        multiply_block(block);
      }
    });
  }
  parallel_for(O, 4, [&](int64_t begin, int64_t end) {
    CAIRN_ISA_CALL(winograd_weights_back, g.data<float>(), O, C, dw.data<float>(), begin, end);
  });
}

}  // namespace

void winograd_backward_weights(const Tensor& x, const Tensor& dy, int padding, Tensor& dw) {
  weights_gradient(x, nullptr, dy, padding, dw);
}

void winograd_backward_weights_normed(const Tensor& x, const ChannelNorm<float>& norm,
                                      const Tensor& dy, int padding, Tensor& dw) {
  weights_gradient(x, &norm, dy, padding, dw);
}

}  // namespace cairn
