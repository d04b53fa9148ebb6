// Rows of the element-wise ops, norms and pools, at the sizes of a MagicPoint training step.
#include "kernels/elementwise/add.h"
#include "kernels/elementwise/bias_activation.h"
#include "kernels/elementwise/cast.h"
#include "kernels/elementwise/concat.h"
#include "kernels/elementwise/scale.h"
#include "kernels/norm/batch_norm.h"
#include "kernels/pool/avg_pool.h"
#include "kernels/pool/max_pool.h"
#include "kernels/pool/upsample_add.h"
#include "kernels/pool/upsample_bilinear.h"
#include "kernels/pool/upsample_nearest.h"
#include "tools/kernel_table/maker.h"

namespace cairn {
namespace {

void copies(const TableMaker& m, const Shape& s) {
  const Tensor x = m.random(s);
  Tensor y = m.empty(s), rounded = m.empty(s, DType::bf16);
  const double count = double(x.count());
  m.add("scale", s, {8 * count, count}, [=]() mutable { scale(x, 0.5, y); });
  m.add("cast to bf16", s, {6 * count}, [=]() mutable { cast(x, rounded); });
}

void columns(const TableMaker& m, const Shape& s, DType type) {
  const Shape parts{s[0], s[1], s[2], s[3] / 2};
  const Tensor x = m.random(s, -1, 1, type), left = m.random(parts, -1, 1, type),
               right = m.random(parts, -1, 1, type);
  Tensor y = m.empty(s, type), part = m.empty(parts, type);
  const double bytes = double(x.bytes());
  m.add(text("concat", suffix(type)), s, {2 * bytes}, [=]() mutable {
    concat({left, right}, 0, y);
  });
  m.add(text("concat slice_channels", suffix(type)), parts, {bytes},
        [=]() mutable { slice_channels(x, 0, part); });
}

void sums(const TableMaker& m, const Shape& s, DType type) {
  const Tensor x = m.random(s, -1, 1, type), z = m.random(s, -1, 1, type);
  Tensor y = m.empty(s, type);
  const double count = double(x.count()), bytes = double(x.bytes());
  const auto add_row = [&](const char* name, double work_bytes, std::function<void()> run) {
    m.add(text(name, suffix(type)), s, {work_bytes, count}, std::move(run));
  };
  add_row("add", 3 * bytes, [=]() mutable { add(x, z, y); });
  add_row("add accumulate", 3 * bytes, [=]() mutable { accumulate(x, y); });
  add_row("bias_activation relu", 2 * bytes,
          [=]() mutable { bias_activation(x, nullptr, Activation::relu, 0, y); });
  add_row("bias_activation backward", 3 * bytes,
          [=]() mutable { bias_activation_backward(x, z, Activation::relu, 0, &y, nullptr); });
}

void norms(const TableMaker& m, const Shape& s, DType type) {
  const Shape v{s[3]};
  const Tensor x = m.random(s, -1, 1, type), dy = m.random(s, -1, 1, type), gamma = m.random(v),
               beta = m.random(v);
  Tensor y = m.empty(s, type), running_mean = m.random(v), running_var = m.random(v, 1, 2),
         mean = m.empty(v), invstd = m.empty(v), dgamma = m.empty(v), dbeta = m.empty(v);
  const double count = double(x.count()), bytes = double(x.bytes());
  auto forward = [=]() mutable {
    batch_norm_training(x, gamma, beta, {}, running_mean, running_var, mean, invstd, y);
  };
  m.add(text("batch_norm training", suffix(type)), s, {3 * bytes, 8 * count}, forward);
  m.add(text("batch_norm evaluation", suffix(type)), s, {2 * bytes, 2 * count}, [=]() mutable {
    batch_norm_evaluation(x, gamma, beta, {}, running_mean, running_var, mean, invstd, y);
  });
  m.add(
      text("batch_norm backward", suffix(type)), s, {5 * bytes, 9 * count},
      [=]() mutable {
        batch_norm_backward(x, dy, gamma, beta, mean, invstd, Activation::none, 0,
                            Statistics::batch, &y, dgamma, dbeta);
      },
      forward);
}

void pools(const TableMaker& m, const Shape& s, DType type) {
  const Shape half{s[0], s[1] / 2, s[2] / 2, s[3]};
  const Tensor x = m.random(s, -1, 1, type), low = m.random(half, -1, 1, type);
  Tensor y = m.empty(s, type), pooled = m.empty(half, type), index = m.empty(half, DType::u8);
  const double count = double(x.count()), large = double(x.bytes()), small = double(low.bytes()),
               indices = double(index.bytes());
  auto forward = [=]() mutable { max_pool(x, {}, pooled, &index); };
  m.add(text("max_pool 2x2", suffix(type)), s, {large + small + indices, count}, forward);
  m.add(
      text("max_pool backward", suffix(type)), s, {large + small + indices, 0},
      [=]() mutable { max_pool_backward(low, index, {}, y); }, forward);
  m.add(text("upsample_nearest 2x", suffix(type)), half, {large + small},
        [=]() mutable { upsample_nearest(low, 2, y); });
  m.add(text("upsample_nearest backward", suffix(type)), half, {large + small, count},
        [=]() mutable { upsample_nearest_backward(x, 2, pooled); });
  m.add(text("upsample_add", suffix(type)), half, {2 * large + small, count},
        [=]() mutable { upsample_add(x, low, y); });
}

void means(const TableMaker& m, const Shape& s, DType type) {
  const Shape half{s[0], s[1] / 2, s[2] / 2, s[3]};
  const Tensor x = m.random(s, -1, 1, type), low = m.random(half, -1, 1, type);
  Tensor y = m.empty(s, type), pooled = m.empty(half, type);
  const double count = double(x.count()), bytes = double(x.bytes() + low.bytes());
  m.add(text("avg_pool 2x2", suffix(type)), s, {bytes, count},
        [=]() mutable { avg_pool(x, {}, pooled); });
  m.add(text("avg_pool backward", suffix(type)), s, {bytes, count},
        [=]() mutable { avg_pool_backward(low, {}, y); });
}

void bilinear(const TableMaker& m, const Shape& s) {
  const Shape half{s[0], s[1] / 2, s[2] / 2, s[3]};
  const Tensor x = m.random(s), low = m.random(half);
  Tensor y = m.empty(s), smaller = m.empty(half);
  const double count = double(x.count());
  m.add("upsample_bilinear 2x", half, {5 * count, 8 * count},
        [=]() mutable { upsample_bilinear(low, Align::edges, y); });
  m.add("upsample_bilinear backward", half, {5 * count, 8 * count},
        [=]() mutable { upsample_bilinear_backward(x, Align::edges, smaller); });
}

}  // namespace

void table_of_elementwise(const TableMaker& m) {
  const Shape s{m.many(8, 64), m.side(120) / 2 * 2, m.side(160), 64};
  copies(m, s);
  for (const DType type : {DType::f32, DType::bf16}) {
    if (type == DType::bf16 && m.on_cpu()) continue;
    columns(m, s, type);
    sums(m, s, type);
    norms(m, s, type);
    pools(m, s, type);
    means(m, s, type);
  }
  bilinear(m, s);
}

}  // namespace cairn
