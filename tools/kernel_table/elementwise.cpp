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

void sums(const TableMaker& m, const Shape& s) {
  const Tensor x = m.random(s), z = m.random(s);
  Tensor y = m.empty(s), rounded = m.empty(s, DType::bf16);
  const double count = double(x.count());
  m.add("add", s, {12 * count, count}, [=]() mutable { add(x, z, y); });
  m.add("add accumulate", s, {12 * count, count}, [=]() mutable { accumulate(x, y); });
  m.add("scale", s, {8 * count, count}, [=]() mutable { scale(x, 0.5, y); });
  m.add("cast to bf16", s, {6 * count}, [=]() mutable { cast(x, rounded); });
  const Shape parts{s[0], s[1], s[2], s[3] / 2};
  const Tensor left = m.random(parts), right = m.random(parts);
  Tensor part = m.empty(parts);
  m.add("concat", s, {8 * count}, [=]() mutable { concat({left, right}, 0, y); });
  m.add("concat slice_channels", parts, {4 * count}, [=]() mutable { slice_channels(x, 0, part); });
  m.add("bias_activation relu", s, {8 * count, count},
        [=]() mutable { bias_activation(x, nullptr, Activation::relu, 0, y); });
  m.add("bias_activation backward", s, {12 * count, count},
        [=]() mutable { bias_activation_backward(x, z, Activation::relu, 0, &y, nullptr); });
}

void norms(const TableMaker& m, const Shape& s) {
  const Shape v{s[3]};
  const Tensor x = m.random(s), dy = m.random(s), gamma = m.random(v), beta = m.random(v);
  Tensor y = m.empty(s), running_mean = m.random(v), running_var = m.random(v, 1, 2),
         mean = m.empty(v), invstd = m.empty(v), dgamma = m.empty(v), dbeta = m.empty(v);
  const double count = double(x.count());
  auto forward = [=]() mutable {
    batch_norm_training(x, gamma, beta, {}, running_mean, running_var, mean, invstd, y);
  };
  m.add("batch_norm training", s, {12 * count, 8 * count}, forward);
  m.add("batch_norm evaluation", s, {8 * count, 2 * count}, [=]() mutable {
    batch_norm_evaluation(x, gamma, beta, {}, running_mean, running_var, mean, invstd, y);
  });
  m.add(
      "batch_norm backward", s, {20 * count, 9 * count},
      [=]() mutable {
        batch_norm_backward(x, dy, gamma, beta, mean, invstd, Activation::none, 0,
                            Statistics::batch, &y, dgamma, dbeta);
      },
      forward);
}

void pools(const TableMaker& m, const Shape& s) {
  const Shape half{s[0], s[1] / 2, s[2] / 2, s[3]};
  const Tensor x = m.random(s), low = m.random(half);
  Tensor y = m.empty(s), pooled = m.empty(half), index = m.empty(half, DType::u8);
  const double count = double(x.count());
  auto forward = [=]() mutable { max_pool(x, {}, pooled, &index); };
  m.add("max_pool 2x2", s, {5.25 * count, count}, forward);
  m.add(
      "max_pool backward", s, {5.25 * count, 0},
      [=]() mutable { max_pool_backward(low, index, {}, y); }, forward);
  m.add("avg_pool 2x2", s, {5 * count, count}, [=]() mutable { avg_pool(x, {}, pooled); });
  m.add("avg_pool backward", s, {5 * count, count},
        [=]() mutable { avg_pool_backward(low, {}, y); });
  m.add("upsample_nearest 2x", half, {5 * count}, [=]() mutable { upsample_nearest(low, 2, y); });
  m.add("upsample_nearest backward", half, {5 * count, count},
        [=]() mutable { upsample_nearest_backward(x, 2, pooled); });
  m.add("upsample_add", half, {9 * count, count}, [=]() mutable { upsample_add(x, low, y); });
  m.add("upsample_bilinear 2x", half, {5 * count, 8 * count},
        [=]() mutable { upsample_bilinear(low, Align::edges, y); });
  m.add("upsample_bilinear backward", half, {5 * count, 8 * count},
        [=]() mutable { upsample_bilinear_backward(x, Align::edges, pooled); });
}

}  // namespace

void table_of_elementwise(const TableMaker& m) {
  const Shape s{m.many(8, 64), m.side(120) / 2 * 2, m.side(160), 64};
  sums(m, s);
  norms(m, s);
  pools(m, s);
}

}  // namespace cairn
