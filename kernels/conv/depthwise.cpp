#include "kernels/conv/depthwise.h"

#include <algorithm>

#include "kernels/activation.h"
#include "kernels/conv/channel_rows.h"
#include "kernels/conv/gather.h"
#include "runtime/threads.h"

namespace cairn {
namespace {

// w [C,taps] as [taps,C].
template <class T>
std::vector<T> by_tap(const Tensor& w) {
  const int64_t C = w.dim(0), taps = w.dim(1) * w.dim(2);
  std::vector<T> out(C * taps);
  for (int64_t c = 0; c < C; ++c)
    for (int64_t t = 0; t < taps; ++t) out[t * C + c] = w.data<T>()[c * taps + t];
  return out;
}

// y at the places of two axes gathers from x, as in gather.h.
template <class T>
void gather_channels(const Tensor& x, const std::vector<T>& w, int64_t kw, const Axis& rows,
                     const Axis& columns, const Epilogue& epilogue, Tensor& y) {
  const int64_t H = x.dim(1), W = x.dim(2), C = x.dim(3), Hy = y.dim(1), Wy = y.dim(2);
  const T* px = x.data<T>();
  const T* bias = epilogue.bias ? epilogue.bias->data<T>() : nullptr;
  T* py = y.data<T>();
  parallel_for(x.dim(0) * rows.count, 1, [&](int64_t begin, int64_t end) {
    const size_t taps = rows.tap.size() * columns.tap.size();
    std::vector<const T*> from(taps), with(taps);
    for (int64_t item = begin; item < end; ++item) {
      const int64_t n = item / rows.count, i = item % rows.count;
      for (int64_t j = 0; j < columns.count; ++j) {
        int used = 0;
        for (size_t u = 0; u < rows.tap.size(); ++u) {
          const int64_t r = i * rows.source_step + rows.offset[u];
          if (r < 0 || r >= H) continue;
          for (size_t v = 0; v < columns.tap.size(); ++v) {
            const int64_t q = j * columns.source_step + columns.offset[v];
            if (q < 0 || q >= W) continue;
            from[used] = px + ((n * H + r) * W + q) * C;
            with[used++] = w.data() + (rows.tap[u] * kw + columns.tap[v]) * C;
          }
        }
        T* to = py +
                ((n * Hy + rows.first + i * rows.step) * Wy + columns.first + j * columns.step) * C;
        const ChannelSums<T> sums{used, from.data(), with.data(), bias, to, C};
        CAIRN_ISA_CALL(channel_sums, sums);
        if (epilogue.act != Activation::none)
          for (int64_t c = 0; c < C; ++c) to[c] = activate(epilogue.act, to[c], T(epilogue.slope));
      }
    }
  });
}

template <class T>
void weights_gradient(const Tensor& x, const Tensor& dy, const Conv2dOptions& o, Tensor& dw) {
  const int64_t N = x.dim(0), H = x.dim(1), W = x.dim(2), C = x.dim(3);
  const int64_t Ho = dy.dim(1), Wo = dy.dim(2), kw = dw.dim(2), taps = dw.dim(1) * kw;
  const T *px = x.data<T>(), *pd = dy.data<T>();
  parallel_for(taps, 1, [&](int64_t begin, int64_t end) {
    std::vector<T> sums(C);
    for (int64_t t = begin; t < end; ++t) {
      std::fill(sums.begin(), sums.end(), T(0));
      const int64_t down = t / kw * o.dilation - o.padding,
                    across = t % kw * o.dilation - o.padding;
      // The outputs j for which column j stride + across lies inside.
      const int64_t first = std::max<int64_t>(0, (-across + o.stride - 1) / o.stride);
      const int64_t last = W - across <= 0 ? 0 : std::min(Wo, (W - across - 1) / o.stride + 1);
      for (int64_t row = 0; row < N * Ho && first < last; ++row) {
        const int64_t n = row / Ho, r = row % Ho * o.stride + down;
        if (r < 0 || r >= H) continue;
        const ChannelProducts<T> products{px + ((n * H + r) * W + first * o.stride + across) * C,
                                          o.stride * C,
                                          pd + (row * Wo + first) * C,
                                          last - first,
                                          C,
                                          sums.data()};
        CAIRN_ISA_CALL(channel_products, products);
      }
      for (int64_t c = 0; c < C; ++c) dw.data<T>()[c * taps + t] = sums[c];
    }
  });
}

}  // namespace

void depthwise(const Tensor& x, const Tensor& w, const Conv2dOptions& options,
               const Epilogue& epilogue, Tensor& y) {
  with_float(y.dtype(), [&](auto type) {
    gather_channels(x, by_tap<decltype(type)>(w), w.dim(2),
                    forward_axis(y.dim(1), w.dim(1), options),
                    forward_axis(y.dim(2), w.dim(2), options), epilogue, y);
  });
}

void depthwise_backward_data(const Tensor& dy, const Tensor& w, const Conv2dOptions& options,
                             Tensor& dx) {
  with_float(dx.dtype(), [&](auto type) {
    const auto weights = by_tap<decltype(type)>(w);
    for (int64_t r = 0; r < options.stride; ++r)
      for (int64_t q = 0; q < options.stride; ++q)
        gather_channels(dy, weights, w.dim(2), backward_axis(dx.dim(1), w.dim(1), r, options),
                        backward_axis(dx.dim(2), w.dim(2), q, options), {}, dx);
  });
}

void depthwise_backward_weights(const Tensor& x, const Tensor& dy, const Conv2dOptions& options,
                                Tensor& dw) {
  with_float(dw.dtype(), [&](auto type) { weights_gradient<decltype(type)>(x, dy, options, dw); });
}

}  // namespace cairn
