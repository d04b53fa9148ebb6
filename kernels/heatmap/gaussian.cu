// gaussian: one blob per image and channel.
//
//   Launch    forward one pass; backward reduce, merge the slices (over_pixels.h), 256 threads.
//   Traffic   4 B and one exponential an element each way: bandwidth-bound; floor = 4 B * count /
//             bandwidth. The exponential is not split into column and row factors as on the cpu:
//             it costs less here than reading them.
//   Repeats   bitwise: fixed tree over slots, slices in order.
#include "kernels/heatmap/gaussian.h"

#include "kernels/heatmap/over_pixels.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr float inverse_two_pi = 0.15915494309f;

/// A blob of peak 1 in unit coordinates.
struct Blob {
  float x, y, falloff, aspect_x, aspect_y, inverse_height, inverse_width;

  CAIRN_DEVICE_MEMBER float dx(int column) const {
    return (float(column) + 0.5f) * inverse_width - x;
  }
  CAIRN_DEVICE_MEMBER float dy(int row) const { return (float(row) + 0.5f) * inverse_height - y; }
  CAIRN_DEVICE_MEMBER float d2(int column, int row) const {
    const float a = dx(column), b = dy(row);
    return a * a * aspect_x + b * b * aspect_y;
  }
};

struct Blobs {
  const float *centre, *sigma, *amplitude;
  GaussianForm form;
  int height, width;

  CAIRN_DEVICE_MEMBER Blob load(int64_t map) const {
    const float s = sigma[map], falloff = (form == GaussianForm::undivided ? 1.f : 0.5f) / (s * s);
    const float h = float(height), w = float(width);
    return {centre[2 * map], centre[2 * map + 1], falloff, w / h, h / w, 1 / h, 1 / w};
  }
  CAIRN_DEVICE_MEMBER float normaliser(int64_t map) const {
    return form == GaussianForm::density ? inverse_two_pi / (sigma[map] * sigma[map]) : 1.f;
  }
};

struct Render {
  struct Constants {
    Blob blob;
    float peak;
  };
  Blobs blobs;
  float* out;

  CAIRN_DEVICE_MEMBER Constants load(int64_t map) const {
    return {blobs.load(map), blobs.amplitude[map] * blobs.normaliser(map)};
  }
  CAIRN_DEVICE_MEMBER void operator()(const Constants& c, int x, int y, int64_t at) const {
    out[at] = c.peak * expf(-c.blob.falloff * c.blob.d2(x, y));
  }
};

struct RenderGradient {
  struct State {
    float one, x, y, d2;  ///< sums of dy G, and of that times x_u-x, y_u-y and d2
  };
  using Constants = Blob;
  Blobs blobs;
  const float* dout;
  float *dcentre, *dsigma, *damplitude;

  CAIRN_DEVICE_MEMBER Blob load(int64_t map) const { return blobs.load(map); }
  CAIRN_DEVICE_MEMBER State none() const { return {0, 0, 0, 0}; }
  CAIRN_DEVICE_MEMBER void add(State& s, const Blob& blob, int x, int y, int64_t at) const {
    const float d2 = blob.d2(x, y), q = dout[at] * expf(-blob.falloff * d2);
    s.one += q;
    s.x += q * blob.dx(x);
    s.y += q * blob.dy(y);
    s.d2 += q * d2;
  }
  CAIRN_DEVICE_MEMBER void merge(State& a, const State& b) const {
    a.one += b.one;
    a.x += b.x;
    a.y += b.y;
    a.d2 += b.d2;
  }
  CAIRN_DEVICE_MEMBER void finish(int64_t map, const State& s) const {
    const Blob blob = blobs.load(map);
    const float peak = blobs.normaliser(map), q = blobs.amplitude[map] * peak;
    const float c = 2 * blob.falloff;
    const float of_norm = blobs.form == GaussianForm::density ? 2 * s.one : 0.f;
    dcentre[2 * map] = q * c * blob.aspect_x * s.x;
    dcentre[2 * map + 1] = q * c * blob.aspect_y * s.y;
    dsigma[map] = q * (c * s.d2 - of_norm) / blobs.sigma[map];
    damplitude[map] = peak * s.one;
  }
};

Blobs blobs_of(const Tensor& centre, const Tensor& sigma, const Tensor& amplitude,
               GaussianForm form, const PixelGrid& grid) {
  return {centre.data<float>(), sigma.data<float>(), amplitude.data<float>(), form,
          grid.height,          grid.width};
}

}  // namespace

void gaussian(const Tensor& centre, const Tensor& sigma, const Tensor& amplitude, GaussianForm form,
              Tensor& y) {
  const PixelGrid grid(y.shape());
  each_pixel("gaussian", grid,
             Render{blobs_of(centre, sigma, amplitude, form, grid), y.data<float>()});
}

void gaussian_backward(const Tensor& centre, const Tensor& sigma, const Tensor& amplitude,
                       GaussianForm form, const Tensor& dy, Tensor& dcentre, Tensor& dsigma,
                       Tensor& damplitude) {
  const PixelGrid grid(dy.shape());
  reduce_pixels(
      "gaussian_backward", grid,
      RenderGradient{blobs_of(centre, sigma, amplitude, form, grid), dy.data<float>(),
                     dcentre.data<float>(), dsigma.data<float>(), damplitude.data<float>()},
      dy.device());
}

}  // namespace cairn::CAIRN_NS
