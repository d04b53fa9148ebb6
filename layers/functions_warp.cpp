#include "layers/functions_warp.h"

#include "layers/check.h"

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

}  // namespace cairn
