// Rows of the losses of maps, points and cells.
#include "kernels/loss/bce_with_logits.h"
#include "kernels/loss/concentration.h"
#include "kernels/loss/distance.h"
#include "kernels/loss/js_divergence.h"
#include "kernels/loss/mse.h"
#include "kernels/loss/separation.h"
#include "kernels/loss/smooth_l1.h"
#include "kernels/loss/softmax.h"
#include "kernels/loss/softmax_cross_entropy.h"
#include "kernels/loss/wing.h"
#include "tools/kernel_table/maker.h"

namespace cairn {
namespace {

void of_maps(const TableMaker& m) {
  const Shape s{m.many(16, 256), m.side(64), m.side(64), 16};
  const Tensor x = m.random(s), target = m.random(s, 0, 1), positive = m.random(s, 0, 1), none,
               one = m.random({1}, 1, 1);
  Tensor loss = m.empty({1}), factor = m.empty({1}), dx = m.empty(s);
  const double count = double(x.count());
  const KernelWork forward{8 * count, 3 * count}, backward{12 * count, 4 * count};
  const auto elements = LossMean::elements;
  auto sum = [=]() mutable { mse(x, target, none, elements, loss, factor); };
  m.add("mse", s, forward, sum);
  m.add(
      "mse backward", s, backward,
      [=]() mutable { mse_backward(x, target, none, factor, one, dx); }, sum);
  m.add("smooth_l1", s, forward,
        [=]() mutable { smooth_l1(x, target, none, 1, elements, loss, factor); });
  m.add(
      "smooth_l1 backward", s, backward,
      [=]() mutable { smooth_l1_backward(x, target, none, 1, factor, one, dx); }, sum);
  m.add("wing", s, forward, [=]() mutable { wing(x, target, none, {}, elements, loss, factor); });
  m.add(
      "wing backward", s, backward,
      [=]() mutable { wing_backward(x, target, none, {}, factor, one, dx); }, sum);
  m.add("bce_with_logits", s, forward,
        [=]() mutable { bce_with_logits(x, target, none, elements, loss, factor); });
  m.add(
      "bce_with_logits backward", s, backward,
      [=]() mutable { bce_with_logits_backward(x, target, none, factor, one, dx); }, sum);
  m.add("js_divergence", s, forward,
        [=]() mutable { js_divergence(positive, target, none, elements, loss, factor); });
  m.add(
      "js_divergence backward", s, backward,
      [=]() mutable { js_divergence_backward(positive, target, none, factor, one, dx); }, sum);
}

// Points of a batch: what counts is that these are few launches.
void of_points(const TableMaker& m) {
  const Shape s{m.many(16, 256), 16, 2};
  const Tensor x = m.random(s, 0, 1), target = m.random(s, 0, 1), none, one = m.random({1}, 1, 1);
  Tensor loss = m.empty({1}), factor = m.empty({1}), dx = m.empty(s);
  const double pairs = double(x.count()) / 2;
  auto sum = [=]() mutable { distance(x, target, none, 0, loss, factor); };
  m.add("distance", s, {16 * pairs, 6 * pairs}, sum);
  m.add(
      "distance backward", s, {24 * pairs, 8 * pairs},
      [=]() mutable { distance_backward(x, target, none, 0, factor, one, dx); }, sum);
  m.add("separation", s, {8 * pairs, 4 * 16 * pairs},
        [=]() mutable { separation(x, 0.1, 1, loss); });
  m.add("separation backward", s, {16 * pairs, 11 * 16 * pairs},
        [=]() mutable { separation_backward(x, 0.1, 1, one, dx); });
  m.add("concentration", s, {8 * pairs, 6 * pairs},
        [=]() mutable { concentration(x, 1, Spread::variance, loss); });
  m.add("concentration backward", s, {16 * pairs, 8 * pairs},
        [=]() mutable { concentration_backward(x, 1, Spread::variance, one, dx); });
}

void of_cells(const TableMaker& m) {
  const Shape cells{m.many(8, 256), m.many(15, 60), m.many(20, 80)},
      s{cells[0], cells[1], cells[2], 65};
  const Tensor logits = m.random(s, -4, 4), labels = m.random(cells, 0, 65, DType::i32),
               one = m.random({1}, 1, 1);
  Tensor log_sum = m.empty({cells[0], cells[1], cells[2], 2}), total = m.empty({}),
         loss = m.empty({}), y = m.empty(s), dlogits = m.empty(s);
  const double count = double(logits.count()), C = 65, n = count / C;
  m.add("softmax", s, {8 * count, 5 * count}, [=]() mutable { softmax(logits, y); });
  m.add("softmax backward", s, {12 * count, 4 * count},
        [=]() mutable { softmax_backward(logits, logits, y); });
  auto forward = [=]() mutable {
    softmax_cross_entropy(logits, labels, nullptr, log_sum, total, loss);
  };
  m.add("softmax_cross_entropy", s, {4 * count + 12 * n, 4 * count}, forward);
  m.add(
      "softmax_cross_entropy backward", s, {8 * count + 12 * n, 4 * count},
      [=]() mutable {
        softmax_cross_entropy_backward(logits, labels, nullptr, log_sum, total, one, dlogits);
      },
      forward);
}

}  // namespace

void table_of_losses(const TableMaker& m) {
  of_maps(m);
  of_points(m);
  of_cells(m);
}

}  // namespace cairn
