// Rows of matrix products, convolutions, and the residual block.
#include "kernels/conv/conv2d_pair.h"
#include "kernels/conv/conv_transpose2d.h"
#include "kernels/gemm/gemm.h"
#include "kernels/residual/residual_block.h"
#include "tools/kernel_table/maker.h"

namespace cairn {
namespace {

void matrices(const TableMaker& m, DType type) {
  const int64_t n = m.on_gpu() ? 4096 : m.side(1024);
  const Tensor a = m.random({n, n}, -1, 1, type), b = m.random({n, n}, -1, 1, type);
  Tensor c = m.empty({n, n}, type);
  m.add(text("gemm", suffix(type)), {n, n, n},
        {.bytes = 3.0 * double(c.bytes()), .flops = 2.0 * double(n * n * n), .type = type},
        [=]() mutable { gemm(a, false, b, false, c); });
}

// Layers of SuperPoint and of the hourglass; simt's images are a thirty-second of theirs.
void layers(const TableMaker& m, DType type) {
  struct Layer {
    int64_t h, w, in, out;
    int kernel;
  };
  const int64_t N = m.many(1, 32);
  for (const Layer l : {Layer{480, 640, 1, 64, 3},
                        {480, 640, 64, 64, 3},
                        {120, 160, 128, 128, 3},
                        {60, 80, 128, 256, 3},
                        {60, 80, 256, 65, 1},
                        {64, 64, 256, 128, 1}}) {
    const auto small = [&](int64_t n) { return m.on_simt() ? std::max<int64_t>(n / 32, 6) : n; };
    const Conv2dOptions options{.stride = 1, .padding = l.kernel / 2, .dilation = 1, .groups = 1};
    const Shape xs{N, small(l.h), small(l.w), l.in}, ys{N, xs[1], xs[2], l.out};
    const Tensor x = m.random(xs, -1, 1, type),
                 w = m.random({l.out, l.kernel, l.kernel, l.in}, -1, 1, type),
                 b = m.random({l.out}, -1, 1, type), dy = m.random(ys, -1, 1, type);
    Tensor y = m.empty(ys, type), dx = m.empty(xs, type), dw = w.empty_like(), db = b.empty_like();
    const KernelWork work{.bytes = double(x.bytes() + y.bytes() + w.bytes()),
                          .flops = 2.0 * double(N * xs[1] * xs[2]) * double(w.count()),
                          .type = type};
    const std::string name =
        text("conv2d ", l.kernel, "x", l.kernel, " ", l.in, "-", l.out, suffix(type));
    m.add(name, xs, work,
          [=]() mutable { conv2d(x, w, options, {.bias = &b, .act = Activation::relu}, y); });
    if (l.in == 1) continue;
    if (type == DType::bf16 && m.on_cpu()) continue;
    KernelWork data = work, weights = work;
    data.moved = work.bytes + (l.kernel > 1 ? 2 * double(w.bytes()) : 0);  // transposed first
    weights.moved = work.bytes + double(dy.bytes());  // the bias sums dy in a launch of its own
    m.add(name + " dx", xs, data, [=]() mutable { conv2d_backward_data(dy, w, options, dx); });
    m.add(name + " dw", xs, weights,
          [=]() mutable { conv2d_backward_weights(x, dy, options, dw, &db); });
  }
}

// SuperPoint's first two layers with their pool, for inference.
void first_pair(const TableMaker& m, DType type) {
  const int64_t N = m.many(1, 32), h = m.side(480) / 2 * 2, w = m.side(640), C = 64;
  const Conv2dOptions same{.stride = 1, .padding = 1, .dilation = 1, .groups = 1};
  const Tensor x = m.random({N, h, w, 1}, -1, 1, type), w1 = m.random({C, 3, 3, 1}, -1, 1, type),
               b = m.random({C}, -1, 1, type), w2 = m.random({C, 3, 3, C}, -1, 1, type);
  Tensor y = m.empty({N, h / 2, w / 2, C}, type);
  const double bytes = double(x.bytes() + y.bytes() + w2.bytes());
  m.add(text("conv2d_pair 1-64-64 pooled", suffix(type)), x.shape(),
        {.bytes = bytes,
         .flops = 2.0 * double(N * h * w) * double(w1.count() + w2.count()),
         .moved = bytes + (type == DType::f32 ? 2 * double(w2.bytes()) : 0),  // transposed first
         .type = type},
        [=]() mutable {
          conv2d_pair(x, {w1, same, {.bias = &b, .act = Activation::relu}},
                      {w2, same, {.bias = &b, .act = Activation::relu, .pool2 = true}}, y);
        });
}

void transposed(const TableMaker& m) {
  const int64_t N = m.many(4, 32), h = m.on_simt() ? 6 : 32, C = 64;
  const ConvTranspose2dOptions o{.stride = 2, .padding = 1};
  const Tensor x = m.random({N, h, h, C}), w = m.random({C, 4, 4, C}), b = m.random({C});
  Tensor y = m.empty({N, 2 * h, 2 * h, C});
  const double bytes = double(x.bytes() + y.bytes() + w.bytes());
  // The weights are transposed first; each of the four phases of y reads x.
  m.add("conv_transpose2d 4x4 stride 2", x.shape(),
        {.bytes = bytes,
         .flops = 2.0 * double(x.count()) * double(16 * C),
         .moved = bytes + 2 * double(w.bytes()) + 3 * double(x.bytes())},
        [=]() mutable { conv_transpose2d(x, w, &b, o, y); });
}

// The hourglass's bottleneck: 256 features, 128 inside.
void residual(const TableMaker& m, DType type) {
  const int64_t N = m.many(4, 16), side = m.on_simt() ? 16 : 64, C = m.on_simt() ? 64 : 256,
                M = C / 2;
  const Shape s{N, side, side, C};
  ResidualBlock block;
  const int64_t in[3] = {C, M, M}, out[3] = {M, M, C}, taps[3] = {1, 3, 1};
  for (int i = 0; i < 3; ++i) {
    const Shape v{in[i]};
    block.step[i] = {m.random(v, 1, 1),
                     m.random(v, 0, 0),
                     m.random(v, 0, 0),
                     m.random(v, 1, 1),
                     m.random({out[i], taps[i], taps[i], in[i]}, -0.05, 0.05),
                     m.random({out[i]})};
  }
  const Tensor x = m.random(s, -1, 1, type), dy = m.random(s, -1, 1, type);
  Tensor y = m.empty(s, type);
  const Shape middle{N, side, side, M};
  ResidualKept kept{m.empty(middle, type), m.empty(middle, type), {}, {}};
  ResidualGradients gradients;
  for (int i = 0; i < 3; ++i) {
    const NormConv& f = block.step[i];
    gradients.step[i] = {f.gamma.empty_like(), f.beta.empty_like(), f.w.empty_like(),
                         f.bias.empty_like()};
    kept.mean[i] = f.gamma.empty_like();
    kept.invstd[i] = f.gamma.empty_like();
  }
  gradients.x = m.empty(s, type);
  const double pixels = double(N * side * side), I = double(C), Mid = double(M),
               flops = 2 * pixels * (2 * I * Mid + 9 * Mid * Mid);
  double weights = 0;
  for (const NormConv& f : block.step) weights += double(f.w.bytes());
  const double each = double(size_of(type)), cast = type == DType::bf16 ? weights : 0,
               there = each * pixels * (4 * I + 4 * Mid) + weights,
               back = each * pixels * (9 * I + 17 * Mid) + 2 * weights;
  auto forward = [=]() mutable { residual_block(x, block, Statistics::batch, kept, y); };
  const std::string name = text("residual_block", suffix(type));
  m.add(name, s,
        {.bytes = there, .flops = flops, .moved = there + cast, .partials = 0.05, .type = type},
        forward);
  m.add(
      name + " backward", s,  // partial sums are float32 beside bf16 too
      {.bytes = back,
       .flops = 2 * flops,
       .moved = back + cast,
       .partials = 0.6 / each,
       .type = type},
      [=]() mutable { residual_block_backward(x, block, Statistics::batch, kept, dy, gradients); },
      forward);
}

}  // namespace

void table_of_products(const TableMaker& m) {
  for (const DType type : {DType::f32, DType::bf16}) {
    if (type == DType::f32 || !m.on_cpu()) matrices(m, type);
    layers(m, type);
    first_pair(m, type);
  }
  transposed(m);
  residual(m, DType::f32);
  if (m.on_gpu() || m.on_simt()) residual(m, DType::bf16);
}

}  // namespace cairn
