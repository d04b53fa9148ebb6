// photometric: random changes of grey values, in an order of each image's own.
//
//   Launch    one block of 512 threads per image, which goes through the image's changes with a
//             barrier after each; two planes of scratch memory an image. In a batch of 64 that is
//             half of the SMs of an H200, and still far below a training step.
//   Traffic   1 or 4 B a pixel read and 4 B written to memory; in between at most 70 B a pixel, of
//             planes that stay in the caches (77 KB for 120x160).
//   Work      ellipses 20 * 6 flops a pixel, shade 4 (2 reach + 1) and as many loads from the
//             first-level cache, which is what the kernel waits for: predicted 100 us for reach 37
//             and 120x160, whatever the number of images up to that of SMs.
//             floor = (size of the images of x + size of y) / bandwidth.
//   Repeats   bitwise: a pixel has one writer in each change, sums have a fixed order.
#include "kernels/augment/photometric.h"

#include "kernels/augment/normal_quantile.h"
#include "kernels/augment/reflect.h"
#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr int threads = 512;

struct Taps {
  float weight[photometric_reach + 1];
};

struct Size {
  int height, width;
  CAIRN_DEVICE_MEMBER int pixels() const { return height * width; }
};

/// The taps of a Gaussian: the k-th and the -k-th share a weight.
CAIRN_DEVICE void make_taps(int reach, float sigma) {
  Taps& taps = shared<Taps>();
  const int k = int(threadIdx.x);
  if (k <= reach) taps.weight[k] = expf(-float(k * k) / (2 * sigma * sigma));
  sync_threads();
  float sum = taps.weight[0];
  for (int i = 1; i <= reach; ++i) sum += 2 * taps.weight[i];
  sync_threads();
  if (k <= reach) taps.weight[k] /= sum;
  sync_threads();
}

CAIRN_DEVICE float blurred(const float* from, Size s, int i, int dx, int dy, int reach) {
  const Taps& taps = shared<Taps>();
  const int x = i % s.width, y = i / s.width;
  const auto at = [&](int k) {
    return from[reflect101(y + k * dy, s.height) * s.width + reflect101(x + k * dx, s.width)];
  };
  float sum = taps.weight[0] * from[i];
  for (int k = 1; k <= reach; ++k) sum += taps.weight[k] * (at(-k) + at(k));
  return sum;
}

CAIRN_DEVICE float clipped(float v) { return fminf(fmaxf(v, 0.f), 255.f); }

/// v = clipped(f(i, v)) for each pixel i.
template <class F>
CAIRN_DEVICE void each(float* image, Size s, F&& f) {
  for (int i = int(threadIdx.x); i < s.pixels(); i += threads) image[i] = clipped(f(i, image[i]));
}

/// The same with f(v, random half word).
template <class F>
CAIRN_DEVICE void each_with_bits(float* image, Size s, const PhotometricPlan& plan,
                                 PhotometricChange change, F&& f) {
  for (int first = 8 * int(threadIdx.x); first < s.pixels(); first += 8 * threads) {
    const EightHalves bits(joined(plan.key), uint64_t(change), first / 8);
#pragma unroll
    for (int i = 0; i < 8; ++i)
      if (first + i < s.pixels()) image[first + i] = clipped(f(image[first + i], bits[i]));
  }
}

CAIRN_DEVICE void contrast(float* image, Size s, float factor) {
  float sum = 0;
  for (int i = int(threadIdx.x); i < s.pixels(); i += threads) sum += image[i];
  const float mean = block_sum<threads>(sum) / float(s.pixels());
  each(image, s, [=](int, float v) { return (v - mean) * factor + mean; });
}

CAIRN_DEVICE void shade(float* image, float* mask, float* across, Size s,
                        const PhotometricPlan& plan, const PhotometricAmounts<float>& amounts) {
  for (int i = int(threadIdx.x); i < s.pixels(); i += threads) {
    bool covered = false;
    for (int e = 0; e < shade_ellipses; ++e)
      covered |= amounts.ellipses[e].covers(float(i % s.width), float(i / s.width));
    mask[i] = covered ? 1.f : 0.f;
  }
  make_taps(plan.shade_reach, amounts.shade_sigma);
  for (int i = int(threadIdx.x); i < s.pixels(); i += threads)
    across[i] = blurred(mask, s, i, 1, 0, plan.shade_reach);
  sync_threads();
  each(image, s, [&](int i, float v) {
    return v * (1 - amounts.shade * blurred(across, s, i, 0, 1, plan.shade_reach));
  });
}

template <class P>
CAIRN_KERNEL void CAIRN_BOUNDS(threads, 1)
    photometric_kernel(const P* x, const PhotometricPlan* plans,
                       const PhotometricAmounts<float>* all_amounts, Size s, float* scratch,
                       float* y) {
  const int64_t n = blockIdx.x;
  const PhotometricPlan& plan = plans[n];
  const PhotometricAmounts<float>& amounts = all_amounts[n];
  const P* source = x + plan.source * int64_t(s.pixels());
  float *out = y + n * s.pixels(), *image = out, *spare = scratch + 2 * n * s.pixels(),
        *across = spare + s.pixels();
  for (int i = int(threadIdx.x); i < s.pixels(); i += threads) image[i] = float(source[i]);
  for (int step = 0; step < photometric_changes; ++step) {
    sync_threads();
    switch (plan.order[step]) {
      case PhotometricChange::brightness:
        each(image, s, [&](int, float v) { return v + amounts.brightness; });
        break;
      case PhotometricChange::contrast:
        contrast(image, s, amounts.contrast);
        break;
      case PhotometricChange::noise:
        each_with_bits(image, s, plan, PhotometricChange::noise, [&](float v, uint32_t bits) {
          return v + amounts.noise * normal_quantile<float>(int(bits >> 4));
        });
        break;
      case PhotometricChange::speckle: {
        const uint32_t share = speckle_share(amounts.speckle);
        each_with_bits(image, s, plan, PhotometricChange::speckle, [=](float v, uint32_t bits) {
          return bits < share ? 0.f : bits >= 0x10000 - share ? 255.f : v;
        });
        break;
      }
      case PhotometricChange::shade:
        shade(image, spare, across, s, plan, amounts);
        break;
      case PhotometricChange::motion: {
        make_taps(plan.motion_reach, amounts.motion_sigma);
        float* moved = image == out ? spare : out;
        for (int i = int(threadIdx.x); i < s.pixels(); i += threads)
          moved[i] = clipped(blurred(image, s, i, plan.motion_x, plan.motion_y, plan.motion_reach));
        spare = image;
        image = moved;
        break;
      }
      case PhotometricChange::none:
        break;
    }
  }
  sync_threads();
  for (int i = int(threadIdx.x); i < s.pixels(); i += threads) out[i] = image[i] * (1 / 255.f);
}

}  // namespace

void photometric(const Tensor& x, const Tensor& plan, const Tensor& amounts, Tensor& y) {
  const Size s{int(y.dim(1)), int(y.dim(2))};
  Tensor scratch = y.empty_like({2 * y.count()});
  const auto start = [&](auto kernel, const auto* from) {
    launch("photometric", kernel, y.dim(0), threads, 0, from,
           static_cast<const PhotometricPlan*>(plan.raw()),
           static_cast<const PhotometricAmounts<float>*>(amounts.raw()), s, scratch.data<float>(),
           y.data<float>());
  };
  if (x.dtype() == DType::u8)
    start(photometric_kernel<uint8_t>, x.data<uint8_t>());
  else
    start(photometric_kernel<float>, x.data<float>());
}

}  // namespace cairn::CAIRN_NS
