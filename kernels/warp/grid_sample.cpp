#include "kernels/warp/grid_sample.h"

#include <algorithm>

#include "kernels/dot.h"
#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

// Where the points of a call lie in its images.
template <class T>
struct Sampler {
  int64_t height, width, channels, points;
  AxisMap<T> to_x, to_y;
  Padding padding;
  const T* coordinates;  // [N,P,2]

  Sampler(const Shape& image, const Tensor& points_, const SampleOptions& o)
      : height(image[1]),
        width(image[2]),
        channels(image[3]),
        points(points_.dim(1)),
        to_x(o.coordinates, width),
        to_y(o.coordinates, height),
        padding(o.padding),
        coordinates(points_.data<T>()) {}

  AxisTap<T> tap_x(int64_t i) const { return axis_tap(to_x(coordinates[2 * i]), width, padding); }
  AxisTap<T> tap_y(int64_t i) const {
    return axis_tap(to_y(coordinates[2 * i + 1]), height, padding);
  }
  /// Of pixel (x, y) in the image of point i.
  int64_t offset(int64_t i, int64_t y, int64_t x) const {
    return ((i / points * height + y) * width + x) * channels;
  }
  int64_t grain() const { return std::max<int64_t>((1 << 12) / std::max<int64_t>(channels, 1), 1); }
};

template <class T>
void forward(const Sampler<T>& s, const T* image, int64_t count, T* y) {
  parallel_for(count, s.grain(), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const AxisTap<T> u = s.tap_x(i), v = s.tap_y(i);
      const T *p00 = image + s.offset(i, v.at[0], u.at[0]),
              *p01 = image + s.offset(i, v.at[0], u.at[1]),
              *p10 = image + s.offset(i, v.at[1], u.at[0]),
              *p11 = image + s.offset(i, v.at[1], u.at[1]);
      const T w00 = v.weight[0] * u.weight[0], w01 = v.weight[0] * u.weight[1],
              w10 = v.weight[1] * u.weight[0], w11 = v.weight[1] * u.weight[1];
      T* out = y + i * s.channels;
      for (int64_t c = 0; c < s.channels; ++c)
        out[c] = w00 * p00[c] + w01 * p01[c] + w10 * p10[c] + w11 * p11[c];
    }
  });
}

// Each worker owns some channels of an image and adds all points to them, in order.
template <class T>
void backward_image(const Sampler<T>& s, const T* dy, int64_t images, T* dimage) {
  constexpr int64_t width = 32;
  const int64_t chunks = (s.channels + width - 1) / width, pixels = s.height * s.width;
  parallel_for(images * chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t job = begin; job < end; ++job) {
      const int64_t n = job / chunks, c0 = job % chunks * width;
      const int64_t run = std::min(width, s.channels - c0);
      for (int64_t u = 0; u < pixels; ++u)
        std::fill_n(dimage + (n * pixels + u) * s.channels + c0, run, T(0));
      for (int64_t i = n * s.points; i < (n + 1) * s.points; ++i) {
        const AxisTap<T> u = s.tap_x(i), v = s.tap_y(i);
        const T* from = dy + i * s.channels + c0;
        for (int corner = 0; corner < 4; ++corner) {
          const T w = v.weight[corner / 2] * u.weight[corner % 2];
          if (w == 0) continue;
          T* to = dimage + s.offset(i, v.at[corner / 2], u.at[corner % 2]) + c0;
          for (int64_t c = 0; c < run; ++c) to[c] += w * from[c];
        }
      }
    }
  });
}

template <class T>
void backward_points(const Sampler<T>& s, const T* image, const T* dy, int64_t count, T* dpoints) {
  parallel_for(count, s.grain(), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const AxisTap<T> u = s.tap_x(i), v = s.tap_y(i);
      double dx = 0, dv = 0;
      for (int corner = 0; corner < 4; ++corner) {
        const int row = corner / 2, column = corner % 2;
        const double along =
            dot(dy + i * s.channels, image + s.offset(i, v.at[row], u.at[column]), s.channels);
        dx += along * double(v.weight[row] * u.slope[column]);
        dv += along * double(v.slope[row] * u.weight[column]);
      }
      dpoints[2 * i] = T(dx * double(s.to_x.scale));
      dpoints[2 * i + 1] = T(dv * double(s.to_y.scale));
    }
  });
}

}  // namespace

void grid_sample(const Tensor& image, const Tensor& points, const SampleOptions& options,
                 Tensor& y) {
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    forward<T>(Sampler<T>(image.shape(), points, options), image.data<T>(), points.count() / 2,
               y.data<T>());
  });
}

void grid_sample_backward_image(const Tensor& points, const Tensor& dy,
                                const SampleOptions& options, Tensor& dimage) {
  with_float(dy.dtype(), [&](auto type) {
    using T = decltype(type);
    backward_image<T>(Sampler<T>(dimage.shape(), points, options), dy.data<T>(), dimage.dim(0),
                      dimage.data<T>());
  });
}

void grid_sample_backward_points(const Tensor& image, const Tensor& points, const Tensor& dy,
                                 const SampleOptions& options, Tensor& dpoints) {
  with_float(dy.dtype(), [&](auto type) {
    using T = decltype(type);
    backward_points<T>(Sampler<T>(image.shape(), points, options), image.data<T>(), dy.data<T>(),
                       points.count() / 2, dpoints.data<T>());
  });
}

}  // namespace cairn::cpu
