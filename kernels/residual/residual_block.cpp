#include "kernels/residual/residual_block.h"

#include "kernels/conv/channel_totals.h"
#include "kernels/conv/conv2d.h"
#include "kernels/conv/winograd.h"
#include "kernels/norm/channel_statistics.h"
#include "kernels/residual/normed_product.h"

namespace cairn::cpu {
namespace {

const Conv2dOptions three_by_three{.stride = 1, .padding = 1, .dilation = 1, .groups = 1};

int64_t pixels_of(const Tensor& t) { return t.dim(0) * t.dim(1) * t.dim(2); }

std::vector<int64_t> steps(int64_t count, int64_t step) {
  std::vector<int64_t> at(count);
  for (int64_t i = 0; i < count; ++i) at[i] = i * step;
  return at;
}

// w [O,1,1,C] as the B of y = z w', and of dz = dy w.
template <class T>
Panels<T> forward_panels(const Tensor& w) {
  return Panels<T>(w.data<T>(), steps(w.dim(3), 1), w.dim(3), w.dim(0));
}
template <class T>
Panels<T> backward_panels(const Tensor& w) {
  return Panels<T>(w.data<T>(), steps(w.dim(0), w.dim(3)), 1, w.dim(3));
}

// One of the block's norms with its statistics.
template <class T>
class Rectified {
 public:
  Rectified(const NormConv& step, const Tensor& mean, const Tensor& invstd)
      : gamma_(step.gamma),
        beta_(step.beta),
        mean_(mean),
        invstd_(invstd),
        scale_(scales_of<T>(step.gamma, invstd)),
        norm_{mean.data<T>(), scale_.data(), beta_.data<T>(), Activation::relu} {}
  Rectified(const Rectified&) = delete;
  const ChannelNorm<T>& norm() const { return norm_; }

  // z of x, as a tensor.
  Tensor apply(const Tensor& x) const {
    Tensor z = x.empty_like();
    cpu::batch_norm_apply(x, gamma_, beta_, mean_, invstd_, Activation::relu, 0, z);
    return z;
  }

  // g = dz [z > 0] over `dz` for rows of x; adds the sums of these rows.
  void through(const T* x, T* dz, int64_t rows, double* sums) const {
    const ThroughRows<T> k{x, rows, beta_.count(), norm_, dz, dz, sums};
    CAIRN_ISA_CALL(through_activation, k);
  }

  // The gradient of x from g and its sums, plus `add` unless null, over `g`; and what is left for
  // gamma, beta, and for `dbias`, the sum of the gradient, unless null.
  void back(const Tensor& x, Tensor& g, const T* add, const std::vector<double>& sums,
            Statistics statistics, Tensor& dgamma, Tensor& dbeta, Tensor* dbias) const {
    write_norm_gradients<T>(sums, invstd_, dgamma, dbeta);
    const int64_t C = beta_.count(), rows = pixels_of(x), per = std::max<int64_t>(1, 32768 / C);
    const NormBackTerms<T> terms(sums, invstd_, statistics, rows);
    const int64_t parts = (rows + per - 1) / per;
    std::vector<double> totals(dbias ? parts * C : 0);
    const ChannelNorm<T> through{norm_.mean, norm_.scale, norm_.beta, Activation::none};
    parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        const int64_t at = p * per * C;
        T* const gp = g.data<T>() + at;
        const NormBackRows<T> k{x.data<T>() + at,
                                std::min(per, rows - p * per),
                                C,
                                through,
                                terms.shift.data(),
                                terms.slope.data(),
                                gp,
                                add ? add + at : nullptr,
                                gp,
                                dbias ? &totals[p * C] : nullptr};
        CAIRN_ISA_CALL(norm_back, k);
      }
    });
    if (!dbias) return;
    const std::vector<double> total = sum_of_parts(totals, C);
    for (int64_t c = 0; c < C; ++c) dbias->data<T>()[c] = T(total[c]);
  }

 private:
  const Tensor &gamma_, &beta_, &mean_, &invstd_;
  std::vector<T> scale_;
  ChannelNorm<T> norm_;
};

// The statistics of norm i: those of its input, or the running ones.
void take_statistics(const ResidualBlock& block, int i, Statistics statistics,
                     const PartMoments& moments, ResidualKept& kept) {
  Tensor running_mean = block.step[i].running_mean, running_var = block.step[i].running_var;
  if (statistics == Statistics::batch)
    moments.finish(block.options(), running_mean, running_var, kept.mean[i], kept.invstd[i]);
  else
    running_statistics(block.options(), running_mean, running_var, kept.mean[i], kept.invstd[i]);
}

// y = norm(x) w' + bias, and y's moments.
template <class T>
PartMoments pointwise(const Tensor& x, const ChannelNorm<T>& norm, const NormConv& step,
                      Tensor& y) {
  const Panels<T> b = forward_panels<T>(step.w);
  const NormedProduct<T> k{x.data<T>(), pixels_of(x),       &norm, b, y.data<T>(),
                           y.dim(3),    step.bias.data<T>()};
  PartMoments moments(k.parts(), k.N);
  multiply(k, [&](int64_t part, int64_t first, int64_t rows) {
    moments.take(part, k.y + first * k.N, rows);
  });
  return moments;
}

// Where Winograd does not serve, z is there as a whole for the time of the convolution.
template <class T>
PartMoments convolve(const Tensor& x, const Rectified<T>& z, const NormConv& step, Tensor& y) {
  if constexpr (std::is_same_v<T, float>)
    if (winograd_serves_wide(x.shape(), step.w.shape(), three_by_three))
      return winograd_normed(x, z.norm(), step.w, 1, step.bias, y);
  Epilogue epilogue;
  epilogue.bias = &step.bias;
  cpu::conv2d(z.apply(x), step.w, three_by_three, epilogue, y);
  return moments_of(y);
}

// y = z w' + bias + skip, z the norm of a2, or a2 itself.
template <class T>
void last_product(const Tensor& x, const ResidualBlock& block, const Tensor& a2,
                  const ChannelNorm<T>* norm, Tensor& y) {
  const int64_t rows = pixels_of(x);
  Tensor skip = x;
  if (block.skip_w.defined()) {
    skip = y.empty_like();
    const Panels<T> b = forward_panels<T>(block.skip_w);
    multiply(NormedProduct<T>{x.data<T>(), rows, nullptr, b, skip.data<T>(), y.dim(3),
                              block.skip_bias.data<T>()});
  }
  const NormConv& third = block.step[2];
  const Panels<T> b = forward_panels<T>(third.w);
  multiply(NormedProduct<T>{a2.data<T>(), rows, norm, b, y.data<T>(), y.dim(3),
                            third.bias.data<T>(), skip.data<T>()});
}

template <class T>
void forward(const Tensor& x, const ResidualBlock& block, Statistics statistics, ResidualKept& kept,
             Tensor& y) {
  const auto z = [&](int i) { return Rectified<T>(block.step[i], kept.mean[i], kept.invstd[i]); };
  take_statistics(block, 0, statistics, moments_of(x), kept);
  take_statistics(block, 1, statistics, pointwise<T>(x, z(0).norm(), block.step[0], kept.a1), kept);
  take_statistics(block, 2, statistics, convolve<T>(kept.a1, z(1), block.step[1], kept.a2), kept);
  const Rectified<T> third = z(2);
  last_product<T>(x, block, kept.a2, &third.norm(), y);
}

// g = (dy w) [z > 0], z the norm of x; returns the sums of g and g (x - mean).
template <class T>
std::vector<double> pointwise_back(const Tensor& dy, const Tensor& w, const Tensor& x,
                                   const Rectified<T>& z, Tensor& g) {
  const Panels<T> b = backward_panels<T>(w);
  const NormedProduct<T> k{dy.data<T>(), pixels_of(dy), nullptr, b, g.data<T>(), g.dim(3)};
  std::vector<double> sums(k.parts() * 2 * k.N);
  multiply(k, [&](int64_t part, int64_t first, int64_t rows) {
    z.through(x.data<T>() + first * k.N, k.y + first * k.N, rows, &sums[part * 2 * k.N]);
  });
  return sum_of_parts(sums, 2 * k.N);
}

// dw, g = (the transposed convolution of dy) [z > 0], and its sums.
template <class T>
std::vector<double> convolve_back(const Tensor& dy, const Tensor& w, const Tensor& x,
                                  const Rectified<T>& z, Tensor& dw, Tensor& g) {
  std::vector<double> sums;
  if constexpr (std::is_same_v<T, float>)
    if (winograd_serves_wide(x.shape(), w.shape(), three_by_three)) {
      winograd_backward_weights_normed(x, z.norm(), dy, 1, dw);
      winograd_backward_data_normed(dy, w, 1, x, z.norm(), g, sums);
      return sums;
    }
  cpu::conv2d_backward_weights(z.apply(x), dy, three_by_three, dw, nullptr);
  cpu::conv2d_backward_data(dy, w, three_by_three, g);
  sums.resize(2 * g.dim(3));
  z.through(x.data<T>(), g.data<T>(), pixels_of(g), sums.data());
  return sums;
}

template <class T>
void backward(const Tensor& x, const ResidualBlock& block, Statistics statistics,
              const ResidualKept& kept, const Tensor& dy, ResidualGradients& to) {
  const int64_t rows = pixels_of(x), I = x.dim(3), M = kept.a1.dim(3), O = dy.dim(3);
  const Rectified<T> z1(block.step[0], kept.mean[0], kept.invstd[0]);
  const Rectified<T> z2(block.step[1], kept.mean[1], kept.invstd[1]);
  const Rectified<T> z3(block.step[2], kept.mean[2], kept.invstd[2]);

  channel_totals(dy, to.step[2].bias);
  normed_weights_gradient(dy.data<T>(), O, kept.a2.data<T>(), M, rows, z3.norm(),
                          to.step[2].w.data<T>());
  Tensor d2 = kept.a2.empty_like();  // the gradient of a2
  std::vector<double> sums = pointwise_back<T>(dy, block.step[2].w, kept.a2, z3, d2);
  z3.back(kept.a2, d2, nullptr, sums, statistics, to.step[2].gamma, to.step[2].beta,
          &to.step[1].bias);

  Tensor d1 = kept.a1.empty_like();
  sums = convolve_back<T>(d2, block.step[1].w, kept.a1, z2, to.step[1].w, d1);
  d2 = Tensor();
  z2.back(kept.a1, d1, nullptr, sums, statistics, to.step[1].gamma, to.step[1].beta,
          &to.step[0].bias);

  normed_weights_gradient(d1.data<T>(), M, x.data<T>(), I, rows, z1.norm(), to.step[0].w.data<T>());
  Tensor dx = to.x.defined() ? to.x : x.empty_like();
  sums = pointwise_back<T>(d1, block.step[0].w, x, z1, dx);
  Tensor skip = dy;
  if (block.skip_w.defined()) {
    cpu::conv2d_backward_weights(x, dy, {}, to.skip_w, nullptr);
    to.skip_bias.copy_from(to.step[2].bias);
    skip = x.empty_like();
    cpu::conv2d_backward_data(dy, block.skip_w, {}, skip);
  }
  z1.back(x, dx, skip.data<T>(), sums, statistics, to.step[0].gamma, to.step[0].beta, nullptr);
}

template <class T>
void inference(const Tensor& x, const ResidualBlock& block, Tensor& y) {
  const NormConv &first = block.step[0], &second = block.step[1];
  const Shape middle{x.dim(0), x.dim(1), x.dim(2), first.w.dim(0)};
  Tensor a1 = x.empty_like(middle), a2 = x.empty_like(middle);
  Tensor mean = first.gamma.empty_like(), invstd = mean.empty_like();
  running_statistics(block.options(), first.running_mean, first.running_var, mean, invstd);
  const Rectified<T> z(first, mean, invstd);
  const Panels<T> b = forward_panels<T>(first.w);
  multiply(NormedProduct<T>{x.data<T>(), pixels_of(x), &z.norm(), b, a1.data<T>(), middle[3],
                            first.bias.data<T>(), nullptr, Activation::relu});
  Epilogue epilogue;
  epilogue.bias = &second.bias;
  epilogue.act = Activation::relu;
  cpu::conv2d(a1, second.w, three_by_three, epilogue, a2);
  last_product<T>(x, block, a2, nullptr, y);
}

}  // namespace

void residual_block(const Tensor& x, const ResidualBlock& block, Statistics statistics,
                    ResidualKept& kept, Tensor& y) {
  with_float(y.dtype(), [&](auto type) { forward<decltype(type)>(x, block, statistics, kept, y); });
}

void residual_block_inference(const Tensor& x, const ResidualBlock& block, Tensor& y) {
  with_float(y.dtype(), [&](auto type) { inference<decltype(type)>(x, block, y); });
}

void residual_block_backward(const Tensor& x, const ResidualBlock& block, Statistics statistics,
                             const ResidualKept& kept, const Tensor& dy,
                             ResidualGradients& gradients) {
  with_float(dy.dtype(), [&](auto type) {
    backward<decltype(type)>(x, block, statistics, kept, dy, gradients);
  });
}

}  // namespace cairn::cpu
