#pragma once
// The n x n products of the descriptor losses in kernels, 64 x 64 at a time: a block computes a
// tile of D, uses it, and forgets it. Their counterpart on cpu is kernels/loss/descriptor_strips.h.
//
// A loss is a `Form`:
//   grid, hinge                      a PairGrid and a Hinge
//   Form::A, Form::B                 what it needs of a cell of a and of b; begin with CellA, CellB
//   cell_a(pair, cell), cell_b       read it
//   value(d, a, b)                   what its hinge judges: D, or D normalised
//   gradient(d, matched, a, b)       G_D of one pair of cells, without dloss
//
//   Launch    sums: a block of 256 threads per tile, 4 x 4 products a thread. Gradients: a block
//             has 64 rows of one side and walks over the tiles of the other; a thread holds 8 x 8
//             of its 64 x 256 sums, and G passes through shared memory. Where rows are few the walk
//             is cut into parts by the shape alone, and the parts are added.
//   Shared    17 KiB for sums, 34 KiB for gradients
//   Work      2 n^2 C flop a pair for sums, 4 n^2 C for each gradient
//   Traffic   a and b once per row and column of tiles, from L2; per cell and tile a few floats of
//             sums. Floor: flop / FFMA peak.
#include "kernels/gemm/ffma_tile.cuh"
#include "kernels/loss/cell_weights_device.h"
#include "kernels/loss/descriptor_pairs.h"

namespace cairn::CAIRN_NS {
namespace {  // each file that includes this has kernels of its own

using PairTile = FfmaTile<64, 64, 4, 4>;
constexpr int pair_side = 64, pair_threads = PairTile::Threads;

struct CellA {
  float u, v;
};
struct CellB {
  float x, y, weight;
};

/// The pairs as kernels see them.
struct PairGrid {
  Patches a, b;
  const float* centres;
  CellWeights<float> weights;
  int pairs, n, width, channels, tiles;
  float radius2;

  PairGrid(const DescriptorPairs& p, double radius)
      : centres(p.centres.data<float>()),
        weights(&p.valid),
        pairs(int(p.a.dim(0))),
        n(index_count(p.a.dim(1) * p.a.dim(2))),
        width(int(p.a.dim(2))),
        channels(index_count(p.a.dim(3))),
        tiles((n + pair_side - 1) / pair_side),
        radius2(float(radius * radius)) {
    a = rows_of(p.a);
    b = rows_of(p.b);
  }

  CAIRN_DEVICE_MEMBER CellA cell_a(int pair, int cell) const {
    const float* uv = centres + (int64_t(pair) * n + cell) * 2;
    return {uv[0], uv[1]};
  }
  CAIRN_DEVICE_MEMBER CellB cell_b(int pair, int cell) const {
    return {float(cell % width), float(cell / width), weights[int64_t(pair) * n + cell]};
  }
  CAIRN_DEVICE_MEMBER bool match(const CellA& a, const CellB& b) const {
    const float dx = a.u - b.x, dy = a.v - b.y;
    return dx * dx + dy * dy <= radius2;
  }

 private:
  Patches rows_of(const Tensor& t) const {
    Patches p = matrix(t.raw(), channels, channels);
    p.group_stride = int64_t(n) * channels;
    p.aligned = channels % 4 == 0 && reinterpret_cast<uintptr_t>(t.raw()) % 16 == 0;
    return p;
  }
};

/// The constants of the hinge.
struct Hinge {
  float positive_weight, positive_margin, negative_margin;
  explicit Hinge(const HingeOptions& o)
      : positive_weight(float(o.positive_weight)),
        positive_margin(float(o.positive_margin)),
        negative_margin(float(o.negative_margin)) {}

  CAIRN_DEVICE_MEMBER float loss(float t, bool matched) const {
    return matched ? positive_weight * fmaxf(positive_margin - t, 0.f)
                   : fmaxf(t - negative_margin, 0.f);
  }
  CAIRN_DEVICE_MEMBER float slope(float t, bool matched) const {
    if (matched) return t < positive_margin ? -positive_weight : 0.f;
    return t > negative_margin ? 1.f : 0.f;
  }
};

// ---- sums over rows and columns of D -----------------------------------------------------------

/// Below every product of unit vectors.
constexpr float no_product = -4;

template <int Columns>
struct ColumnSums {
  float v[pair_threads / 32][pair_side][Columns];
};

/// rows [pairs, tiles, n, Rows]: for each row of D, Rows sums over the columns of each tile;
/// columns [pairs, tiles, n, Columns] likewise. pass.add(d, matched, a, b, row sums, column sums);
/// a last row sum may be a largest value instead (Pass::largest), from no_product up.
template <int Rows, int Columns, class Pass>
CAIRN_KERNEL void CAIRN_BOUNDS(pair_threads, 2)
    pair_sums_kernel(Pass pass, float* rows, float* columns) {
  const PairGrid& g = pass.grid;
  auto& s = shared<PairTile::Shared<float>>();
  const int pair = int(blockIdx.y), row_tile = int(blockIdx.x) / g.tiles,
            column_tile = int(blockIdx.x) % g.tiles;
  const int ty = int(threadIdx.x) / PairTile::ThreadsN, tx = int(threadIdx.x) % PairTile::ThreadsN;
  const int a0 = row_tile * pair_side, b0 = column_tile * pair_side;
  float d[4][4] = {};
  ffma_sum<float, PairTile, false, false>(g.a, a0, g.n, g.b, b0, g.n, pair, 0, g.channels, s, ty,
                                          tx, d);

  typename Pass::B b[4];
  for (int j = 0; j < 4; ++j) b[j] = pass.cell_b(pair, min(b0 + 4 * tx + j, g.n - 1));
  float down[4][Columns > 0 ? Columns : 1] = {};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int row = a0 + 4 * ty + i;
    const typename Pass::A a = pass.cell_a(pair, min(row, g.n - 1));
    float across[Rows > 0 ? Rows : 1] = {};
    if constexpr (Pass::largest) across[Rows - 1] = no_product;
#pragma unroll
    for (int j = 0; j < 4; ++j)
      if (row < g.n && b0 + 4 * tx + j < g.n)
        pass.add(d[i][j], g.match(a, b[j]), a, b[j], across, down[j]);
#pragma unroll
    for (int k = 0; k < Rows; ++k) {
      for (int lane = 8; lane > 0; lane /= 2) {  // the 16 threads of a row lie side by side
        const float other = shuffle_xor(full_warp, across[k], lane);
        across[k] = Pass::largest && k == Rows - 1 ? fmaxf(across[k], other) : across[k] + other;
      }
      if (tx == 0 && row < g.n)
        rows[((int64_t(pair) * g.tiles + column_tile) * g.n + row) * Rows + k] = across[k];
    }
  }
  if constexpr (Columns > 0) {
    auto& sums = shared<ColumnSums<Columns>>();
#pragma unroll
    for (int j = 0; j < 4; ++j)
#pragma unroll
      for (int k = 0; k < Columns; ++k) {
        down[j][k] += shuffle_xor(full_warp, down[j][k], 16);  // a warp has two rows of threads
        if (ty % 2 == 0) sums.v[warp_index()][4 * tx + j][k] = down[j][k];
      }
    sync_threads();
    const int column = int(threadIdx.x);
    if (column < pair_side && b0 + column < g.n)
      for (int k = 0; k < Columns; ++k) {
        float sum = 0;
        for (int w = 0; w < pair_threads / 32; ++w) sum += sums.v[w][column][k];
        columns[((int64_t(pair) * g.tiles + row_tile) * g.n + b0 + column) * Columns + k] = sum;
      }
  }
}

/// finish(cell of all pairs, its K sums over the tiles); the last one may be a largest value.
template <int K, bool Largest, class Finish>
CAIRN_KERNEL void pair_finish_kernel(const float* parts, int pairs, int tiles, int n,
                                     Finish finish) {
  for (int64_t cell = global_thread(); cell < int64_t(pairs) * n; cell += global_threads()) {
    const int64_t pair = cell / n;
    float sums[K] = {};
    if constexpr (Largest) sums[K - 1] = no_product;
    for (int tile = 0; tile < tiles; ++tile) {
      const float* from = parts + (((pair * tiles + tile) * n) + cell % n) * K;
      for (int k = 0; k < K; ++k)
        sums[k] = Largest && k == K - 1 ? fmaxf(sums[k], from[k]) : sums[k] + from[k];
    }
    finish(cell, sums);
  }
}

template <int Rows, int Columns, class Pass>
void pair_sums(const char* name, const Pass& pass, float* rows, float* columns) {
  const PairGrid& g = pass.grid;
  launch(name, pair_sums_kernel<Rows, Columns, Pass>, Dim3(g.tiles * g.tiles, g.pairs),
         pair_threads, 0, pass, rows, columns);
}
template <int K, bool Largest = false, class Finish>
void pair_finish(const char* name, const PairGrid& g, const Tensor& parts, const Finish& finish) {
  launch(name, pair_finish_kernel<K, Largest, Finish>, blocks_for(int64_t(g.pairs) * g.n, 256), 256,
         0, parts.data<float>(), g.pairs, g.tiles, g.n, finish);
}

// ---- the factor and the terms ------------------------------------------------------------------

CAIRN_KERNEL void pair_factor_kernel(PairGrid g, HingeOptions options, float* factor) {
  float sum = 0;
  for (int64_t i = threadIdx.x; i < int64_t(g.pairs) * g.n; i += blockDim.x) sum += g.weights[i];
  sum = block_sum<256>(sum);
  if (threadIdx.x == 0) factor[0] = float(options.factor(sum, g.n));
}

void pair_factor(const char* name, const PairGrid& g, const HingeOptions& options, Tensor& factor) {
  launch(name, pair_factor_kernel, Dim3(1), 256, 0, g, options, factor.data<float>());
}

/// The look at D that judges every product.
template <class Form>
struct JudgePass : Form {
  static constexpr int row_sums = 5;  ///< positive, negative, cosines, matches, hardest
  static constexpr bool largest = true;

  CAIRN_DEVICE_MEMBER void add(float d, bool matched, const typename Form::A& a,
                               const typename Form::B& b, float* row, float* column) const {
    const float t = Form::value(d, a, b), loss = b.weight * Form::hinge.loss(t, matched);
    if (matched) {
      row[0] += loss;
      row[2] += b.weight * d;
      row[3] += b.weight;
    } else {
      row[1] += loss;
      if (b.weight > 0) row[4] = fmaxf(row[4], d);
    }
    if constexpr (Form::has_k) column[0] += b.weight * Form::hinge.slope(t, matched) * t;
  }
};

constexpr int pair_totals =
    6;  ///< positive, negative, cosines, matches, hardest, rows that have one

struct FinishTotals {
  float* totals;  ///< [cells, pair_totals]
  CAIRN_DEVICE_MEMBER void operator()(int64_t cell, const float* sums) const {
    float* to = totals + cell * pair_totals;
    for (int k = 0; k < 4; ++k) to[k] = sums[k];
    const bool has = sums[3] > 0 && sums[4] > no_product / 2;
    to[4] = has ? sums[4] : 0.f;
    to[5] = has;
  }
};

CAIRN_KERNEL void pair_terms_kernel(const float* totals, int64_t cells, const float* factor,
                                    float* terms, float* loss) {
  double sums[pair_totals] = {};  // few to a thread, but hundreds of thousands in all
  for (int64_t cell = threadIdx.x; cell < cells; cell += blockDim.x)
    for (int k = 0; k < pair_totals; ++k) sums[k] += totals[cell * pair_totals + k];
  for (int k = 0; k < pair_totals; ++k) sums[k] = block_sum<256>(sums[k]);
  if (threadIdx.x != 0) return;
  terms[0] = float(factor[0] * sums[0]);
  terms[1] = float(factor[0] * sums[1]);
  terms[2] = sums[3] > 0 ? float(sums[2] / sums[3]) : 0.f;
  terms[3] = sums[5] > 0 ? float(sums[4] / sums[5]) : 0.f;
  loss[0] = float(factor[0] * (sums[0] + sums[1]));
}

/// Judges all products: terms, loss, and, where the form has a k, its parts [pairs, tiles, n].
template <class Form>
void pair_judge(const char* name, const Form& form, const Tensor& factor, Tensor& terms,
                Tensor& loss, float* k_parts) {
  using Pass = JudgePass<Form>;
  const PairGrid& g = form.grid;
  const int64_t cells = int64_t(g.pairs) * g.n;
  Tensor rows = loss.empty_like({g.pairs, g.tiles, g.n, Pass::row_sums});
  Tensor totals = loss.empty_like({cells, pair_totals});
  pair_sums<Pass::row_sums, Form::has_k>(name, Pass{form}, rows.data<float>(), k_parts);
  pair_finish<Pass::row_sums, true>(name, g, rows, FinishTotals{totals.data<float>()});
  launch(name, pair_terms_kernel, Dim3(1), 256, 0, totals.data<float>(), cells,
         factor.data<float>(), terms.data<float>(), loss.data<float>());
}

// ---- gradients ---------------------------------------------------------------------------------

using GradientTile = FfmaTile<64, 256, 8, 8>;
static_assert(GradientTile::Threads == pair_threads);

/// The tiles of D and the other side's descriptors are not needed at the same time.
struct GradientShared {
  alignas(16) float g[pair_side / 16][16][pair_side + 4];  ///< G by the other side's cells
  union {
    PairTile::Shared<float> products;
    alignas(16) float other[16][GradientTile::N + 4];
  };
};

/// out [parts, pairs, n, C] = sum over the other side's cells of G times their descriptors, for the
/// side of a or of b; each part has the tiles of its own.
template <class Form, bool OfA>
CAIRN_KERNEL void CAIRN_BOUNDS(pair_threads)
    pair_gradient_kernel(Form form, int tiles_per_part, const float* dloss, float* out) {
  const PairGrid& g = form.grid;
  auto& s = shared<GradientShared>();
  const int pair = int(blockIdx.y), part = int(blockIdx.z);
  const int own0 = int(blockIdx.x) % g.tiles * pair_side,
            c0 = int(blockIdx.x) / g.tiles * GradientTile::N;
  const Patches &own = OfA ? g.a : g.b, &other = OfA ? g.b : g.a;
  const int ty = int(threadIdx.x) / PairTile::ThreadsN, tx = int(threadIdx.x) % PairTile::ThreadsN;
  const int out_y = int(threadIdx.x) / GradientTile::ThreadsN,
            out_x = int(threadIdx.x) % GradientTile::ThreadsN;

  float acc[8][8] = {};
  const int last = min(g.tiles, (part + 1) * tiles_per_part);
  for (int tile = part * tiles_per_part; tile < last; ++tile) {
    const int other0 = tile * pair_side;
    float d[4][4] = {};
    ffma_sum<float, PairTile, false, false>(own, own0, g.n, other, other0, g.n, pair, 0, g.channels,
                                            s.products, ty, tx, d);
    const int x = own0 + 4 * ty, y = other0 + 4 * tx;
    typename Form::A a[4];
    typename Form::B b[4];
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      a[e] = form.cell_a(pair, min((OfA ? x : y) + e, g.n - 1));
      b[e] = form.cell_b(pair, min((OfA ? y : x) + e, g.n - 1));
    }
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      Pack<float, 4> column;
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const auto& row = a[OfA ? i : j];
        const auto& col = b[OfA ? j : i];
        const bool inside = x + i < g.n && y + j < g.n;
        column[i] = inside ? form.gradient(d[i][j], g.match(row, col), row, col) : 0.f;
      }
      store_pack(&s.g[tx / 4][4 * (tx % 4) + j][4 * ty], column);
    }
    FfmaOperand<float, GradientTile::N, 16, pair_threads, true> descriptors(other, pair, c0,
                                                                            g.channels);
#pragma unroll
    for (int step = 0; step < pair_side / 16; ++step) {
      descriptors.fetch(other0 + 16 * step, g.n);
      sync_threads();  // G is there, and what lay in the shared union has been read
      descriptors.store(s.other);
      sync_threads();
      ffma_step<GradientTile>(s.g[step], s.other, out_y, out_x, acc);
    }
    sync_threads();
  }

  const float scale = dloss[0];
  float* to = out + ((int64_t(part) * g.pairs + pair) * g.n) * g.channels;
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const int row = own0 + GradientTile::place<GradientTile::M, 8>(out_y, i);
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      const int c = c0 + GradientTile::place<GradientTile::N, 8>(out_x, j);
      if (row < g.n && c < g.channels) to[int64_t(row) * g.channels + c] = scale * acc[i][j];
    }
  }
}

template <class Form, bool OfA>
void pair_gradient(const char* name, const Form& form, const Tensor& dloss, Tensor& out) {
  if (out.count() == 0) return;
  const PairGrid& g = form.grid;
  const int chunks = (g.channels + GradientTile::N - 1) / GradientTile::N;
  const int wanted = std::clamp(256 / std::max(g.tiles * chunks * g.pairs, 1), 1, 8);
  const int tiles_per_part = (g.tiles + wanted - 1) / wanted,
            parts = (g.tiles + tiles_per_part - 1) / tiles_per_part;
  Tensor sums = parts == 1 ? out : out.empty_like({parts, out.count()});
  launch(name, pair_gradient_kernel<Form, OfA>, Dim3(g.tiles * chunks, g.pairs, parts),
         pair_threads, 0, form, tiles_per_part, dloss.data<float>(), sums.data<float>());
  if (parts > 1) sum_parts(sums, out);
}

}  // namespace
}  // namespace cairn::CAIRN_NS
