#include "layers/functions_heatmap.h"

#include "kernels/heatmap/field_moments.h"
#include "kernels/heatmap/isotropic_deviation.h"
#include "kernels/heatmap/landmark_maps.h"
#include "kernels/heatmap/soft_argmax.h"
#include "kernels/heatmap/spatial_moments.h"
#include "kernels/heatmap/spatial_softmax.h"
#include "layers/check.h"

namespace cairn {
namespace {

void check_map(const char* op, const Var& map, double gain) {
  Check check(op);
  check.argument("map", map)
      .require(map.value().rank() == 4, "the map has rank ", map.value().rank());
  if (check.fine()) check.require(map.dim(1) > 0 && map.dim(2) > 0, "the map has no pixels");
  check.require(gain > 0, "the gain is ", gain);
  check.done("a map [N,H,W,K] with pixels, and a gain above 0",
             "give one channel for each point, channels last");
}

Check centre_check(const char* op, const Var& centre, int64_t height, int64_t width) {
  Check check(op);
  check.argument("centre", centre)
      .require(centre.value().rank() == 3 && centre.shape()[-1] == 2, "centre has shape ",
               centre.shape())
      .require(height > 0 && width > 0, "the map is ", height, "x", width);
  return check;
}

Check targets_check(const char* op, const Tensor& points, const Tensor& visible, int64_t height,
                    int64_t width) {
  Check check(op);
  check.argument("points", points).argument("visible", visible);
  check.require(points.rank() == 4 && points.shape()[-1] == 2, "points have shape ",
                points.shape());
  if (check.fine())
    check.require(visible.shape() == Shape{points.dim(0), points.dim(1), points.dim(2)},
                  "visible has shape ", visible.shape());
  check.require(visible.dtype() == DType::u8, "visible is ", visible.dtype())
      .together("visible", visible, "points", points)
      .require(height > 0 && width > 0, "the map is ", height, "x", width);
  return check;
}

// The gradient of an output, zeros where nothing flowed.
Tensor or_zeros(const Tensor& gradient, const Tensor& output) {
  return gradient.defined() ? gradient
                            : Tensor::zeros(output.shape(), output.dtype(), output.device());
}

}  // namespace

Var spatial_softmax(const Var& logits, double gain) {
  check_map("spatial_softmax", logits, gain);
  Tensor h = logits.value().empty_like();
  spatial_softmax(logits.value(), gain, h);
  return logits.tape().record("spatial_softmax", {logits}, h,
                              [h, gain](const Tensor& dh, Grads& grads) {
                                if (Tensor* dz = grads.want(0))
                                  spatial_softmax_backward(h, dh, gain, *dz);
                              });
}

PointMoments soft_argmax(const Var& logits, double gain) {
  check_map("soft_argmax", logits, gain);
  const Tensor& z = logits.value();
  Tensor point = z.empty_like({z.dim(0), z.dim(3), 2}), variance = point.empty_like();
  Tensor stats = point.empty_like();
  soft_argmax(z, gain, point, variance, stats);
  const std::vector<Var> out = logits.tape().record(
      "soft_argmax", {logits}, {point, variance},
      [z, point, variance, stats, gain](const std::vector<Tensor>& dy, Grads& grads) {
        if (Tensor* dz = grads.want(0))
          soft_argmax_backward(z, point, variance, stats, or_zeros(dy[0], point),
                               or_zeros(dy[1], variance), gain, *dz);
      });
  return {out[0], out[1]};
}

PointMoments spatial_moments(const Var& map) {
  check_map("spatial_moments", map, 1);
  const Tensor& values = map.value();
  Tensor point = values.empty_like({map.dim(0), map.dim(3), 2}), variance = point.empty_like();
  Tensor zeta = values.empty_like({map.dim(0), map.dim(3)});
  spatial_moments(values, point, variance, zeta);
  const std::vector<Var> out =
      map.tape().record("spatial_moments", {map}, {point, variance},
                        [point, variance, zeta](const std::vector<Tensor>& dy, Grads& grads) {
                          if (Tensor* dmap = grads.want(0))
                            spatial_moments_backward(point, variance, zeta, or_zeros(dy[0], point),
                                                     or_zeros(dy[1], variance), *dmap);
                        });
  return {out[0], out[1]};
}

LandmarkMaps landmark_maps(const Var& logits) {
  Check check("landmark_maps");
  check.argument("logits", logits)
      .require(logits.value().rank() == 4, "the logits have rank ", logits.value().rank());
  if (check.fine()) {
    const int64_t channels = logits.dim(3);
    check.require(logits.dim(1) > 0 && logits.dim(2) > 0, "the map has no pixels")
        .require(channels >= 2, "no landmark in ", channels, " channels")
        .require(logits.device() == Device::cpu || channels <= landmark_maps_channels, channels,
                 " channels on ", logits.device());
  }
  check.done("logits [N,H,W,K+1] with pixels, K >= 1, and at most 64 channels but on cpu",
             "give one channel for each landmark and one for the background");

  const Tensor& z = logits.value();
  const int64_t N = z.dim(0), K = z.dim(3) - 1;
  Tensor maps = z.empty_like(), point = z.empty_like({N, K, 2}), variance = point.empty_like();
  Tensor zeta = z.empty_like({N, K});
  landmark_maps(z, maps, point, variance, zeta);
  const std::vector<Var> out = logits.tape().record(
      "landmark_maps", {logits}, {maps, point, variance},
      [maps, point, variance, zeta](const std::vector<Tensor>& dy, Grads& grads) {
        if (Tensor* dz = grads.want(0))
          landmark_maps_backward(maps, point, variance, zeta, dy[0], or_zeros(dy[1], point),
                                 or_zeros(dy[2], variance), *dz);
      });
  return {out[0], out[1], out[2], zeta};
}

FieldMoments field_moments(const Var& p_var, const Tensor& field) {
  const Tensor& p = p_var.value();
  Check check("field_moments");
  check.argument("p", p).argument("field", field).require(p.rank() == 4, "p has rank ", p.rank());
  if (check.fine())
    check.require(p.dim(1) > 0 && p.dim(2) > 0, "p has no pixels")
        .require(field.shape() == Shape{p.dim(0), p.dim(1), p.dim(2), 2},
                 "there is not one place to a pixel");
  check.alike("field", field, "p", p)
      .done("p [N,H,W,K] with pixels and field [N,H,W,2] of one type and device",
            "give every pixel of the maps its place");
  Tensor mean = p.empty_like({p.dim(0), p.dim(3), 2}),
         variance = p.empty_like({p.dim(0), p.dim(3)});
  field_moments(p, field, mean, variance);
  const std::vector<Var> out =
      p_var.tape().record("field_moments", {p_var}, {mean, variance},
                          [field, mean, variance](const std::vector<Tensor>& dy, Grads& grads) {
                            if (Tensor* dp = grads.want(0))
                              field_moments_backward(field, mean, or_zeros(dy[0], mean),
                                                     or_zeros(dy[1], variance), *dp);
                          });
  return {out[0], out[1]};
}

Var isotropic_deviation(const Var& variance, double aspect) {
  const Tensor& v = variance.value();
  Check("isotropic_deviation")
      .argument("variance", variance)
      .require(v.rank() == 3 && v.shape()[-1] == 2, "the variances have shape ", v.shape())
      .require(aspect > 0, "the aspect is ", aspect)
      .done("variances [N,K,2] and an aspect above 0",
            "give the variances of soft_argmax, spatial_moments or landmark_maps");
  Tensor sigma = v.empty_like({v.dim(0), v.dim(1)});
  isotropic_deviation(v, aspect, sigma);
  return variance.tape().record("isotropic_deviation", {variance}, sigma,
                                [v, aspect](const Tensor& dsigma, Grads& grads) {
                                  if (Tensor* dv = grads.want(0))
                                    isotropic_deviation_backward(v, aspect, dsigma, *dv);
                                });
}

Var gaussian(const Var& centre, const Var& sigma, const Var& amplitude, int64_t height,
             int64_t width, GaussianForm form) {
  Check check = centre_check("gaussian", centre, height, width);
  check.argument("sigma", sigma).argument("amplitude", amplitude);
  if (check.fine()) {
    const Shape per_blob{centre.dim(0), centre.dim(1)};
    check.require(sigma.shape() == per_blob, "sigma has shape ", sigma.shape())
        .require(amplitude.shape() == per_blob, "amplitude has shape ", amplitude.shape())
        .alike("sigma", sigma.value(), "centre", centre.value())
        .alike("amplitude", amplitude.value(), "centre", centre.value());
  }
  check.done("centre [N,K,2], sigma [N,K] and amplitude [N,K] of one type and device, a map size",
             "give every point its own width and height of the blob");

  Tensor y = centre.value().empty_like({centre.dim(0), height, width, centre.dim(1)});
  gaussian(centre.value(), sigma.value(), amplitude.value(), form, y);
  return centre.tape().record("gaussian", {centre, sigma, amplitude}, y,
                              [c = centre.value(), s = sigma.value(), a = amplitude.value(), form](
                                  const Tensor& dy, Grads& grads) {
                                Tensor *dc = grads.want(0), *ds = grads.want(1),
                                       *da = grads.want(2);
                                Tensor unwanted_c, unwanted_s, unwanted_a;
                                if (!dc) dc = &(unwanted_c = c.empty_like());
                                if (!ds) ds = &(unwanted_s = s.empty_like());
                                if (!da) da = &(unwanted_a = a.empty_like());
                                gaussian_backward(c, s, a, form, dy, *dc, *ds, *da);
                              });
}

Tensor gaussian_targets(const Tensor& points, const Tensor& visible, int64_t height, int64_t width,
                        const TargetOptions& options) {
  targets_check("gaussian_targets", points, visible, height, width)
      .require(options.sigma > 0, "sigma is ", options.sigma)
      .done("points [N,M,K,2], visible [N,M,K] u8 on the same device, sigma and a size above 0",
            "give every instance of a point its own flag");
  Tensor y = points.empty_like({points.dim(0), height, width, points.dim(2)});
  gaussian_targets(points, visible, options, y);
  return y;
}

DiskTargets disk_targets(const Tensor& points, const Tensor& visible, int64_t height, int64_t width,
                         double radius) {
  targets_check("disk_targets", points, visible, height, width)
      .require(radius > 0, "the radius is ", radius)
      .done("points [N,M,K,2], visible [N,M,K] u8 on the same device, a radius and a size above 0",
            "give every instance of a point its own flag");
  const int64_t N = points.dim(0), K = points.dim(2);
  DiskTargets made{points.empty_like({N, height, width, K}),
                   points.empty_like({N, height, width, K}),
                   points.empty_like({N, height, width, 2 * K})};
  disk_targets(points, visible, radius, made.disks, made.weights, made.offsets);
  return made;
}

}  // namespace cairn
