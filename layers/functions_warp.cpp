#include "layers/functions_warp.h"

#include "kernels/warp/pad_border.h"
#include "layers/check.h"
#include "layers/constant_rows.h"

namespace cairn {
namespace {

void check_sampling(const char* op, const Var& image, const Var& points, int rank) {
  Check check(op);
  check.argument("image", image).argument("points", points);
  check.require(image.value().rank() == 4, "the image has rank ", image.value().rank())
      .require(points.value().rank() == rank && points.shape()[-1] == 2, "the points have shape ",
               points.shape())
      .alike("points", points.value(), "image", image.value());
  if (check.fine())
    check.require(image.dim(0) == points.dim(0), "points of ", points.dim(0), " images for ",
                  image.dim(0));
  if (check.fine()) check.require(image.dim(1) > 0 && image.dim(2) > 0, "the image has no pixels");
  check.done(rank == 3 ? "an image [N,H,W,C] and points [N,K,2] of one type and device"
                       : "an image [N,H,W,C] and a grid [N,Ho,Wo,2] of one type and device",
             "give the points of each image as (x, y), in the coordinates of the options");
}

// `points` [N,P,2] is the value of `given`, whatever its rank; so is y for the result's.
Var record_sampling(const char* op, const Var& image, const Var& given, const Tensor& points,
                    const SampleOptions& options, const Shape& shape) {
  Tensor y = image.value().empty_like({points.dim(0), points.dim(1), image.dim(3)});
  grid_sample(image.value(), points, options, y);
  return image.tape().record(
      op, {image, given}, y.reshape(shape),
      [x = image.value(), points, options, flat = y.shape()](const Tensor& dy, Grads& grads) {
        const Tensor dsamples = dy.reshape(flat);
        if (Tensor* dx = grads.want(0)) grid_sample_backward_image(points, dsamples, options, *dx);
        if (Tensor* dpoints = grads.want(1)) {
          Tensor list = dpoints->reshape(points.shape());
          grid_sample_backward_points(x, points, dsamples, options, list);
        }
      });
}

}  // namespace

Var sample_points(const Var& image, const Var& points, const SampleOptions& options) {
  check_sampling("sample_points", image, points, 3);
  return record_sampling("sample_points", image, points, points.value(), options,
                         {points.dim(0), points.dim(1), image.dim(3)});
}

Var grid_sample(const Var& image, const Var& grid, const SampleOptions& options) {
  check_sampling("grid_sample", image, grid, 4);
  const Shape as_list{grid.dim(0), grid.dim(1) * grid.dim(2), 2};
  return record_sampling("grid_sample", image, grid, grid.value().reshape(as_list), options,
                         {grid.dim(0), grid.dim(1), grid.dim(2), image.dim(3)});
}

Tensor warp_image(const Tensor& x, const Tensor& matrices, int64_t height, int64_t width,
                  const WarpOptions& options, Tensor* valid) {
  Check check("warp_image");
  check.argument("x", x).argument("matrices", matrices);
  check.require(x.rank() == 4, "x has rank ", x.rank());
  if (check.fine())
    check
        .require(matrices.shape() == Shape{x.dim(0), 3, 3}, "the matrices have shape ",
                 matrices.shape())
        .require(x.dim(1) > 0 && x.dim(2) > 0, "x has no pixels");
  const bool real = matrices.dtype() == DType::f32 ||
                    (matrices.dtype() == DType::f64 && matrices.device() == Device::cpu);
  check.require(real, "the matrices are ", matrices.dtype(), " on ", matrices.device())
      .require(x.dtype() == DType::u8 || x.dtype() == matrices.dtype(), "x is ", x.dtype())
      .together("matrices", matrices, "x", x)
      .require(height > 0 && width > 0, "the output is ", height, "x", width)
      .done("x [N,H,W,C] (u8, or the type of the matrices), matrices [N,3,3] (f32; f64 on cpu)",
            "give one matrix from output to input for each image, on the same device");
  Tensor y = x.empty_like({x.dim(0), height, width, x.dim(3)});
  if (valid) *valid = Tensor::empty({x.dim(0), height, width}, DType::u8, x.device());
  warp_image(x, matrices, options, y, valid);
  return y;
}

namespace {

// The three parts fit each other, and there is one map for each of `images`.
void check_warp(Check& check, const PointWarp& warp, int64_t images) {
  check.argument("control", warp.control).argument("theta", warp.theta);
  check.argument("affine", warp.affine)
      .require(warp.control.rank() == 3 && warp.control.shape()[-1] == 2,
               "the control points have shape ", warp.control.shape())
      .alike("control", warp.control, "theta", warp.theta)
      .alike("affine", warp.affine, "theta", warp.theta);
  if (!check.fine()) return;
  check
      .require(warp.theta.shape() == Shape{images, warp.control.dim(1) + 3, 2}, "theta has shape ",
               warp.theta.shape())
      .require(warp.control.dim(0) == images, "control points of ", warp.control.dim(0),
               " images for ", images)
      .require(warp.affine.shape() == Shape{images, 2, 3}, "the affine maps have shape ",
               warp.affine.shape());
}

constexpr const char* warp_expected =
    "control [N,n,2], theta [N,n+3,2], affine [N,2,3] of one type and device";

}  // namespace

PointWarp scaling_warp(int64_t images, double x, double y, const Tensor& like) {
  return {like.empty_like({images, 0, 2}), constant_rows({images, 3, 2}, {0, 0, 1, 0, 0, 1}, like),
          constant_rows({images, 2, 3}, {x, 0, 0, 0, y, 0}, like)};
}

Var warp_points(const Var& points, const PointWarp& warp) {
  Check check("warp_points");
  check.argument("points", points)
      .require(points.value().rank() == 3 && points.shape()[-1] == 2, "the points have shape ",
               points.shape())
      .alike("points", points.value(), "theta", warp.theta);
  if (check.fine()) check_warp(check, warp, points.dim(0));
  check.done(text("points [N,P,2], ", warp_expected).c_str(),
             "give one map for each image's points, on their device");
  Tensor y = points.value().empty_like();
  warp_points(points.value(), warp, y);
  return points.tape().record("warp_points", {points}, y,
                              [at = points.value(), warp](const Tensor& dy, Grads& grads) {
                                if (Tensor* dpoints = grads.want(0))
                                  warp_points_backward(at, warp, dy, *dpoints);
                              });
}

Tensor warped_grid(const PointWarp& warp, int64_t height, int64_t width) {
  Check check("warped_grid");
  check.require(height > 0 && width > 0, "the grid is ", height, "x", width)
      .require(warp.theta.rank() == 3, "theta has rank ", warp.theta.rank());
  if (check.fine()) check_warp(check, warp, warp.theta.dim(0));
  check.done(warp_expected, "give one map for each image, and a grid with pixels");
  Tensor grid = warp.theta.empty_like({warp.theta.dim(0), height, width, 2});
  warped_grid(warp, grid);
  return grid;
}

Tensor warp_smoothly(const Tensor& image, const PointWarp& warp) {
  Check check("warp_smoothly");
  check.argument("image", image)
      .require(image.rank() == 4, "the image has rank ", image.rank())
      .alike("image", image, "theta", warp.theta);
  if (check.fine()) check.require(image.dim(1) > 0 && image.dim(2) > 0, "the image has no pixels");
  if (check.fine()) check_warp(check, warp, image.dim(0));
  check.done(text("an image [N,H,W,C], ", warp_expected).c_str(),
             "give one map for each image, on its device");
  const int64_t N = image.dim(0), H = image.dim(1), W = image.dim(2);
  const Tensor points = warped_grid(warp, H, W).reshape({N, H * W, 2});
  Tensor y = image.empty_like({N, H * W, image.dim(3)});
  grid_sample(image, points, {Coordinates::unit, Padding::border}, y);
  return y.reshape(image.shape());
}

Tensor pad_border(const Tensor& x, int padding) {
  Check("pad_border")
      .argument("x", x)
      .require(x.rank() == 4 && x.dim(1) > 0 && x.dim(2) > 0, "x has the shape ", x.shape())
      .require(x.dtype() == DType::f32 || x.dtype() == DType::f64, "x is ", x.dtype())
      .require(padding >= 0, "the padding is ", padding)
      .done("f32 or f64 images [N,H,W,C] with pixels, and a padding of at least 0",
            "decode the images and convert them first");
  Tensor y = x.empty_like({x.dim(0), x.dim(1) + 2 * padding, x.dim(2) + 2 * padding, x.dim(3)});
  pad_border(x, padding, y);
  return y;
}

}  // namespace cairn
