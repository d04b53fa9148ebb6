// Rows of the optimizers: MagicPoint's parameters on a CPU, an hourglass of eight stacks on a GPU.
#include <cmath>

#include "kernels/optimizer/adam.h"
#include "kernels/optimizer/flat_chunk.h"
#include "kernels/optimizer/gradient_norm.h"
#include "kernels/optimizer/rmsprop.h"
#include "kernels/optimizer/sgd.h"
#include "tools/kernel_table/maker.h"

namespace cairn {

void table_of_optimizers(const TableMaker& m) {
  const int64_t n = m.on_simt() ? 20'352 : m.on_gpu() ? 25'600'000 : 1'300'864;
  const Shape s{n};
  const Tensor grads = m.random(s), scales = m.random({n / flat_chunk, 2}, 1, 1),
               clip = m.random({1}, 1, 1), lr = m.random({1}, 1e-3, 1e-3);
  Tensor values = m.random(s), first = m.random(s, 0, 0), second = m.random(s, 0, 1),
         steps = m.random({n / flat_chunk}, 0, 0, DType::i32), norm = m.empty({1}),
         scale = m.empty({1});
  // Beside the buffers: the scales of each chunk, and Adam's counts, read and written.
  const double count = double(n), chunks = 8 * count / flat_chunk;
  m.add("gradient_norm", s, {4 * count + chunks, 2 * count},
        [=]() mutable { gradient_norm(grads, scales, INFINITY, norm, scale); });
  m.add("adam", s, {28 * count + 2 * chunks, 15 * count},
        [=]() mutable { adam(grads, scales, clip, lr, {}, values, first, second, steps); });
  m.add("rmsprop", s, {20 * count + chunks, 9 * count},
        [=]() mutable { rmsprop(grads, scales, clip, lr, {}, values, second, first); });
  m.add("sgd", s, {12 * count + chunks, 5 * count},
        [=]() mutable { sgd(grads, scales, clip, lr, {}, values, first); });
  m.add("sgd momentum", s, {20 * count + chunks, 7 * count},
        [=]() mutable { sgd(grads, scales, clip, lr, {.momentum = 0.9}, values, first); });
}

}  // namespace cairn
