// The ladder of descriptor_double_norm's forward, for N pairs of n cells with C channels.
//
//   every matrix stored  D, Q and T of n^2 floats each: a product, then passes that read one and
//                        write the next, 9 accesses to n^2 floats.
//   D stored once        the lengths r and c are all that remains of Q and T: D is written once and
//                        read three times.
//   D computed again     the op: each look at D multiplies anew, a tile of 64 x 64 at a time, and
//                        forgets it. Nothing of n^2 floats is left; in exchange three products,
//                        6 n^2 C flop a pair, where D stored takes one. For C = 256 the model of
//                        an H200 has this slower: what it saves is memory, 4 n^2 bytes a pair, 92
//                        MB at 480x640. It also leaves k, which the backward needs.
//
//   Launch    products as in kernels/gemm/gemm.cu; rows by a warp each, columns by 32 x 8 threads
//   Traffic   as each step claims, below. Exact where every cell has a product above 0 (FinishSum
//             asks for the factor there only)
//   Repeats   bitwise: every sum has a fixed order
#include "kernels/loss/descriptor_double_norm.h"

#include "kernels/column_sums_device.h"
#include "kernels/gemm/gemm.h"
#include "kernels/ladder/claims.h"
#include "kernels/loss/descriptor_tiles.cuh"

namespace cairn::CAIRN_NS {
namespace {

constexpr int block = 256, warps = block / 32;

CAIRN_DEVICE float length(float squares) { return fmaxf(sqrtf(squares), float(least_double_norm)); }

/// r of each of the N n rows of d [N,n,n].
CAIRN_KERNEL void row_lengths_kernel(const float* d, int64_t rows, int n, float* r) {
  const int64_t row = int64_t(blockIdx.x) * warps + warp_index();
  if (row >= rows) return;
  float sum = 0;
  for (int b = lane_index(); b < n; b += 32) {
    const float positive = fmaxf(d[row * n + b], 0.f);
    sum += positive * positive;
  }
  sum = warp_sum(sum);
  if (lane_index() == 0) r[row] = length(sum);
}

/// c of each column; q is max(0, d) / r, or q itself if r is null.
CAIRN_KERNEL void column_lengths_kernel(const float* d, const float* r, int n, float* c) {
  const int b = int(blockIdx.x * blockDim.x + threadIdx.x);
  const int64_t first = int64_t(blockIdx.y) * n;
  float sum[1] = {};
  if (b < n)
    for (int a = int(threadIdx.y); a < n; a += int(blockDim.y)) {
      const float q = fmaxf(d[(first + a) * n + b], 0.f) / (r ? r[first + a] : 1.f);
      sum[0] += q * q;
    }
  sum_down_block(sum);
  if (b < n && threadIdx.y == 0) c[first + b] = length(sum[0]);
}

/// max(0, in) over the length of its row, or of its column.
template <bool Rows>
CAIRN_KERNEL void divide_kernel(const float* in, const float* lengths, int64_t count, int n,
                                float* out) {
  for (int64_t i = global_thread(); i < count; i += global_threads()) {
    const int64_t row = i / n;
    out[i] = fmaxf(in[i], 0.f) / lengths[Rows ? row : row / n * n + i % n];
  }
}

/// T as it is stored.
struct StoredT {
  using A = CellA;
  struct B : CellB {
    float t;
  };
  static constexpr bool has_k = false;
  PairGrid grid;
  Hinge hinge;
  const float* t;

  CAIRN_DEVICE_MEMBER A row(int pair, int a) const { return grid.cell_a(pair, a); }
  CAIRN_DEVICE_MEMBER B column(int pair, int b, int64_t at) const {
    return {grid.cell_b(pair, b), t[at]};
  }
  CAIRN_DEVICE_MEMBER float value(float, const A&, const B& b) const { return b.t; }
};

/// T from D and the lengths.
struct FromLengths {
  struct A : CellA {
    float r;
  };
  struct B : CellB {
    float c;
  };
  static constexpr bool has_k = false;
  PairGrid grid;
  Hinge hinge;
  const float *r, *c;

  CAIRN_DEVICE_MEMBER A row(int pair, int a) const {
    return {grid.cell_a(pair, a), r[int64_t(pair) * grid.n + a]};
  }
  CAIRN_DEVICE_MEMBER B column(int pair, int b, int64_t) const {
    return {grid.cell_b(pair, b), c[int64_t(pair) * grid.n + b]};
  }
  CAIRN_DEVICE_MEMBER float value(float d, const A& a, const B& b) const {
    return fmaxf(d, 0.f) / a.r / b.c;
  }
};

template <class Form>
CAIRN_KERNEL void judge_kernel(JudgePass<Form> pass, const float* d, FinishTotals finish) {
  const PairGrid& g = pass.grid;
  const int64_t row = int64_t(blockIdx.x) * warps + warp_index();
  if (row >= int64_t(g.pairs) * g.n) return;
  const int pair = int(row / g.n);
  const auto a = pass.row(pair, int(row % g.n));
  float sums[pass.row_sums] = {0, 0, 0, 0, no_product};
  for (int b = lane_index(); b < g.n; b += 32) {
    const auto cell = pass.column(pair, b, row * g.n + b);
    pass.add(d[row * g.n + b], g.match(a, cell), a, cell, sums, nullptr);
  }
  for (int k = 0; k < 4; ++k) sums[k] = warp_sum(sums[k]);
  sums[4] = warp_max(sums[4]);
  if (lane_index() == 0) finish(row, sums);
}

// ---- the steps ----

struct Work {
  DescriptorPairs pairs;
  HingeOptions options;
  Tensor terms, loss;
  PairGrid grid;

  Work(const DescriptorPairs& p, const HingeOptions& o, const Tensor& t, const Tensor& l)
      : pairs(p), options(o), terms(t), loss(l), grid(p, o.radius) {}
  int64_t rows() const { return int64_t(grid.pairs) * grid.n; }
  int64_t products() const { return rows() * grid.n; }
  Dim3 row_blocks() const { return Dim3((rows() + warps - 1) / warps); }
  Dim3 column_blocks() const { return Dim3((grid.n + 31) / 32, grid.pairs); }

  Tensor factor() const {
    Tensor f = loss.empty_like({1});
    pair_factor("factor", grid, options, f);
    return f;
  }
  Tensor all_products() const {
    Tensor d = loss.empty_like({rows(), grid.n});
    const Shape cells{grid.n, grid.channels};
    for (int p = 0; p < grid.pairs; ++p) {
      Tensor of_pair = d.rows(int64_t(p) * grid.n, int64_t(p + 1) * grid.n);
      CAIRN_NS::gemm(pairs.a.rows(p, p + 1).reshape(cells), false,
                     pairs.b.rows(p, p + 1).reshape(cells), true, of_pair);
    }
    return d;
  }
  Tensor row_lengths(const Tensor& d) const {
    Tensor r = loss.empty_like({rows()});
    launch("row lengths", row_lengths_kernel, row_blocks(), block, 0, d.data<float>(), rows(),
           grid.n, r.data<float>());
    return r;
  }
  Tensor column_lengths(const Tensor& d, const float* r) const {
    Tensor c = loss.empty_like({rows()});
    launch("column lengths", column_lengths_kernel, column_blocks(), Dim3(32, 8), 0,
           d.data<float>(), r, grid.n, c.data<float>());
    return c;
  }
  template <bool Rows>
  Tensor divided(const Tensor& in, const Tensor& lengths) const {
    Tensor out = in.empty_like();
    launch("divide", divide_kernel<Rows>, blocks_for(products(), block), block, 0, in.data<float>(),
           lengths.data<float>(), products(), grid.n, out.data<float>());
    return out;
  }
  template <class Form>
  void judge(const Form& form, const Tensor& d, const Tensor& factor) {
    Tensor totals = loss.empty_like({rows(), pair_totals});
    launch("judge", judge_kernel<Form>, row_blocks(), block, 0, JudgePass<Form>{form},
           d.data<float>(), FinishTotals{totals.data<float>()});
    launch("terms", pair_terms_kernel, Dim3(1), 256, 0, totals.data<float>(), rows(),
           factor.data<float>(), terms.data<float>(), loss.data<float>());
  }

  void every_matrix_stored() {
    const Tensor f = factor(), d = all_products(), q = divided<true>(d, row_lengths(d)),
                 t = divided<false>(q, column_lengths(q, nullptr));
    judge(StoredT{grid, Hinge(options), t.data<float>()}, d, f);
  }
  void stored_once() {
    const Tensor f = factor(), d = all_products(), r = row_lengths(d),
                 c = column_lengths(d, r.data<float>());
    judge(FromLengths{grid, Hinge(options), r.data<float>(), c.data<float>()}, d, f);
  }
  void op() {
    DoubleNorms norms{loss.empty_like({1}), loss.empty_like({rows()}), loss.empty_like({rows()}),
                      loss.empty_like({rows()})};
    CAIRN_NS::descriptor_double_norm(pairs, options, norms, terms, loss);
  }
};

// ---- what they claim; weights are bytes ----

struct PairClaims {
  const Work& work;
  uint64_t rows, n, products, tiles;

  explicit PairClaims(const Work& w)
      : work(w),
        rows(uint64_t(w.rows())),
        n(uint64_t(w.grid.n)),
        products(uint64_t(w.products())),
        tiles(uint64_t(w.grid.tiles)) {}

  LadderLaunch factor() const {
    return {.bytes = {rows, 4, rows, 4}, .flops = double(rows), .blocks = 1};
  }
  LadderLaunch terms() const {
    const uint64_t totals = 4 * pair_totals * rows;
    return {.bytes = {totals + 12, 20, totals + 4, 20},
            .flops = double(pair_totals * rows),
            .blocks = 1};
  }
  std::vector<LadderLaunch> all_products() const {
    const int64_t side = work.grid.n, C = work.grid.channels;
    return {size_t(work.grid.pairs), ProductTiles(side, side).product(side * C, side * C, C)};
  }
  LadderLaunch row_lengths() const {
    return {.bytes = {4 * products, 4 * rows, 4 * products, 4 * rows},
            .flops = 3 * double(products),
            .blocks = work.row_blocks().count()};
  }
  LadderLaunch column_lengths(bool divides) const {
    return {.bytes = {(divides ? 8 : 4) * products, 4 * rows,
                      4 * products + (divides ? 4 * rows : 0), 4 * rows},
            .flops = (divides ? 3 + exponential : 3) * double(products),
            .blocks = work.column_blocks().count()};
  }
  LadderLaunch divide() const {
    return {.bytes = {8 * products, 4 * products, 4 * (products + rows), 4 * products},
            .flops = (1 + exponential) * double(products),
            .blocks = blocks_for(int64_t(products), block).count()};
  }
  /// `pair`: bytes of a product; `row`, `column`: of a row (by each lane) and of a column.
  LadderLaunch judge(uint64_t pair, uint64_t row, uint64_t column) const {
    return {.bytes = {(pair + column) * products + 32 * row * rows, 4 * pair_totals * rows,
                      pair * products + (row + column) * rows, 4 * pair_totals * rows},
            .flops = 12 * double(products),
            .blocks = work.row_blocks().count()};
  }

  /// A look at D that leaves `sums` floats for each row or column and tile; a thread loads what it
  /// needs of 4 rows and 4 columns.
  LadderLaunch look(uint64_t row, uint64_t column, uint64_t sums) const {
    const uint64_t C = uint64_t(work.grid.channels), blocks = tiles * tiles * work.grid.pairs;
    LadderLaunch l;
    l.bytes.loaded = 8 * tiles * rows * C + 4 * pair_threads * blocks * (row + column);
    l.bytes.distinct_loaded = 8 * rows * C + (row + column) * rows;
    l.bytes.stored = l.bytes.distinct_stored = 4 * sums * tiles * rows;
    l.flops = 2 * double(products) * double(C);
    l.l2_bytes = 8 * double(tiles * rows * C);
    l.blocks = int64_t(blocks);
    return l;
  }
  /// Adds `sums` floats over the tiles.
  LadderLaunch finish(uint64_t sums, uint64_t result) const {
    const uint64_t parts = 4 * sums * tiles * rows;
    return {.bytes = {parts, result * rows, parts, result * rows},
            .flops = double(sums * tiles * rows),
            .blocks = blocks_for(int64_t(rows), 256).count()};
  }
  LadderLaunch finish_k() const {
    LadderLaunch l = finish(1, 4);
    l.bytes += {.loaded = 8 * rows, .distinct_loaded = 4 * rows + 4};
    return l;
  }
};

}  // namespace

Ladder double_norm_ladder(const DescriptorPairs& pairs, const HingeOptions& options, Tensor& terms,
                          Tensor& loss) {
  Work work(pairs, options, terms, loss);
  const PairClaims c(work);
  constexpr uint64_t weight = 1, centre = 8, length = 4;
  return {
      {"every matrix stored", "D, D over its rows' lengths, and that over its columns'",
       joined({{c.factor()},
               c.all_products(),
               {c.row_lengths(), c.divide(), c.column_lengths(false), c.divide(),
                c.judge(4 + 4, centre, weight), c.terms()}}),
       4 + 12 * c.products + 4 * pair_totals * c.rows,
       [=]() mutable { work.every_matrix_stored(); }},
      {"D stored once", "the lengths are all that remains of the normalised matrices",
       joined({{c.factor()},
               c.all_products(),
               {c.row_lengths(), c.column_lengths(true),
                c.judge(4, centre + length, weight + length), c.terms()}}),
       4 + 4 * c.products + 4 * (2 + pair_totals) * c.rows, [=]() mutable { work.stored_once(); }},
      {"D computed again",
       "each look at D multiplies anew, and keeps sums alone",
       {c.factor(), c.look(0, 0, 1), c.finish(1, 4), c.look(length, 0, 1), c.finish(1, 4),
        c.look(centre + length, weight + length, 6), c.finish(5, 4 * pair_totals), c.terms(),
        c.finish_k()},
       4 + 4 * (3 + 6 * c.tiles + pair_totals) * c.rows,
       [=]() mutable { work.op(); }}};
}

}  // namespace cairn::CAIRN_NS
