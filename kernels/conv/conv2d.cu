// conv2d: forward and its two gradients as implicit products (kernels/gemm/tiled_product.h), the
// matrix of patches read in place. P = pixels of y, C, O channels per group, T = kh kw taps.
//
//   forward           [P, O]   = patches of x [P, T C]   times  w [O, T C];  bias, activation and
//                     2x2 pool on the sums in registers: with a pool, the rows of the product run
//                     through the 2x2 windows, so that a thread (mma: four lanes) holds whole
//                     ones; sigmoid and softplus are a pass of their own over y
//   backward data     [P', C]  = patches of dy [P', T' O] times flipped w [C, T' O], once for each
//                     of the stride^2 phases of x's grid, with only the taps T' that meet it; w is
//                     first transposed into a workspace (not for 1x1)
//   backward weights  [O, T C] = dy^T [O, P]             times  patches of x [P, T C], P in parts
//   Launch    as in kernels/gemm/gemm.cu; which tile, and in how many parts of k, is measured once
//             for each shape (runtime/autotuner.h); one input channel per group: depthwise.cuh
//   Traffic   x once per 64 (128) outputs, T times from L1/L2; y once; the workspaces are small
//   Work      2 P O C T flop each, per group; floor: flop / peak for C, O >= 32 or so, else bytes
//   Repeats   bitwise: one writer per element, parts cut by the shape alone, added in order.
//   Others    measured beside these tiles: on Hopper those of conv2d_warpgroup.sm90a.cu, on cuda
//             cuDNN's plans (runtime/cudnn.h) and cuBLASLt
//   Phases    instead of one launch over dy with zeros between its rows, which would multiply
//             stride^2 times as much.
#include "kernels/conv/conv2d.h"

#include <functional>

#include "kernels/conv/conv2d_parts.h"
#include "kernels/conv/conv2d_warpgroup.h"
#include "kernels/conv/conv_patches.h"
#include "kernels/conv/depthwise.cuh"
#include "kernels/elementwise/bias_activation.h"
#include "kernels/gemm/fastest_product.h"
#include "runtime/arithmetic.h"
#include "runtime/cudnn.h"

namespace cairn::CAIRN_NS {
namespace {

// out[g, c, tap, o] = w[g, o, tap, c].
template <class T>
CAIRN_KERNEL void transpose_kernel(const T* w, T* out, int64_t count, int Og, int taps, int Cg) {
  for (int64_t i = global_thread(); i < count; i += global_threads()) {
    const int64_t o = i % Og, tap = i / Og % taps, c = i / Og / taps % Cg, g = i / Og / taps / Cg;
    out[i] = w[((g * Og + o) * taps + tap) * Cg + c];
  }
}

void transpose_weights(const Tensor& w, const Conv2dSizes& s, Tensor& out) {
  const int taps = int(s.kh * s.kw), Og = int(s.Og), Cg = int(s.Cg);
  with_real(w.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("transpose_weights", transpose_kernel<T>, blocks_for(w.count(), 256), 256, 0,
           w.data<T>(), out.data<T>(), w.count(), Og, taps, Cg);
  });
}

}  // namespace

Tensor transposed_weights(const Tensor& w, const Conv2dSizes& s) {
  Tensor out = w.empty_like();
  transpose_weights(w, s, out);
  return out;
}

std::string problem_name(const char* op, DType type, const Conv2dSizes& s, const Conv2dOptions& o,
                         const Epilogue& e, DType to) {
  std::string p = text(op, type == DType::f32 && tf32_products() ? " tf32" : text(' ', type), " x",
                       Shape{s.N, s.H, s.W, s.C}, " w", Shape{s.O, s.kh, s.kw, s.Cg});
  if (o.stride != 1) p += text(" stride ", o.stride);
  if (o.padding != 0) p += text(" padding ", o.padding);
  if (o.dilation != 1) p += text(" dilation ", o.dilation);
  if (o.groups != 1) p += text(" groups ", o.groups);
  if (e.bias) p += " bias";
  if (e.act != Activation::none) p += text(' ', name(e.act));
  if (e.pool2) p += " pool2";
  if (to != type) p += text(" to ", to);
  return p;
}

namespace {

bool is_depthwise(const Conv2dSizes& s, const Conv2dOptions& o) {
  return s.Cg == 1 && o.groups > 1;
}

// Whole runs of 4 channels may be moved at once.
bool by_fours(const Conv2dSizes& s) { return s.Og == 1 && s.C % 4 == 0; }

Depthwise depthwise(const Tensor& in, const Tensor& w, const Tensor* bias, Tensor& out,
                    const Conv2dSizes& s) {
  const int vector = by_fours(s) ? 4 : 1;
  Depthwise d;
  d.in = in.raw();
  d.w = w.raw();
  d.bias = bias ? bias->raw() : nullptr;
  d.out = out.raw();
  d.kh = int(s.kh);
  d.kw = int(s.kw);
  d.multiplier = int(s.Og);
  d.outputs = s.O;
  d.count = index_count(out.count() / vector);
  d.runs = Divisor(std::max<int64_t>(out.dim(3) / vector, 1));
  return d;
}

// The patches of one channel, for kernels that add the channel themselves.
Patches channel_patches(const Tensor& x, const Conv2dSizes& s, const Conv2dOptions& o,
                        bool windows) {
  Patches p = input_patches(x, s, o, windows);
  p.channels = Divisor(1);
  return p;
}

void sum_over_pixels(const Tensor& dy, const Tensor* x, const Patches& patches, int multiplier,
                     int64_t taps, Tensor& out) {
  const int64_t outputs = dy.dim(dy.rank() - 1);
  const int pixels = index_count(outputs ? dy.count() / outputs : 0);
  const int64_t parts = std::clamp<int64_t>(pixels / 512, 1, 256);
  Tensor sums = Tensor::empty({parts, out.count()}, sum_type(dy.dtype()), out.device());
  const Dim3 grid((outputs + PixelSums::Channels - 1) / PixelSums::Channels, taps, parts);
  const int per_part = int((pixels + parts - 1) / parts);
  with_real(dy.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("pixel_sums", pixel_sums<T>, grid, PixelSums::Channels * PixelSums::Lanes, 0,
           dy.data<T>(), x ? x->data<T>() : nullptr, patches, multiplier, outputs, pixels, per_part,
           sums.data<Sum<T>>());
  });
  sum_parts(sums, out);
}

using Op = CudnnConvolution::Op;

// The ways that cuDNN has; of x, w and y (or their gradients) op writes one.
std::vector<Algorithm> by_cudnn(Op op, const Tensor& x, const Tensor& w, const Tensor& y,
                                const Conv2dSizes& s, const Conv2dOptions& o, const Epilogue& e,
                                const std::string& only) {
  const Tensor& from = op == Op::backward_data ? y : x;
  const Tensor& to = op == Op::forward ? y : op == Op::backward_data ? x : w;
  Cudnn* const library = cudnn_of(to.device());
  const bool ends = e.act == Activation::none || e.act == Activation::relu;
  const auto aligned = [](const Tensor* t) {
    return !t || reinterpret_cast<uintptr_t>(t->raw()) % 16 == 0;
  };
  if (!library || o.groups != 1 || e.pool2 || !ends || from.dtype() == DType::f64 ||
      from.count() == 0 || !aligned(&x) || !aligned(&w) || !aligned(&y) || !aligned(e.bias))
    return {};
  const CudnnConvolution problem{.op = op,
                                 .type = from.dtype(),
                                 .result = to.dtype(),
                                 .tf32 = from.dtype() == DType::f32 && tf32_products(),
                                 .N = s.N,
                                 .H = s.H,
                                 .W = s.W,
                                 .C = s.C,
                                 .O = s.O,
                                 .kh = s.kh,
                                 .kw = s.kw,
                                 .Ho = s.Ho,
                                 .Wo = s.Wo,
                                 .stride = o.stride,
                                 .padding = o.padding,
                                 .dilation = o.dilation,
                                 .bias = e.bias != nullptr,
                                 .relu = e.act == Activation::relu};
  const auto place = [](const Tensor& t) { return const_cast<void*>(t.raw()); };
  const CudnnTensors tensors{place(x), place(w), place(y), e.bias ? place(*e.bias) : nullptr};
  std::vector<Algorithm> ways;
  for (const Cudnn::Plan& plan : library->plans(problem, only))
    ways.push_back({plan.name, [=] {
                      library->run(problem, plan, tensors);
                      return true;
                    }});
  return ways;
}

std::vector<Algorithm> both(std::vector<Algorithm> a, const std::vector<Algorithm>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// All the products of a convolution.
struct Products {
  std::vector<Product> all;
  DType type;
  bool may_split = false;
  std::function<void()> before = [] {};  ///< work that they need done
};

// Into c by these products, or by what else computes it.
template <class NameProblem>
void compute_fastest(const Products& products, Tensor& c, NameProblem&& problem,
                     const Autotuner::More& more) {
  const auto run = [&](const ProductPlan& plan) {
    products.before();
    return std::all_of(products.all.begin(), products.all.end(),
                       [&](const Product& p) { return multiply(p, products.type, c, plan); });
  };
  run_fastest(c, product_plans(products.all.front(), products.type, c, products.may_split), problem,
              run, more);
}

}  // namespace

void conv2d(const Tensor& x, const Tensor& w, const Conv2dOptions& options,
            const Epilogue& epilogue, Tensor& y) {
  const Conv2dSizes s(x, w, options);
  if (y.count() == 0) return;
  if (is_depthwise(s, options)) {
    Depthwise d = depthwise(x, w, epilogue.bias, y, s);
    d.x = channel_patches(x, s, options, epilogue.pool2);
    d.act = epilogue.act;
    d.slope = epilogue.slope;
    return with_depthwise(y.dtype(), by_fours(s), [&](auto type, auto vector) {
      launch("depthwise_forward", depthwise_forward<decltype(type), vector>,
             blocks_for(d.count, 256), 256, 0, d);
    });
  }
  if (is_curved(epilogue.act)) {  // not in a product's last step: kernels/gemm/epilogue.cuh
    Epilogue end = epilogue;
    end.act = Activation::none;
    CAIRN_NS::conv2d(x, w, options, end, y);
    return CAIRN_NS::bias_activation(y, nullptr, epilogue.act, epilogue.slope, y);
  }
  const int64_t taps = s.kh * s.kw;
  Product p;
  p.a = input_patches(x, s, options, epilogue.pool2);
  p.b = matrix(w.raw(), taps * s.Cg, taps * s.Cg);
  p.b.group_stride = s.Og * taps * s.Cg;
  p.m = index_count(y.count() / s.O * (epilogue.pool2 ? 4 : 1));
  p.n = index_count(s.Og);
  p.k = index_count(taps * s.Cg);
  p.groups = options.groups;
  p.c_group = s.Og;
  p.c_row = s.O;
  p.bias = epilogue.bias ? epilogue.bias->raw() : nullptr;
  p.act = epilogue.act;
  p.slope = epilogue.slope;
  p.pool2 = epilogue.pool2;
  compute_fastest(
      {{p}, y.dtype()}, y,
      [&] { return problem_name("conv2d", y.dtype(), s, options, epilogue, y.dtype()); },
      [&](const std::string& only) {
        std::vector<Algorithm> ways;
        if (options == Conv2dOptions{.padding = 1})
          ways = by_warpgroups({x, w, false, epilogue}, y);
        return both(ways, by_cudnn(Op::forward, x, w, y, s, options, epilogue, only));
      });
}

void convolve_back(const Tensor& dy, const Tensor& w, const Conv2dOptions& options,
                   const Tensor* bias, Tensor& dx) {
  const Conv2dSizes s(dx, w, options);
  if (dx.count() == 0) return;
  if (is_depthwise(s, options)) {
    const DepthwiseBack b{depthwise(dy, w, bias, dx, s),
                          Divisor(s.H),
                          Divisor(s.W),
                          Divisor(options.stride),
                          int(dy.dim(1)),
                          int(dy.dim(2)),
                          options.padding,
                          options.dilation};
    return with_depthwise(dx.dtype(), by_fours(s), [&](auto type, auto vector) {
      launch("depthwise_backward_data", depthwise_backward_data<decltype(type), vector>,
             blocks_for(b.d.count, 256), 256, 0, b);
    });
  }
  const Epilogue end{.bias = bias};
  const auto name_of_it = [&] {
    return problem_name("conv2d_backward_data", dx.dtype(), s, options, end, dx.dtype());
  };
  Tensor transposed;
  const auto transpose = [&] { transpose_weights(w, s, transposed); };
  const auto more = [&](const std::string& only) {
    std::vector<Algorithm> ways;
    if (transposed.defined() && options == Conv2dOptions{.padding = 1})
      ways = by_warpgroups({dy, transposed, true, end}, dx, [&](int64_t) { transpose(); });
    return bias ? ways : both(ways, by_cudnn(Op::backward_data, dx, w, dy, s, options, end, only));
  };
  Product p;
  p.n = index_count(s.Cg);
  p.groups = options.groups;
  p.c_group = s.Cg;
  p.c_row = s.C;
  p.bias = bias ? bias->raw() : nullptr;
  if (pointwise(s, options)) {
    p.a = matrix(dy.raw(), s.Og, s.O);
    p.a.group_stride = s.Og;
    p.b = matrix(w.raw(), s.Cg, s.Cg);
    p.b.group_stride = s.Og * s.Cg;
    p.b_by_columns = true;
    p.m = index_count(s.N * s.H * s.W);
    p.k = index_count(s.Og);
    return compute_fastest({{p}, dx.dtype()}, dx, name_of_it, more);
  }
  transposed = w.empty_like({s.Cg, s.kh, s.kw, s.O});  // with groups [groups, Cg, kh, kw, Og]
  std::vector<Product> phases;
  p.c_gaps = options.stride > 1;
  p.c_height = int(s.H);
  p.c_width = int(s.W);
  p.c_stride = options.stride;
  for (int phase = 0; phase < options.stride * options.stride; ++phase) {
    p.c_offset_y = phase / options.stride;
    p.c_offset_x = phase % options.stride;
    const Phase v(s.H, s.kh, p.c_offset_y, options), h(s.W, s.kw, p.c_offset_x, options);
    if (v.rows == 0 || h.rows == 0) continue;
    p.a = gradient_patches(dy, s, v, h);
    p.b = weight_patches(transposed, s, v, h);
    p.m = index_count(s.N * v.rows * h.rows);
    p.k = index_count(v.taps * h.taps * s.Og);
    phases.push_back(p);
  }
  compute_fastest({phases, dx.dtype(), false, transpose}, dx, name_of_it, more);
}

void conv2d_backward_data(const Tensor& dy, const Tensor& w, const Conv2dOptions& options,
                          Tensor& dx) {
  convolve_back(dy, w, options, nullptr, dx);
}

void conv2d_backward_weights(const Tensor& x, const Tensor& dy, const Conv2dOptions& options,
                             Tensor& dw, Tensor* dbias) {
  const Conv2dSizes s(x, dw, options);
  if (dbias) sum_pixels(dy, *dbias);
  if (dw.count() == 0) return;
  if (is_depthwise(s, options))
    return sum_over_pixels(dy, &x, channel_patches(x, s, options, false), int(s.Og), s.kh * s.kw,
                           dw);
  Product p;
  p.a = matrix(dy.raw(), s.Og, s.O);
  p.a.group_stride = s.Og;
  p.b = input_patches(x, s, options, false);
  p.a_by_columns = p.b_by_columns = true;
  p.m = index_count(s.Og);
  p.n = index_count(s.kh * s.kw * s.Cg);
  p.k = index_count(dy.count() / s.O);
  p.groups = options.groups;
  p.c_group = s.Og * p.n;
  p.c_row = p.n;
  compute_fastest(
      {{p}, dy.dtype(), true}, dw,
      [&] {
        return problem_name("conv2d_backward_weights", dy.dtype(), s, options, {}, dw.dtype());
      },
      [&](const std::string& only) {
        return by_cudnn(Op::backward_weights, x, dw, dy, s, options, {}, only);
      });
}

void sum_pixels(const Tensor& t, Tensor& out) {
  if (out.count()) sum_over_pixels(t, nullptr, Patches(), 1, 1, out);
}

}  // namespace cairn::CAIRN_NS
