#include "kernels/optimizer/gradient_norm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/optimizer/flat_chunk.h"

namespace cairn::cpu {
namespace {

constexpr int64_t part_chunks = 256;
constexpr int lanes = 8;  // independent sums, so that the loop vectorises without reordering

template <class T>
double sum_of_squares(const T* g) {
  double sum[lanes] = {};
  for (int64_t i = 0; i < flat_chunk; i += lanes)
    for (int k = 0; k < lanes; ++k) sum[k] += double(g[i + k]) * double(g[i + k]);
  double total = 0;
  for (double s : sum) total += s;
  return total;
}

}  // namespace

void gradient_norm(const Tensor& grads, const Tensor& chunk_scales, double max_norm, Tensor& norm,
                   Tensor& scale) {
  const int64_t chunks = chunk_scales.dim(0), parts = (chunks + part_chunks - 1) / part_chunks;
  const float* active = chunk_scales.data<float>();
  with_float(grads.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* g = grads.data<T>();
    std::vector<double> part(parts);
    parallel_for(parts, 2, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p)
        for (int64_t c = p * part_chunks; c < std::min(chunks, (p + 1) * part_chunks); ++c)
          if (active[2 * c] != 0 || active[2 * c + 1] != 0)
            part[p] += sum_of_squares(g + c * flat_chunk);
    });
    double total = 0;
    for (double p : part) total += p;
    norm.data<T>()[0] = T(std::sqrt(total));
    scale.data<T>()[0] = T(std::min(1.0, max_norm / (std::sqrt(total) + 1e-6)));
  });
}

}  // namespace cairn::cpu
