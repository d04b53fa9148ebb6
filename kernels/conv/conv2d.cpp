#include "kernels/conv/conv2d.h"

#include <algorithm>
#include <cmath>

#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

// Sizes by the names of the header.
struct Sizes {
  Sizes(const Shape& x, const Shape& w, const Conv2dOptions& o)
      : N(x[0]),
        H(x[1]),
        W(x[2]),
        C(x[3]),
        O(w[0]),
        kh(w[1]),
        kw(w[2]),
        Cg(w[3]),
        Og(O / o.groups),
        Ho(conv2d_output_size(H, kh, o)),
        Wo(conv2d_output_size(W, kw, o)) {}
  int64_t N, H, W, C, O, kh, kw, Cg, Og, Ho, Wo;
};

template <class T>
T activate(T z, Activation act, T slope) {
  switch (act) {
    case Activation::none:
      return z;
    case Activation::relu:
      return z > 0 ? z : T(0);
    case Activation::leaky_relu:
      return z > 0 ? z : slope * z;
    case Activation::relu6:
      return std::min(std::max(z, T(0)), T(6));
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-z));
    case Activation::softplus:
      return std::max(z, T(0)) + std::log1p(std::exp(-std::abs(z)));
  }
  return z;
}

}  // namespace

void conv2d(const Tensor& x, const Tensor& w, const Conv2dOptions& options,
            const Epilogue& epilogue, Tensor& y) {
  const Sizes s(x.shape(), w.shape(), options);
  const int pool = epilogue.pool2 ? 2 : 1;
  const int64_t Hy = s.Ho / pool, Wy = s.Wo / pool;
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *px = x.data<T>(), *pw = w.data<T>();
    const T* pb = epilogue.bias ? epilogue.bias->data<T>() : nullptr;
    T* py = y.data<T>();
    const auto one = [&](int64_t n, int64_t i, int64_t j, int64_t o) {
      double sum = pb ? double(pb[o]) : 0;
      for (int64_t u = 0; u < s.kh; ++u) {
        const int64_t r = i * options.stride + u * options.dilation - options.padding;
        if (r < 0 || r >= s.H) continue;
        for (int64_t v = 0; v < s.kw; ++v) {
          const int64_t q = j * options.stride + v * options.dilation - options.padding;
          if (q < 0 || q >= s.W) continue;
          const T* from = px + ((n * s.H + r) * s.W + q) * s.C + o / s.Og * s.Cg;
          const T* with = pw + ((o * s.kh + u) * s.kw + v) * s.Cg;
          for (int64_t c = 0; c < s.Cg; ++c) sum += double(from[c]) * double(with[c]);
        }
      }
      return activate(T(sum), epilogue.act, T(epilogue.slope));
    };
    parallel_for(s.N * Hy, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        for (int64_t j = 0; j < Wy; ++j)
          for (int64_t o = 0; o < s.O; ++o) {
            const int64_t n = row / Hy, i = row % Hy;
            T best = one(n, i * pool, j * pool, o);
            if (pool == 2)
              best = std::max({best, one(n, 2 * i, 2 * j + 1, o), one(n, 2 * i + 1, 2 * j, o),
                               one(n, 2 * i + 1, 2 * j + 1, o)});
            py[(row * Wy + j) * s.O + o] = best;
          }
    });
  });
}

void conv2d_backward_data(const Tensor& dy, const Tensor& w, const Conv2dOptions& options,
                          Tensor& dx) {
  const Sizes s(dx.shape(), w.shape(), options);
  with_float(dx.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *pd = dy.data<T>(), *pw = w.data<T>();
    T* px = dx.data<T>();
    parallel_for(s.N * s.H, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        for (int64_t q = 0; q < s.W; ++q)
          for (int64_t c = 0; c < s.C; ++c) {
            const int64_t n = row / s.H, r = row % s.H, g = c / s.Cg;
            double sum = 0;
            for (int64_t u = 0; u < s.kh; ++u) {
              const int64_t i = r + options.padding - u * options.dilation;
              if (i < 0 || i % options.stride || i / options.stride >= s.Ho) continue;
              for (int64_t v = 0; v < s.kw; ++v) {
                const int64_t j = q + options.padding - v * options.dilation;
                if (j < 0 || j % options.stride || j / options.stride >= s.Wo) continue;
                const T* from =
                    pd + ((n * s.Ho + i / options.stride) * s.Wo + j / options.stride) * s.O;
                for (int64_t o = g * s.Og; o < (g + 1) * s.Og; ++o)
                  sum +=
                      double(from[o]) * double(pw[((o * s.kh + u) * s.kw + v) * s.Cg + c % s.Cg]);
              }
            }
            px[(row * s.W + q) * s.C + c] = T(sum);
          }
    });
  });
}

void conv2d_backward_weights(const Tensor& x, const Tensor& dy, const Conv2dOptions& options,
                             Tensor& dw, Tensor* dbias) {
  const Sizes s(x.shape(), dw.shape(), options);
  with_float(dw.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *px = x.data<T>(), *pd = dy.data<T>();
    T *pw = dw.data<T>(), *pb = dbias ? dbias->data<T>() : nullptr;
    parallel_for(s.O, 1, [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; ++o) {
        if (pb) {
          double sum = 0;
          for (int64_t p = 0; p < s.N * s.Ho * s.Wo; ++p) sum += double(pd[p * s.O + o]);
          pb[o] = T(sum);
        }
        for (int64_t u = 0; u < s.kh; ++u)
          for (int64_t v = 0; v < s.kw; ++v)
            for (int64_t c = 0; c < s.Cg; ++c) {
              double sum = 0;
              for (int64_t n = 0; n < s.N; ++n)
                for (int64_t i = 0; i < s.Ho; ++i) {
                  const int64_t r = i * options.stride + u * options.dilation - options.padding;
                  if (r < 0 || r >= s.H) continue;
                  for (int64_t j = 0; j < s.Wo; ++j) {
                    const int64_t q = j * options.stride + v * options.dilation - options.padding;
                    if (q < 0 || q >= s.W) continue;
                    sum += double(px[((n * s.H + r) * s.W + q) * s.C + o / s.Og * s.Cg + c]) *
                           double(pd[((n * s.Ho + i) * s.Wo + j) * s.O + o]);
                  }
                }
              pw[((o * s.kh + u) * s.kw + v) * s.Cg + c] = T(sum);
            }
      }
    });
  });
}

}  // namespace cairn::cpu
