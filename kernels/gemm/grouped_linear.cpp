#include "kernels/gemm/grouped_linear.h"

#include "kernels/conv/channel_totals.h"
#include "kernels/gemm/product.h"

namespace cairn::cpu {
namespace {

struct Sizes {
  int64_t N, K, I, O;
  Sizes(const Tensor& x, const Tensor& weight)
      : N(x.dim(0)), K(x.dim(1)), I(x.dim(2)), O(weight.dim(1)) {}

  /// f(group), in parallel.
  template <class F>
  void each_group(F&& f) const {
    parallel_for(K, 1, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k) f(k);
    });
  }
};

/// Group k of a tensor [N,K,columns], as A or C of a product: its rows lie K columns apart.
template <class T>
Block<T> block_of(const Sizes& s, int64_t k, const T* a, int64_t a_columns, T* c,
                  int64_t c_columns) {
  Block<T> block;
  block.M = s.N;
  block.N = c_columns;
  block.a = a + k * a_columns;
  block.a_row = s.K * a_columns;
  block.c = c + k * c_columns;
  block.c_row = s.K * c_columns;
  return block;
}

template <class T>
void forward(const Sizes& s, const T* x, const T* weight, const T* bias, T* y) {
  const std::vector<int64_t> inputs = multiples(s.I, 1);
  s.each_group([&](int64_t k) {
    Block<T> block = block_of(s, k, x, s.I, y, s.O);
    block.bias = bias;
    block.finish = bias;
    tall_product(block, Panels<T>(weight + k * s.O * s.I, inputs, s.I, s.O));
  });
}

template <class T>
void backward_data(const Sizes& s, const T* weight, const T* dy, T* dx) {
  const std::vector<int64_t> outputs = multiples(s.O, s.I);
  s.each_group([&](int64_t k) {
    tall_product(block_of(s, k, dy, s.O, dx, s.I),
                 Panels<T>(weight + k * s.O * s.I, outputs, 1, s.I));
  });
}

template <class T>
void backward_weight(const Sizes& s, const T* x, const T* dy, T* dweight) {
  s.each_group([&](int64_t k) {
    outer_product(s.O, s.I, s.N, dy + k * s.O, s.K * s.O, dweight + k * s.O * s.I,
                  [&](int64_t n, int64_t i, int64_t count, T* to) {
                    std::copy_n(x + (n * s.K + k) * s.I + i, count, to);
                  });
  });
}

}  // namespace

void grouped_linear(const Tensor& x, const Tensor& weight, const Tensor* bias, Tensor& y) {
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    forward<T>(Sizes(x, weight), x.data<T>(), weight.data<T>(), bias ? bias->data<T>() : nullptr,
               y.data<T>());
  });
}

void grouped_linear_backward(const Tensor& x, const Tensor& weight, const Tensor& dy, Tensor* dx,
                             Tensor* dweight, Tensor* dbias) {
  const Sizes s(x, weight);
  with_float(dy.dtype(), [&](auto type) {
    using T = decltype(type);
    if (dx) backward_data<T>(s, weight.data<T>(), dy.data<T>(), dx->data<T>());
    if (dweight) backward_weight<T>(s, x.data<T>(), dy.data<T>(), dweight->data<T>());
  });
  if (dbias) channel_totals(dy, *dbias);
}

}  // namespace cairn::cpu
