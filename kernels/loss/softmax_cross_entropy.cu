// softmax_cross_entropy: forward and backward.
//
//   Launch    one warp per cell, 8 cells per block, grid-stride; then one block adds up the cells.
//   Traffic   forward 4 B, backward 8 B per logit from memory (a cell is read twice, the second
//             time from the cache), 24 B per cell: bandwidth-bound; floor = 4 B or 8 B * count /
//             bandwidth. An exp per logit and pass.
//   Repeats   bitwise: every sum has a fixed order.
#include "kernels/loss/softmax_cross_entropy.h"

#include <cmath>

#include "kernels/loss/cell_weights_device.h"

namespace cairn::CAIRN_NS {
namespace {

// Per cell: max and log sum, and the weighted loss.
template <class T>
CAIRN_KERNEL void cell_losses_kernel(const T* logits, const int* labels, CellWeights<T> weights,
                                     int64_t cells, int C, T* log_sum, T* losses) {
  for (int64_t i = global_thread() / 32; i < cells; i += global_threads() / 32) {
    const T w = weights[i];
    T top = 0, log_of_sum = 0, loss = 0;
    if (w != 0) {
      const T* x = logits + i * C;
      T rest = 0, ties = 0;  // apart: 1 + rest would round a small rest, and with it the loss
      top = -INFINITY;
      for (int c = lane_index(); c < C; c += 32) top = std::fmax(top, x[c]);
      top = warp_max(top);
      for (int c = lane_index(); c < C; c += 32)
        if (x[c] == top)
          ++ties;
        else
          rest += std::exp(x[c] - top);
      log_of_sum = std::log1p(warp_sum(rest) + (warp_sum(ties) - 1));
      const int label = labels[i];
      loss = label >= 0 && label < C ? w * (top - x[label] + log_of_sum) : T(NAN);
    }
    if (lane_index() != 0) continue;
    log_sum[2 * i] = top;
    log_sum[2 * i + 1] = log_of_sum;
    losses[i] = loss;
  }
}

template <class T>
CAIRN_KERNEL void mean_loss_kernel(const T* losses, CellWeights<T> weights, int64_t cells, T* total,
                                   T* loss) {
  double sum = 0, weight = 0;  // few cells to a thread, but hundreds of thousands in all
  for (int64_t i = threadIdx.x; i < cells; i += blockDim.x) {
    sum += losses[i];
    weight += weights[i];
  }
  sum = block_sum<256>(sum);
  weight = block_sum<256>(weight);
  if (threadIdx.x != 0) return;
  total[0] = T(weight);
  loss[0] = weight == 0 ? T(0) : T(sum / weight);
}

template <class T>
CAIRN_KERNEL void backward_kernel(const T* logits, const int* labels, CellWeights<T> weights,
                                  const T* log_sum, const T* total, const T* dloss, int64_t cells,
                                  int C, T* dlogits) {
  const T upstream = total[0] == 0 ? T(0) : dloss[0] / total[0];
  for (int64_t i = global_thread() / 32; i < cells; i += global_threads() / 32) {
    const T w = weights[i], g = upstream * w;
    const T top = log_sum[2 * i], log_of_sum = log_sum[2 * i + 1];
    const int label = labels[i];
    for (int c = lane_index(); c < C; c += 32) {
      T d = 0;
      if (w != 0) {
        const T log_p = logits[i * C + c] - top - log_of_sum;
        d = g * (c == label ? std::expm1(log_p) : std::exp(log_p));  // p - 1 without cancellation
      }
      dlogits[i * C + c] = d;
    }
  }
}

}  // namespace

void softmax_cross_entropy(const Tensor& logits, const Tensor& labels, const Tensor* valid,
                           Tensor& log_sum, Tensor& total, Tensor& loss) {
  const int64_t cells = labels.count();
  Tensor losses = logits.empty_like({cells});
  with_float(logits.dtype(), [&](auto type) {
    using T = decltype(type);
    const CellWeights<T> weights(valid);
    launch("softmax_cross_entropy", cell_losses_kernel<T>, blocks_for(cells, 8), 256, 0,
           logits.data<T>(), labels.data<int>(), weights, cells, int(logits.dim(-1)),
           log_sum.data<T>(), losses.data<T>());
    launch("softmax_cross_entropy", mean_loss_kernel<T>, Dim3(1), 256, 0, losses.data<T>(), weights,
           cells, total.data<T>(), loss.data<T>());
  });
}

void softmax_cross_entropy_backward(const Tensor& logits, const Tensor& labels, const Tensor* valid,
                                    const Tensor& log_sum, const Tensor& total, const Tensor& dloss,
                                    Tensor& dlogits) {
  const int64_t cells = labels.count();
  with_float(logits.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("softmax_cross_entropy_backward", backward_kernel<T>, blocks_for(cells, 8), 256, 0,
           logits.data<T>(), labels.data<int>(), CellWeights<T>(valid), log_sum.data<T>(),
           total.data<T>(), dloss.data<T>(), cells, int(logits.dim(-1)), dlogits.data<T>());
  });
}

}  // namespace cairn::CAIRN_NS
