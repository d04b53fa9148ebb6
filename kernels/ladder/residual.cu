// The ladder of residual_block's forward with batch statistics and x itself as the skip, for P
// pixels of I = O and M channels. Each of its three steps is a norm, a rectifier and a convolution.
//
//   one op after another      batch_norm, conv2d, and add: each normalised map is written and read.
//   norm on the way in        the product normalises what it loads, so that the normalised map
//                             never exists. Statistics are a pass over each convolution's input.
//   statistics on the way out the product counts its own output while that is in registers; only
//                             x still needs a pass.
//   skip on the way out       the op: x is added before y is stored.
//
//   Launch    one product per convolution, 128x64 or 32x32 of its output a block
//             (kernels/gemm/gemm.cu); norms and statistics over columns
//   Traffic   as each step claims, below; in units of 4 P bytes and without what is small:
//             8 I + 10 M, 6 I + 6 M, 6 I + 4 M, 4 I + 4 M. FLOPs stay 2 P (2 I M + 9 M M).
//   Repeats   bitwise: one writer per element; parts follow from the shape
#include "kernels/column_sums_device.h"
#include "kernels/elementwise/add.h"
#include "kernels/ladder/claims.h"
#include "kernels/norm/batch_norm_parts.h"
#include "kernels/residual/residual_parts.h"

namespace cairn::CAIRN_NS {
namespace {

// ---- the steps ----

struct Statistic {
  Tensor mean, invstd;
  explicit Statistic(const Tensor& gamma) : mean(gamma.empty_like()), invstd(gamma.empty_like()) {}
};

void one_op_after_another(const Tensor& x, ResidualBlock block, Tensor y) {
  BatchNormOptions options = block.options();
  Tensor in = x;
  for (int i = 0; i < 3; ++i) {
    NormConv& s = block.step[i];
    Statistic of_in(s.gamma);
    Tensor z = in.empty_like(), out = in.empty_like({x.dim(0), x.dim(1), x.dim(2), s.w.dim(0)});
    CAIRN_NS::batch_norm_training(in, s.gamma, s.beta, options, s.running_mean, s.running_var,
                                  of_in.mean, of_in.invstd, z);
    Epilogue epilogue;
    epilogue.bias = &s.bias;
    CAIRN_NS::conv2d(z, s.w, residual_options(i), epilogue, out);
    in = out;
  }
  CAIRN_NS::add(in, x, y);
}

// The norm in the products, statistics in them too or in a pass of their own; the skip apart.
void norms_in_products(const Tensor& x, ResidualBlock block, bool count_on_the_way_out, Tensor y) {
  Tensor in = x, moments = partial_moments(x);
  for (int i = 0; i < 3; ++i) {
    NormConv& s = block.step[i];
    Statistic of_in(s.gamma);
    finish_moments(moments, block.options(), s.running_mean, s.running_var, of_in.mean,
                   of_in.invstd);
    const ResidualNorm norm(block, i, of_in.mean, of_in.invstd);
    Tensor out = in.empty_like({x.dim(0), x.dim(1), x.dim(2), s.w.dim(0)});
    const bool counts = count_on_the_way_out && i < 2;
    forward_step(in, block, i, &norm.parts, nullptr, Activation::none, counts ? &moments : nullptr,
                 out);
    if (!counts && i < 2) moments = partial_moments(out);
    in = out;
  }
  CAIRN_NS::add(in, x, y);
}

void op(const Tensor& x, const ResidualBlock& block, Tensor y) {
  const Tensor& w = block.step[0].w;
  ResidualKept kept;
  kept.a1 = x.empty_like({x.dim(0), x.dim(1), x.dim(2), w.dim(0)});
  kept.a2 = kept.a1.empty_like();
  for (int i = 0; i < 3; ++i)
    kept.mean[i] = block.step[i].gamma.empty_like(), kept.invstd[i] = kept.mean[i].empty_like();
  CAIRN_NS::residual_block(x, block, Statistics::batch, kept, y);
}

// ---- what they claim ----

struct BlockClaims {
  int64_t images, height, width, outer, inner;  ///< outer: I = O, inner: M

  BlockClaims(const Shape& x, int64_t M)
      : images(x[0]), height(x[1]), width(x[2]), outer(x[3]), inner(M) {}
  int64_t pixels() const { return images * height * width; }
  int64_t inputs(int step) const { return step == 0 ? outer : inner; }
  int64_t outputs(int step) const { return step == 2 ? outer : inner; }

  ColumnGrid columns(int64_t C, int per_thread, int64_t most_blocks) const {
    ColumnGrid g;
    with_pack_size(C, [&](auto V) { g = column_grid<V()>(pixels(), C, per_thread, most_blocks); });
    return g;
  }
  int64_t parts(int64_t C) const { return columns(C, 16, 512).grid.x; }

  LadderLaunch statistics(int64_t C) const {
    const ColumnGrid g = columns(C, 16, 512);
    const uint64_t x = 4 * uint64_t(pixels() * C), out = sizeof(Moments<float>) * g.grid.x * C;
    return {.bytes = {x, out, x, out}, .flops = 4 * double(pixels() * C), .blocks = g.grid.count()};
  }
  /// Mean, invstd and both running statistics from `parts` moments a channel.
  LadderLaunch merge(int64_t parts, int64_t C) const {
    const uint64_t in = (sizeof(Moments<float>) * parts + 8) * C, out = 16 * uint64_t(C);
    return {.bytes = {in, out, in, out}, .flops = 9 * double(parts * C), .blocks = (C + 31) / 32};
  }
  LadderLaunch normalise(int64_t C) const {
    const ColumnGrid g = columns(C, 4, 65535);
    const uint64_t x = 4 * uint64_t(pixels() * C), constants = 16 * uint64_t(C);
    return {.bytes = {x + constants * g.grid.x * g.block.y, x, x + constants, x},
            .flops = 5 * double(pixels() * C),
            .blocks = g.grid.count()};
  }
  /// Mean, scale and beta side by side.
  LadderLaunch norm(int64_t C) const {
    const uint64_t c = uint64_t(C);
    return {
        .bytes = {16 * c, 12 * c, 16 * c, 12 * c}, .flops = double(C), .blocks = (C + 255) / 256};
  }
  LadderLaunch add() const {
    const uint64_t y = 4 * uint64_t(pixels() * outer);
    return {.bytes = {2 * y, y, 2 * y, y},
            .flops = double(pixels() * outer),
            .blocks = blocks_for(pixels() * outer, 256).count()};
  }

  struct Ends {
    bool norm = false, moments = false, skip = false;
  };
  ProductTiles tiles(int step) const { return {pixels(), outputs(step)}; }
  /// With a norm, a thread loads three numbers for each of its 4 columns and every 16 of k, and the
  /// bias for each element of C; without one, the bias for each of its columns.
  LadderLaunch product(int step, Ends ends) const {
    const ProductTiles t = tiles(step);
    const int64_t C = inputs(step), O = outputs(step), k = step == 1 ? 9 * C : C;
    const int64_t taps =  // inside of the image, over all pixels
        step == 1 ? images * (3 * height - 2) * (3 * width - 2) : pixels();
    LadderLaunch l = t.product(pixels() * C, taps * C, k);
    const int64_t bias_rows = ends.norm ? t.m : t.down * t.threads_down;
    l.bytes += {.loaded = 4 * uint64_t(bias_rows * O), .distinct_loaded = 4 * uint64_t(O)};
    if (ends.norm) {
      l.bytes += {.loaded = 48 * uint64_t(t.count() * t.threads * ((k + 15) / 16)),
                  .distinct_loaded = 12 * uint64_t(C)};
      l.flops += 4 * double(taps * C * t.across);
    }
    if (ends.skip) {
      const uint64_t x = 4 * uint64_t(t.m * O);
      l.bytes += {.loaded = x, .distinct_loaded = x};
    }
    if (ends.moments) {
      const uint64_t moments = sizeof(Moments<float>) * t.down * O;
      l.bytes += {.stored = moments, .distinct_stored = moments};
    }
    return l;
  }

  /// Bytes of a map of the image, and of moments in `parts`.
  uint64_t map(int64_t channels) const { return 4 * uint64_t(pixels() * channels); }
  uint64_t moments(int64_t parts, int64_t C) const { return sizeof(Moments<float>) * parts * C; }

  uint64_t held_one_op_after_another() const {
    uint64_t most = 0;  // in any step: its input, normalised, its output, statistics
    for (int i = 0; i < 3; ++i) {
      const int64_t C = inputs(i);
      most = std::max(
          most, (i > 0 ? map(C) : 0) + map(C) + map(outputs(i)) + 8 * C + moments(parts(C), C));
    }
    return most;
  }
  uint64_t held_norms_in_products(bool count_on_the_way_out, bool all_kept) const {
    const auto moments_of = [&](int i) {  // of the input of step i
      const int64_t C = inputs(i);
      return moments(count_on_the_way_out && i > 0 ? tiles(i - 1).down : parts(C), C);
    };
    uint64_t most = 0;
    for (int i = 0; i < 3; ++i) {
      const int64_t C = inputs(i);
      uint64_t here = 12 * C + moments_of(i) + (i < 2 ? moments_of(i + 1) : 0);
      if (!all_kept) here += (i > 0 ? map(C) : 0) + map(outputs(i)) + 8 * C;
      most = std::max(most, here);
    }
    return most + (all_kept ? 2 * map(inner) + 8 * (outer + 2 * inner) : 0);
  }

  std::vector<LadderLaunch> one_op_after_another() const {
    std::vector<LadderLaunch> all;
    for (int i = 0; i < 3; ++i) {
      const int64_t C = inputs(i);
      for (const LadderLaunch& l :
           {statistics(C), merge(parts(C), C), normalise(C), product(i, {})})
        all.push_back(l);
    }
    all.push_back(add());
    return all;
  }
  std::vector<LadderLaunch> norms_in_products(bool count_on_the_way_out, bool skip) const {
    std::vector<LadderLaunch> all;
    for (int i = 0; i < 3; ++i) {
      const int64_t C = inputs(i);
      const bool counted = count_on_the_way_out && i > 0;
      if (!counted) all.push_back(statistics(C));
      all.push_back(merge(counted ? tiles(i - 1).down : parts(C), C));
      all.push_back(norm(C));
      all.push_back(product(
          i, {.norm = true, .moments = count_on_the_way_out && i < 2, .skip = skip && i == 2}));
    }
    if (!skip) all.push_back(add());
    return all;
  }
};

}  // namespace

Ladder residual_ladder(const Tensor& x, const ResidualBlock& block, Tensor& y) {
  const BlockClaims claims(x.shape(), block.step[0].w.dim(0));
  return {{"one op after another", "each normalised map is written, and read by its convolution",
           claims.one_op_after_another(), claims.held_one_op_after_another(),
           [=] { one_op_after_another(x, block, y); }},
          {"norm on the way in", "the product normalises what it loads",
           claims.norms_in_products(false, false), claims.held_norms_in_products(false, false),
           [=] { norms_in_products(x, block, false, y); }},
          {"statistics on the way out", "the product counts its output while that is in registers",
           claims.norms_in_products(true, false), claims.held_norms_in_products(true, false),
           [=] { norms_in_products(x, block, true, y); }},
          {"skip on the way out", "the last product adds x before it stores y",
           claims.norms_in_products(true, true), claims.held_norms_in_products(true, true),
           [=] { op(x, block, y); }}};
}

}  // namespace cairn::CAIRN_NS
