#pragma once
// diversity: how much the distributions of K points over the pixels overlap; 0 where no two of them
// share a pixel.
//
//   p, dp       [N,H,W,K], p >= 0, which sums to 1 over the pixels u of each map; f32 or f64
//   loss        [1], the mean over the images of
//     linear      sum_u (sum_r p_ur - max_r p_ur) = K - sum_u max_r p_ur, in 0..K-1
//     quadratic   (1/K^2) sum_{r != s} sum_u p_ur p_us
//
//   dp linear     -dloss/N for the largest channel of each pixel, the first of equal ones; else 0
//   dp quadratic  2 dloss/(N K^2) (sum_s p_us - p_ur)
//
// Of no images the loss is 0. To keep points a few pixels apart, p is averaged over windows before
// (pool/window_mean.h).
// Source: Thewlis, Bilen, Vedaldi, "Unsupervised learning of object landmarks by factorized spatial
// embeddings", ICCV 2017.
#include "kernels/dispatch.h"
#include "runtime/host_device.h"

namespace cairn {

enum class DiversityForm : unsigned char {
  linear,     ///< K minus the mass that belongs to the largest channel: what is trained with
  quadratic,  ///< products of all pairs: stays small where maps are flat
};

/// What the linear form knows of the channels of a pixel.
template <class T>
struct LargestChannel {
  T largest = -1;
  int channel = 0;

  /// Channels come in rising order.
  CAIRN_HD void add(T value, int c) {
    if (value > largest) *this = {value, c};
  }
  CAIRN_HD void merge(const LargestChannel& b) {
    if (b.largest > largest || (b.largest == largest && b.channel < channel)) *this = b;
  }
  CAIRN_HD T value() const { return largest; }
  CAIRN_HD T slope(T, int c) const { return c == channel ? T(-1) : T(0); }
  CAIRN_HD static double loss(double total, int64_t images, int64_t channels) {
    return double(channels) - total / double(images);
  }
  CAIRN_HD static double factor(int64_t images, int64_t) { return 1 / double(images); }
};

/// And the quadratic one: the products without the squares, which would cancel.
template <class T>
struct ChannelProducts {
  T sum = 0, products = 0;

  CAIRN_HD void add(T value, int) { merge({value, 0}); }
  CAIRN_HD void merge(const ChannelProducts& b) {
    products += b.products + 2 * sum * b.sum;
    sum += b.sum;
  }
  CAIRN_HD T value() const { return products; }
  CAIRN_HD T slope(T p, int) const { return 2 * (sum - p); }
  CAIRN_HD static double loss(double total, int64_t images, int64_t channels) {
    return total * factor(images, channels);
  }
  CAIRN_HD static double factor(int64_t images, int64_t channels) {
    return 1 / (double(images) * double(channels) * double(channels));
  }
};

/// Calls f with the state of a pixel in this form.
template <class T, class F>
void with_form(DiversityForm form, F&& f) {
  if (form == DiversityForm::linear)
    f(LargestChannel<T>());
  else
    f(ChannelProducts<T>());
}

CAIRN_ON_EACH_DEVICE(void diversity(const Tensor& p, DiversityForm form, Tensor& loss);
                     void diversity_backward(const Tensor& p, DiversityForm form,
                                             const Tensor& dloss, Tensor& dp);)

inline void diversity(const Tensor& p, DiversityForm form, Tensor& loss) {
  CAIRN_DISPATCH(p.device(), diversity, p, form, loss);
}

inline void diversity_backward(const Tensor& p, DiversityForm form, const Tensor& dloss,
                               Tensor& dp) {
  CAIRN_DISPATCH(dp.device(), diversity_backward, p, form, dloss, dp);
}

}  // namespace cairn
