// softmax_cross_entropy: forward and backward.
//
//   Launch    one warp per cell, 8 cells per block, grid-stride; then one block adds up the cells.
//   Traffic   forward 4 B, backward 8 B per logit from memory (a cell is read twice, the second time
//             from the cache), 24 B per cell: bandwidth-bound; floor = 4 B or 8 B * count /
//             bandwidth. An exp per logit and pass.
//   Repeats   bitwise: every sum has a fixed order.
#include "kernels/loss/softmax_cross_entropy.h"

#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

// The weight of a cell; both null: 1.
struct Weights {
  const uint8_t* bytes = nullptr;
  const float* floats = nullptr;
  explicit Weights(const Tensor* valid) {
    if (!valid) return;
    if (valid->dtype() == DType::u8)
      bytes = valid->data<uint8_t>();
    else
      floats = valid->data<float>();
  }
  CAIRN_DEVICE_MEMBER float operator[](int64_t cell) const {
    return bytes ? float(bytes[cell]) : floats ? floats[cell] : 1.0f;
  }
};

// Per cell: max and log sum, and the weighted loss.
CAIRN_KERNEL void cell_losses_kernel(const float* logits, const int* labels, Weights weights,
                                     int64_t cells, int C, float* log_sum, float* losses) {
  for (int64_t i = global_thread() / 32; i < cells; i += global_threads() / 32) {
    const float w = weights[i];
    float top = 0, log_of_sum = 0, loss = 0;
    if (w != 0) {
      const float* x = logits + i * C;
      float rest = 0, ties = 0;  // apart: 1 + rest would round a small rest, and with it the loss
      top = -INFINITY;
      for (int c = lane_index(); c < C; c += 32) top = fmaxf(top, x[c]);
      top = warp_max(top);
      for (int c = lane_index(); c < C; c += 32)
        if (x[c] == top)
          ++ties;
        else
          rest += expf(x[c] - top);
      log_of_sum = log1pf(warp_sum(rest) + (warp_sum(ties) - 1));
      const int label = labels[i];
      loss = label >= 0 && label < C ? w * (top - x[label] + log_of_sum) : NAN;
    }
    if (lane_index() != 0) continue;
    log_sum[2 * i] = top;
    log_sum[2 * i + 1] = log_of_sum;
    losses[i] = loss;
  }
}

CAIRN_KERNEL void mean_loss_kernel(const float* losses, Weights weights, int64_t cells,
                                   float* total, float* loss) {
  double sum = 0, weight = 0;  // few cells to a thread, but hundreds of thousands in all
  for (int64_t i = threadIdx.x; i < cells; i += blockDim.x) {
    sum += losses[i];
    weight += weights[i];
  }
  sum = block_sum<256>(sum);
  weight = block_sum<256>(weight);
  if (threadIdx.x != 0) return;
  total[0] = float(weight);
  loss[0] = weight == 0 ? 0.0f : float(sum / weight);
}

CAIRN_KERNEL void backward_kernel(const float* logits, const int* labels, Weights weights,
                                  const float* log_sum, const float* total, const float* dloss,
                                  int64_t cells, int C, float* dlogits) {
  const float upstream = total[0] == 0 ? 0.0f : dloss[0] / total[0];
  for (int64_t i = global_thread() / 32; i < cells; i += global_threads() / 32) {
    const float w = weights[i], g = upstream * w;
    const float top = log_sum[2 * i], log_of_sum = log_sum[2 * i + 1];
    const int label = labels[i];
    for (int c = lane_index(); c < C; c += 32) {
      float d = 0;
      if (w != 0) {
        const float log_p = logits[i * C + c] - top - log_of_sum;
        d = g * (c == label ? expm1f(log_p) : expf(log_p));  // p - 1 without cancellation
      }
      dlogits[i * C + c] = d;
    }
  }
}

}  // namespace

void softmax_cross_entropy(const Tensor& logits, const Tensor& labels, const Tensor* valid,
                           Tensor& log_sum, Tensor& total, Tensor& loss) {
  const int64_t cells = labels.count();
  const Weights weights(valid);
  Tensor losses = logits.empty_like({cells});
  launch("softmax_cross_entropy", cell_losses_kernel, blocks_for(cells, 8), 256, 0,
         logits.data<float>(), labels.data<int>(), weights, cells, int(logits.dim(-1)),
         log_sum.data<float>(), losses.data<float>());
  launch("softmax_cross_entropy", mean_loss_kernel, Dim3(1), 256, 0, losses.data<float>(), weights,
         cells, total.data<float>(), loss.data<float>());
}

void softmax_cross_entropy_backward(const Tensor& logits, const Tensor& labels, const Tensor* valid,
                                    const Tensor& log_sum, const Tensor& total, const Tensor& dloss,
                                    Tensor& dlogits) {
  const int64_t cells = labels.count();
  launch("softmax_cross_entropy_backward", backward_kernel, blocks_for(cells, 8), 256, 0,
         logits.data<float>(), labels.data<int>(), Weights(valid), log_sum.data<float>(),
         total.data<float>(), dloss.data<float>(), cells, int(logits.dim(-1)),
         dlogits.data<float>());
}

}  // namespace cairn::CAIRN_NS
