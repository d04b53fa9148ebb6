#include "training/detector_rows.h"

#include <cmath>

#include "kernels/points/detector_labels.h"
#include "runtime/error.h"

namespace cairn {

Batch empty_detector_rows(int64_t rows, int64_t height, int64_t width, int64_t most_points) {
  return {
      {"plan", Tensor::empty({rows, photometric_integers}, DType::i32)},
      {"amounts", Tensor::empty({rows, photometric_reals})},
      {"points", Tensor::full({rows, most_points, 2}, NAN)},
      {"keys", Tensor::empty({rows, 2}, DType::i32)},
      {"valid", Tensor::empty({rows, height / detector_cell, width / detector_cell}, DType::u8)}};
}

void put_detector_row(Batch& batch, int64_t row, const DetectorRow& of, Random labels) {
  Tensor& points = batch.at("points");
  if (int64_t(of.points.size()) > points.dim(1))
    throw Error("put_detector_row", text(of.points.size(), " points"),
                text("at most ", points.dim(1)), "make the batch for the image with most of them");
  auto& plan = static_cast<PhotometricPlan*>(batch.at("plan").raw())[row];
  plan = of.changes.plan;
  plan.source = int32_t(of.source);
  static_cast<PhotometricAmounts<float>*>(batch.at("amounts").raw())[row] = of.changes.amounts;

  float* to = points.data<float>() + row * 2 * points.dim(1);
  for (const Point& point : of.points) {
    const Point p = apply(of.to_output, point);
    *to++ = float(p.x);
    *to++ = float(p.y);
  }
  for (int i = 0; i < 2; ++i)
    batch.at("keys").data<int32_t>()[2 * row + i] = int32_t(labels.bits());
  Tensor valid = batch.at("valid").rows(row, row + 1);
  valid.copy_from(of.valid.reshape(valid.shape()));
}

}  // namespace cairn
