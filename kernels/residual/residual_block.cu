// residual_block: three implicit products whose operands are normalised on their way into shared
// memory, and which end in statistics, the skip, or the gradient of the norm before them
// (kernels/gemm/norm_epilogue.cuh). P pixels; I, M, O channels.
//
//   forward           moments of x;  a1 [P,M] = z1(x) w1', its moments per row of tiles;
//                     a2 [P,M] = patches of z2(a1) [P,9M] w2', its moments;
//                     y [P,O] = z3(a2) w3' + skip, the skip read where y is written
//   backward data     g3 = (dy w3) [z3 > 0] and its sums at the end of the product; da2 from g3 and
//                     the sums in one pass over it; the same for g2 with the 3x3's transpose and
//                     for g1, whose pass adds the skip's gradient
//   backward weights  dy' z3(a2), da2' patches of z2(a1), da1' z1(x), over P in parts
//   Launch    as in kernels/gemm/gemm.cu: 128x64 of C by 128 threads (64x128 for weights), 32x32 by
//             64 where these would leave cores idle and for float64; on tensor cores 128x128 by 256
//             or 128x64 (64x128) by 128; measured once for each product (runtime/autotuner.h);
//             merges: a block per 32 channels
//   Shared    that of the tiles: 26 KiB (128x64), 13 (64x128), 9 (32x32); on tensor cores 48
//             (128x128) or 36; the statistics are merged where the operands were
//   Traffic   per pixel and 4 B (bf16: 2 B). Forward: x three times (statistics, product, skip), a1
//             and a2 written and read once, y written: 3 I + 4 M + O, its parts 5 I + 10 M + 3 O.
//             Backward: 6 I + 17 M + 3 O, its parts 11 I + 31 M + 5 O. For I = O = 256, M = 128,
//             batch 16 at 64x64 (P = 65536): 403 MB and 1.2 GB
//   Work      2 P (I M + 9 M M + M O) flop forward: 27.9 GFLOP there; twice that backward
//   Floor     the larger of flop / peak and bytes / bandwidth: on an H200 (67 TFLOP/s, 4.8 TB/s)
//             0.42 ms by arithmetic beside 0.08 ms by bytes forward, 0.83 and 0.26 backward; in
//             TF32 (989/2 TFLOP/s by the data sheet) 0.06 and 0.11 by arithmetic: bytes bound it,
//             as in bf16 with half the bytes and half the time of arithmetic
//   Hopper    in bf16 the 3x3's forward and the gradient of its input are offered by wgmma too
//             (kernels/conv/conv2d_warpgroup.sm90a.cu): of the shape above 19.3 GFLOP each, 24 us
//             at 790 TFLOP/s; predicted 38, where 128x128 tiles are predicted to take 55 (L2). The
//             1x1s are bound by bytes, and gradients of weights by both
//   Repeats   bitwise: one writer per element; parts follow from the shape, merged in their order.
//   TF32      where tf32_products(): both factors of all products rounded, z after the norm;
//             statistics, sums, the skip and the norm's gradient stay in float32
//   bf16      weights (and the skip's bias) that are float32 are cast first; z, a1, a2, y, g and dx
//             are rounded once, where they are written; statistics are those of what was written,
//             sums and gradients of parameters stay in float32
//   Not tried on hardware yet.
#include "kernels/residual/residual_block.h"

#include "kernels/conv/conv2d_parts.h"
#include "kernels/conv/conv2d_warpgroup.h"
#include "kernels/conv/conv_patches.h"
#include "kernels/elementwise/cast.h"
#include "kernels/gemm/fastest_product.h"
#include "kernels/norm/batch_norm_parts.h"
#include "kernels/residual/residual_parts.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T>
CAIRN_KERNEL void norm_kernel(const T* gamma, const T* beta, const T* mean, const T* invstd,
                              T* mean_scale_beta, int64_t C) {
  for (int64_t c = global_thread(); c < C; c += global_threads()) {
    mean_scale_beta[c] = mean[c];
    mean_scale_beta[C + c] = gamma[c] * invstd[c];
    mean_scale_beta[2 * C + c] = beta[c];
  }
}

// The problem of step i, whose input is like x. `work` says which product, and with what.
std::string problem(const std::string& work, const Tensor& x, const Tensor& w, int i) {
  return problem_name(text("residual_block", work).c_str(), x.dtype(),
                      Conv2dSizes(x, w, residual_options(i)), residual_options(i), {}, x.dtype());
}

// The product of step i with x, or its patches, as rows; w is of x's type.
Product product_of(const Tensor& x, const Tensor& w, int i) {
  const Conv2dSizes s(x, w, residual_options(i));
  const int64_t K = s.kh * s.kw * s.C;
  Product p;
  p.a = input_patches(x, s, residual_options(i), false);
  p.b = matrix(w.raw(), K, K);
  p.m = index_count(s.N * s.H * s.W);
  p.n = index_count(s.O);
  p.k = index_count(K);
  p.c_row = s.O;
  p.steps.on = true;
  return p;
}

}  // namespace

ResidualNorm::ResidualNorm(const ResidualBlock& block, int step, const Tensor& mean,
                           const Tensor& invstd)
    : mean_scale_beta(mean.empty_like({3, mean.count()})) {
  const NormConv& s = block.step[step];
  const int64_t C = mean.count();
  with_float(mean.dtype(), [&](auto type) {
    using T = decltype(type);
    T* const to = mean_scale_beta.data<T>();
    launch("residual_block", norm_kernel<T>, blocks_for(C, 256), 256, 0, s.gamma.data<T>(),
           s.beta.data<T>(), mean.data<T>(), invstd.data<T>(), to, C);
    parts = {to, to + C, to + 2 * C};
  });
}

void forward_step(const Tensor& x, const ResidualBlock& block, int i, const RectifiedNorm* norm,
                  const Tensor* add, Activation act, Tensor* moments, Tensor& y) {
  const Tensor w = as_type(block.step[i].w, x.dtype());
  Product p = product_of(x, w, i);
  p.bias = block.step[i].bias.raw();
  p.act = act;
  if (norm) p.steps.in = *norm;
  if (add) p.steps.add = add->raw();
  const auto name = [&] {
    return problem(
        text(" step ", i + 1, norm ? " normed" : "", add ? " add" : "", moments ? " moments" : ""),
        x, w, i);
  };
  const auto run = [&](const ProductPlan& plan) {
    if (moments) {
      *moments = block.step[i].bias.empty_like({row_tiles(p, plan.tile), p.n, 3});
      p.steps.moments = moments->raw();
    }
    return multiply(p, y.dtype(), y, plan);
  };
  const auto more = [&](const std::string&) {
    if (i != 1 || add || (norm && act != Activation::none)) return std::vector<Algorithm>();
    return by_warpgroups({x, w, false, {.bias = &block.step[i].bias, .act = act}, &p.steps}, y,
                         [&](int64_t parts) {
                           if (!moments) return;
                           *moments = block.step[i].bias.empty_like({parts, p.n, 3});
                           p.steps.moments = moments->raw();
                         });
  };
  run_fastest(y, product_plans(p, y.dtype(), y), name, run, more);
}

namespace {

Tensor skip_of(const Tensor& x, const ResidualBlock& block, const Tensor& y) {
  if (!block.skip_w.defined()) return x;
  const Tensor bias = as_type(block.skip_bias, x.dtype());
  Tensor skip = y.empty_like();
  Epilogue epilogue;
  epilogue.bias = &bias;
  CAIRN_NS::conv2d(x, as_type(block.skip_w, x.dtype()), {}, epilogue, skip);
  return skip;
}

}  // namespace

void residual_block(const Tensor& x, const ResidualBlock& block, Statistics statistics,
                    ResidualKept& kept, Tensor& y) {
  Tensor out[3] = {kept.a1, kept.a2, y};
  const Tensor skip = skip_of(x, block, y);
  const bool batch = statistics == Statistics::batch;
  Tensor in = x, moments;
  if (batch) moments = partial_moments(x);
  for (int i = 0; i < 3; ++i) {
    Tensor mean = block.step[i].running_mean, var = block.step[i].running_var;
    if (batch)
      finish_moments(moments, block.options(), mean, var, kept.mean[i], kept.invstd[i]);
    else
      running_moments(block.options(), mean, var, kept.mean[i], kept.invstd[i]);
    const ResidualNorm norm(block, i, kept.mean[i], kept.invstd[i]);
    forward_step(in, block, i, &norm.parts, i == 2 ? &skip : nullptr, Activation::none,
                 batch && i < 2 ? &moments : nullptr, out[i]);
    in = out[i];
  }
}

void residual_block_inference(const Tensor& x, const ResidualBlock& block, Tensor& y) {
  const NormConv& first = block.step[0];
  Tensor mean = first.gamma.empty_like(), invstd = mean.empty_like();
  running_moments(block.options(), first.running_mean, first.running_var, mean, invstd);
  const ResidualNorm norm(block, 0, mean, invstd);
  const Tensor skip = skip_of(x, block, y);
  Tensor a1 = x.empty_like({x.dim(0), x.dim(1), x.dim(2), first.w.dim(0)}), a2 = a1.empty_like();
  forward_step(x, block, 0, &norm.parts, nullptr, Activation::relu, nullptr, a1);
  forward_step(a1, block, 1, nullptr, nullptr, Activation::relu, nullptr, a2);
  forward_step(a2, block, 2, nullptr, &skip, Activation::none, nullptr, y);
}

namespace {

// dw = dy' times the patches of the norm of x.
void backward_weights(const Tensor& x, const Tensor& dy, const RectifiedNorm& norm, int i,
                      Tensor& dw) {
  const Conv2dSizes s(x, dw, residual_options(i));
  Product p;
  p.a = matrix(dy.raw(), s.O, s.O);
  p.b = input_patches(x, s, residual_options(i), false);
  p.a_by_columns = p.b_by_columns = true;
  p.m = index_count(s.O);
  p.n = index_count(s.kh * s.kw * s.C);
  p.k = index_count(dy.count() / s.O);
  p.c_row = p.n;
  p.steps.on = true;
  p.steps.in = norm;
  const auto run = [&](const ProductPlan& plan) { return multiply(p, dy.dtype(), dw, plan); };
  run_fastest(
      dw, product_plans(p, dy.dtype(), dw, true),
      [&] { return problem(text("_backward_weights step ", i + 1), x, dw, i); }, run);
}

// g = (step i's transpose of dy) where the norm of x is positive; returns its partial sums.
Tensor backward_data(const Tensor& dy, const NormConv& step, int i, const Tensor& x,
                     const RectifiedNorm& norm, Tensor& g) {
  const Tensor w = as_type(step.w, dy.dtype());
  const Conv2dSizes s(x, w, residual_options(i));
  Product p;
  Tensor transposed;
  if (i == 1) {
    transposed = transposed_weights(w, s);
    const Phase v(s.H, s.kh, 0, residual_options(i)), h(s.W, s.kw, 0, residual_options(i));
    p.a = gradient_patches(dy, s, v, h);
    p.b = weight_patches(transposed, s, v, h);
    p.k = index_count(s.kh * s.kw * s.O);
  } else {
    p.a = matrix(dy.raw(), s.O, s.O);
    p.b = matrix(w.raw(), s.C, s.C);
    p.b_by_columns = true;
    p.k = index_count(s.O);
  }
  p.m = index_count(s.N * s.H * s.W);
  p.n = index_count(s.C);
  p.c_row = s.C;
  p.steps.on = true;
  p.steps.x = x.raw();
  p.steps.through = norm;
  Tensor sums;
  const auto run = [&](const ProductPlan& plan) {
    sums = step.gamma.empty_like({row_tiles(p, plan.tile), 2, s.C});
    p.steps.sums = sums.raw();
    return multiply(p, g.dtype(), g, plan);
  };
  const auto more = [&](const std::string&) {
    if (i != 1) return std::vector<Algorithm>();
    return by_warpgroups({dy, transposed, true, {}, &p.steps}, g, [&](int64_t parts) {
      sums = step.gamma.empty_like({parts, 2, s.C});
      p.steps.sums = sums.raw();
    });
  };
  run_fastest(
      g, product_plans(p, g.dtype(), g),
      [&] { return problem(text("_backward_data step ", i + 1), x, w, i); }, run, more);
  return sums;
}

}  // namespace

void residual_block_backward(const Tensor& x, const ResidualBlock& block, Statistics statistics,
                             const ResidualKept& kept, const Tensor& dy, ResidualGradients& to) {
  Tensor skip = dy;  // x's gradient by the skip
  if (block.skip_w.defined()) {
    CAIRN_NS::conv2d_backward_weights(x, dy, {}, to.skip_w, &to.skip_bias);
    skip = x.empty_like();
    CAIRN_NS::conv2d_backward_data(dy, as_type(block.skip_w, dy.dtype()), {}, skip);
  }
  const Tensor in[3] = {x, kept.a1, kept.a2};
  Tensor d = dy;
  for (int i = 2; i >= 0; --i) {
    const NormConv& s = block.step[i];
    const ResidualNorm norm(block, i, kept.mean[i], kept.invstd[i]);
    sum_pixels(d, to.step[i].bias);
    backward_weights(in[i], d, norm.parts, i, to.step[i].w);
    Tensor g = i == 0 && to.x.defined() ? to.x : in[i].empty_like();
    const Tensor sums = backward_data(d, s, i, in[i], norm.parts, g);
    finish_gradients(sums, kept.invstd[i], to.step[i].gamma, to.step[i].beta);
    norm_backward(in[i], g, s.gamma, s.beta, kept.mean[i], kept.invstd[i], Activation::none, 0,
                  statistics, to.step[i].gamma, to.step[i].beta, i == 0 ? &skip : nullptr, g);
    d = g;
  }
}

}  // namespace cairn::CAIRN_NS
