#include "kernels/augment/photometric.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/augment/normal_quantile.h"
#include "kernels/augment/reflect.h"
#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

/// One image while it is changed.
template <class T>
class Picture {
 public:
  Picture(const PhotometricPlan& plan, const PhotometricAmounts<T>& amounts, int height, int width)
      : plan_(plan),
        amounts_(amounts),
        height_(height),
        width_(width),
        v_(size_t(height) * width) {}

  std::vector<T>& values() { return v_; }

  void change(PhotometricChange which) {
    switch (which) {
      case PhotometricChange::brightness:
        return each([&](T v) { return v + amounts_.brightness; });
      case PhotometricChange::contrast:
        return contrast();
      case PhotometricChange::noise:
        return noise();
      case PhotometricChange::speckle:
        return speckle();
      case PhotometricChange::shade:
        return shade();
      case PhotometricChange::motion:
        v_ = blurred(v_, plan_.motion_x, plan_.motion_y, plan_.motion_reach, amounts_.motion_sigma);
        return each([](T v) { return v; });
      case PhotometricChange::none:
        return;
    }
  }

 private:
  static T clipped(T v) { return std::min(std::max(v, T(0)), T(255)); }

  template <class F>
  void each(F&& f) {
    for (T& v : v_) v = clipped(f(v));
  }
  // f(value, half word) for each pixel.
  template <class F>
  void each_with_bits(PhotometricChange change, F&& f) {
    const int64_t count = int64_t(v_.size());
    for (int64_t first = 0; first < count; first += 8) {
      const EightHalves bits(joined(plan_.key), uint64_t(change), first / 8);
      for (int i = 0; i < 8 && first + i < count; ++i) {
        T& v = v_[size_t(first + i)];
        v = f(v, bits[i]);
      }
    }
  }

  void contrast() {
    double sum = 0;
    for (T v : v_) sum += double(v);
    const T mean = T(sum / double(v_.size()));
    each([&](T v) { return (v - mean) * amounts_.contrast + mean; });
  }

  void noise() {
    const auto& z = normal_quantiles<T>();
    each_with_bits(PhotometricChange::noise,
                   [&](T v, uint32_t bits) { return clipped(v + amounts_.noise * z[bits >> 4]); });
  }

  void speckle() {
    const uint32_t share = speckle_share(amounts_.speckle);
    each_with_bits(PhotometricChange::speckle, [&](T v, uint32_t bits) {
      return bits < share ? T(0) : bits >= 0x10000 - share ? T(255) : v;
    });
  }

  void shade() {
    std::vector<T> mask(v_.size(), T(0));
    for (const ShadeEllipse<T>& e : amounts_.ellipses)
      for (int y = 0; y < height_; ++y) {
        const T dy = T(y) - e.y;
        if (dy * dy * (e.a * e.c - e.b * e.b / 4) > e.a) continue;  // none of its row
        T* row = mask.data() + int64_t{y} * width_;
        for (int x = 0; x < width_; ++x) row[x] = e.covers(T(x), T(y)) ? T(1) : row[x];
      }
    const int reach = plan_.shade_reach;
    const T sigma = amounts_.shade_sigma;
    mask = blurred(blurred(mask, 1, 0, reach, sigma), 0, 1, reach, sigma);
    for (size_t i = 0; i < v_.size(); ++i) v_[i] = clipped(v_[i] * (1 - amounts_.shade * mask[i]));
  }

  std::vector<T> blurred(const std::vector<T>& from, int dx, int dy, int reach, T sigma) const {
    std::vector<T> weights(size_t(reach) + 1);
    T sum = 0;
    for (int k = 0; k <= reach; ++k) {
      weights[size_t(k)] = std::exp(-T(k * k) / (2 * sigma * sigma));
      sum += (k ? 2 : 1) * weights[size_t(k)];
    }
    const int pad = dx * reach, stride = width_ + 2 * pad;
    std::vector<T> wide(size_t(height_) * stride), to(from.size());
    for (int y = 0; y < height_; ++y)
      for (int x = -pad; x < width_ + pad; ++x)
        wide[size_t(y) * stride + x + pad] = from[size_t(y) * width_ + reflect101(x, width_)];
    for (int y = 0; y < height_; ++y) {
      T* out = to.data() + int64_t{y} * width_;
      const auto row = [&](int k) {
        return wide.data() + int64_t{reflect101(y + k * dy, height_)} * stride + pad + k * dx;
      };
      for (int k = 0; k <= reach; ++k) {
        const T weight = (k ? 1 : T(0.5)) * weights[size_t(k)] / sum;
        const T *a = row(-k), *b = row(k);
        for (int x = 0; x < width_; ++x) out[x] += weight * (a[x] + b[x]);
      }
    }
    return to;
  }

  const PhotometricPlan& plan_;
  const PhotometricAmounts<T>& amounts_;
  const int height_, width_;
  std::vector<T> v_;
};

template <class P, class T>
void change(const Tensor& x, const Tensor& plan, const Tensor& amounts, Tensor& y) {
  const auto* plans = static_cast<const PhotometricPlan*>(plan.raw());
  const auto* all_amounts = static_cast<const PhotometricAmounts<T>*>(amounts.raw());
  const int64_t pixels = y.dim(1) * y.dim(2);
  parallel_for(y.dim(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      Picture<T> picture(plans[n], all_amounts[n], int(y.dim(1)), int(y.dim(2)));
      std::copy_n(x.data<P>() + plans[n].source * pixels, pixels, picture.values().begin());
      for (PhotometricChange c : plans[n].order) picture.change(c);
      T* to = y.data<T>() + n * pixels;
      for (int64_t i = 0; i < pixels; ++i) to[i] = picture.values()[size_t(i)] * T(1 / 255.);
    }
  });
}

}  // namespace

void photometric(const Tensor& x, const Tensor& plan, const Tensor& amounts, Tensor& y) {
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    x.dtype() == DType::u8 ? change<uint8_t, T>(x, plan, amounts, y)
                           : change<T, T>(x, plan, amounts, y);
  });
}

}  // namespace cairn::cpu
