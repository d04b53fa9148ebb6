#include "kernels/heatmap/detector_heatmap.h"

#include "kernels/vector_math.h"
#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

constexpr int cell = detector_cell, pixels = cell * cell, channels = pixels + 1;
constexpr int lanes = 16;  // independent maxima and sums, so that the loops vectorise

// The probabilities of one cell: e[0..63], already divided by the sum.
template <class T>
void cell_softmax(const T* x, T* e) {
  T top[lanes], sum[lanes];
  for (int k = 0; k < lanes; ++k) top[k] = x[pixels];
  for (int c = 0; c < pixels; c += lanes)
    for (int k = 0; k < lanes; ++k) top[k] = x[c + k] > top[k] ? x[c + k] : top[k];
  T largest = top[0];
  for (int k = 1; k < lanes; ++k) largest = top[k] > largest ? top[k] : largest;
  for (int c = 0; c < pixels; ++c) e[c] = exp_vec(x[c] - largest);
  for (int k = 0; k < lanes; ++k) sum[k] = 0;
  for (int c = 0; c < pixels; c += lanes)
    for (int k = 0; k < lanes; ++k) sum[k] += e[c + k];
  T total = exp_vec(x[pixels] - largest);
  for (int k = 0; k < lanes; ++k) total += sum[k];
  const T scale = 1 / total;
  for (int c = 0; c < pixels; ++c) e[c] *= scale;
}

}  // namespace

void detector_heatmap(const Tensor& logits, Tensor& heat) {
  const int64_t columns = logits.dim(2), width = columns * cell;
  with_float(logits.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* x = logits.data<T>();
    T* y = heat.data<T>();
    parallel_for(logits.dim(0) * logits.dim(1), 4, [=](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        for (int64_t j = 0; j < columns; ++j) {
          T e[pixels];
          cell_softmax(x + (row * columns + j) * channels, e);
          for (int u = 0; u < cell; ++u)
            for (int v = 0; v < cell; ++v)
              y[(row * cell + u) * width + j * cell + v] = e[u * cell + v];
        }
    });
  });
}

}  // namespace cairn::cpu
