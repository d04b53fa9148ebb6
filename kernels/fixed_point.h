#pragma once
// A scatter whose sums do not depend on the order: terms are rounded to 64-bit fixed point, scaled
// by the largest of them, and integers are added. Included by .cu files only.
//
//   FixedPointSums sums(values, terms, target);   finds the largest |value|, clears the sums
//   ... a kernel that calls sums.target().add(i, weight * value), |weights| of one value on one
//       element adding up to at most 1, at most `terms` values on one element
//   sums.write();                                 target = the sums
//
// With 2^20 terms an element keeps 41 bits below the largest value. If a value is not finite, the
// whole target becomes NaN.
#include "kernels/device.h"
#include "runtime/tensor.h"

namespace cairn::CAIRN_NS {

struct FixedPointTarget {
  int64_t* sums;
  const int* largest;  ///< the bits of the largest magnitude; they compare like the number
  int headroom;        ///< bits for adding up `terms` values

  CAIRN_DEVICE_MEMBER bool finite() const { return *largest < 0x7f800000; }
  /// A power of two: the sum of `terms` values stays below 2^62.
  CAIRN_DEVICE_MEMBER double scale() const {
    return ldexp(1.0, 61 - headroom - ((*largest >> 23) - 127));
  }
  /// `scale` is scale(), which a thread computes once.
  CAIRN_DEVICE_MEMBER void add(int64_t i, float value, double scale) const {
    atomic_add(sums + i, int64_t(llrint(double(value) * scale)));
  }
};

template <int Threads>
CAIRN_KERNEL void largest_magnitude_kernel(const float* values, int64_t count, int* largest) {
  int mine = 0;
  for (int64_t i = global_thread(); i < count; i += global_threads())
    mine = max(mine, int(float_bits(values[i]) & 0x7fffffffu));
  mine = block_max<Threads>(mine);
  if (threadIdx.x == 0) atomic_max(largest, mine);
}

template <int Threads>
CAIRN_KERNEL void from_fixed_point_kernel(FixedPointTarget from, float* to, int64_t count) {
  const bool finite = from.finite();
  const double unit = finite ? 1 / from.scale() : 0;
  for (int64_t i = global_thread(); i < count; i += global_threads())
    to[i] = finite ? float(double(from.sums[i]) * unit) : bits_float(0x7fc00000u);
}

class FixedPointSums {
 public:
  /// `values`: what will be added, up to weights; `terms`: see above.
  FixedPointSums(const char* name, const Tensor& values, int64_t terms, Tensor& target)
      : name_(name),
        target_(target),
        sums_(Tensor::zeros({target.count()}, DType::f64, target.device())),
        largest_(Tensor::zeros({1}, DType::i32, target.device())) {
    while (int64_t{1} << headroom_ < terms) ++headroom_;
    launch(name_, largest_magnitude_kernel<threads>, few_blocks(values.count()), threads, 0,
           values.data<float>(), values.count(), largest_.data<int32_t>());
  }
  FixedPointTarget target() {
    return {static_cast<int64_t*>(sums_.raw()), largest_.data<int32_t>(), headroom_};
  }
  void write() {
    launch(name_, from_fixed_point_kernel<threads>, few_blocks(target_.count()), threads, 0,
           target(), target_.data<float>(), target_.count());
  }

 private:
  static constexpr int threads = 256;
  static Dim3 few_blocks(int64_t count) {
    return Dim3(std::min<int64_t>(blocks_for(count, threads).x, 1024));
  }

  const char* name_;
  Tensor& target_;
  Tensor sums_, largest_;
  int headroom_ = 0;
};

}  // namespace cairn::CAIRN_NS
