// descriptor_sparse: the hinges of some cells against their match and M others.
//
//   Launch    forward: one warp per cell, its lanes along the channels, 8 cells per block; then one
//             block adds up pair after pair. Backward: a block of 256 threads per cell, a channel
//             each; cells of a partner look through the matches of a pair for their own.
//   Traffic   about S (M + 1) C 4 B from L2 forward, twice that backward (as many of the hinges as
//             are above 0), and n^2 4 B of matches a pair. Floor: that / L2 bandwidth.
//   Repeats   bitwise: gradients are gathered, and every sum has a fixed order.
#include "kernels/loss/descriptor_sparse.h"

#include "kernels/loss/cell_weights_device.h"

namespace cairn::CAIRN_NS {
namespace {

struct Pairs {
  const float *a, *b;
  const int *matches, *offsets;
  CellWeights<float> weights;
  int pairs, n, width, channels, negatives;

  explicit Pairs(const SparsePairs& p)
      : a(p.a.data<float>()),
        b(p.b.data<float>()),
        matches(p.matches.data<int>()),
        offsets(p.offsets.data<int>()),
        weights(&p.valid),
        pairs(int(p.a.dim(0))),
        n(int(p.a.dim(1) * p.a.dim(2))),
        width(int(p.a.dim(2))),
        channels(int(p.a.dim(3))),
        negatives(int(p.offsets.dim(1))) {}
  int64_t cells() const { return int64_t(pairs) * n; }

  CAIRN_DEVICE_MEMBER float product(int64_t a_cell, int64_t b_cell) const {
    float sum = 0;
    for (int c = lane_index(); c < channels; c += 32)
      sum += a[a_cell * channels + c] * b[b_cell * channels + c];
    return warp_sum(sum);
  }
};

/// Of a cell: positive, negative, cosine, drawn, active negatives, hardest negative, has one.
constexpr int totals_of_cell = 7;

CAIRN_KERNEL void sparse_cells_kernel(Pairs p, SparseOptions o, uint8_t* active, float* totals) {
  const int64_t cells = int64_t(p.pairs) * p.n;
  for (int64_t cell = global_thread() / 32; cell < cells; cell += global_threads() / 32) {
    const int64_t pair = cell / p.n, first = pair * p.n;
    const int match = p.matches[cell];
    uint8_t* flags = active + cell * (p.negatives + 1);
    float sums[totals_of_cell] = {};
    if (match >= 0) {
      sums[2] = p.product(cell, first + match);
      sums[0] = fmaxf(float(o.positive_margin) - sums[2], 0.f);
      sums[3] = 1;
    }
    if (lane_index() == 0) flags[p.negatives] = sums[0] > 0;
    for (int m = 0; m < p.negatives; ++m) {
      const int b = (int(cell - first) + p.offsets[pair * p.negatives + m]) % p.n;
      bool above = false;
      if (match >= 0 && p.weights[first + b] > 0 && !adjacent_cells(b, match, p.width)) {
        const float d = p.product(cell, first + b);
        above = d > float(o.negative_margin);
        sums[1] += fmaxf(d - float(o.negative_margin), 0.f);
        sums[4] += float(above);
        sums[5] = sums[6] > 0 ? fmaxf(sums[5], d) : d;
        sums[6] = 1;
      }
      if (lane_index() == 0) flags[m] = above;
    }
    if (lane_index() == 0)
      for (int k = 0; k < totals_of_cell; ++k) totals[cell * totals_of_cell + k] = sums[k];
  }
}

CAIRN_KERNEL void sparse_terms_kernel(const float* totals, int pairs, int n, SparseOptions o,
                                      float* counts, float* terms, float* loss) {
  double positive = 0, negative = 0, cosines = 0, drawn = 0, hardest = 0, hardest_cells = 0;
  for (int64_t pair = 0; pair < pairs; ++pair) {
    double sums[totals_of_cell] = {};
    for (int64_t i = threadIdx.x; i < n; i += blockDim.x)
      for (int k = 0; k < totals_of_cell; ++k)
        sums[k] += totals[(pair * n + i) * totals_of_cell + k];
    for (int k = 0; k < totals_of_cell; ++k) sums[k] = block_sum<256>(sums[k]);
    if (threadIdx.x == 0) {
      counts[2 * pair] = float(sums[3]);
      counts[2 * pair + 1] = float(sums[4]);
    }
    if (sums[3] > 0) positive += o.positive_weight * sums[0] / sums[3];
    negative += sums[1] / (sums[4] + 1);
    cosines += sums[2];
    drawn += sums[3];
    hardest += sums[5];
    hardest_cells += sums[6];
  }
  if (threadIdx.x != 0) return;
  const double factor = pairs == 0 ? 0 : o.weight / pairs;
  terms[0] = float(factor * positive);
  terms[1] = float(factor * negative);
  terms[2] = drawn > 0 ? float(cosines / drawn) : 0.f;
  terms[3] = hardest_cells > 0 ? float(hardest / hardest_cells) : 0.f;
  loss[0] = float(factor * (positive + negative));
}

/// dloss times the weight of a pair's matches and of its negatives.
struct Slopes {
  float positive, negative;
  CAIRN_DEVICE_MEMBER Slopes(const SparseOptions& o, int pairs, const float* counts,
                             const float* dloss) {
    const double upstream = double(dloss[0]) * o.weight / pairs;
    positive = float(-upstream * o.positive_weight / fmax(1.0, double(counts[0])));
    negative = float(upstream / (double(counts[1]) + 1));
  }
};

CAIRN_KERNEL void sparse_da_kernel(Pairs p, SparseOptions o, const uint8_t* active,
                                   const float* counts, const float* dloss, float* da) {
  const int64_t cell = blockIdx.x, pair = cell / p.n, first = pair * p.n;
  const Slopes slopes(o, p.pairs, counts + 2 * pair, dloss);
  const uint8_t* flags = active + cell * (p.negatives + 1);
  for (int c = threadIdx.x; c < p.channels; c += blockDim.x) {
    float sum = 0;
    if (flags[p.negatives]) sum = slopes.positive * p.b[(first + p.matches[cell]) * p.channels + c];
    for (int m = 0; m < p.negatives; ++m)
      if (flags[m]) {
        const int b = (int(cell - first) + p.offsets[pair * p.negatives + m]) % p.n;
        sum += slopes.negative * p.b[(first + b) * p.channels + c];
      }
    da[cell * p.channels + c] = sum;
  }
}

struct SourceMasks {
  unsigned warp[8];
};

CAIRN_KERNEL void sparse_db_kernel(Pairs p, SparseOptions o, const uint8_t* active,
                                   const float* counts, const float* dloss, float* db) {
  auto& sources = shared<SourceMasks>();
  const int64_t cell = blockIdx.x, pair = cell / p.n, first = pair * p.n;
  const int own = int(cell - first), stride = p.negatives + 1;
  const Slopes slopes(o, p.pairs, counts + 2 * pair, dloss);
  for (int c0 = 0; c0 < p.channels; c0 += int(blockDim.x)) {
    const int c = c0 + int(threadIdx.x);
    const bool mine = c < p.channels;
    float sum = 0;
    for (int a0 = 0; a0 < p.n; a0 += int(blockDim.x)) {  // whose match is this cell?
      const int a = a0 + int(threadIdx.x);
      const bool is_source =
          a < p.n && p.matches[first + a] == own && active[(first + a) * stride + p.negatives];
      const unsigned mask = ballot(full_warp, is_source);
      if (lane_index() == 0) sources.warp[warp_index()] = mask;
      sync_threads();
      for (int w = 0; w < 8; ++w)
        for (unsigned left = sources.warp[w]; mine && left; left &= left - 1) {
          const int bit = popcount((left & (0u - left)) - 1);
          sum += slopes.positive * p.a[(first + a0 + 32 * w + bit) * p.channels + c];
        }
      sync_threads();
    }
    for (int m = 0; mine && m < p.negatives; ++m) {
      const int a = (own - p.offsets[pair * p.negatives + m] + p.n) % p.n;
      if (active[(first + a) * stride + m])
        sum += slopes.negative * p.a[(first + a) * p.channels + c];
    }
    if (mine) db[cell * p.channels + c] = sum;
  }
}

}  // namespace

void descriptor_sparse(const SparsePairs& pairs, const SparseOptions& options, Tensor& active,
                       Tensor& counts, Tensor& terms, Tensor& loss) {
  const Pairs p(pairs);
  Tensor totals = loss.empty_like({p.cells(), totals_of_cell});
  launch("descriptor_sparse", sparse_cells_kernel, blocks_for(p.cells(), 8), 256, 0, p, options,
         active.data<uint8_t>(), totals.data<float>());
  launch("descriptor_sparse", sparse_terms_kernel, Dim3(1), 256, 0, totals.data<float>(), p.pairs,
         p.n, options, counts.data<float>(), terms.data<float>(), loss.data<float>());
}

void descriptor_sparse_backward(const SparsePairs& pairs, const SparseOptions& options,
                                const Tensor& active, const Tensor& counts, const Tensor& dloss,
                                Tensor& da, Tensor& db) {
  const Pairs p(pairs);
  launch("descriptor_sparse_backward", sparse_da_kernel, Dim3(p.cells()), 256, 0, p, options,
         active.data<uint8_t>(), counts.data<float>(), dloss.data<float>(), da.data<float>());
  launch("descriptor_sparse_backward", sparse_db_kernel, Dim3(p.cells()), 256, 0, p, options,
         active.data<uint8_t>(), counts.data<float>(), dloss.data<float>(), db.data<float>());
}

}  // namespace cairn::CAIRN_NS
