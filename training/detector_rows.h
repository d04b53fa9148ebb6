#pragma once
// What the host draws of each image that a detector learns from, whoever warps it: rows of a batch.
#include <vector>

#include "geometry/homography.h"
#include "models/model.h"
#include "training/photometric.h"

namespace cairn {

/// "plan" and "amounts" of the photometric changes (kernels/augment/photometric.h); "points" f32
/// [rows,most_points,2], NaN; "keys" i32 [rows,2] of the choice among points in one cell
/// (kernels/points/detector_labels.h); and "valid" u8 [rows,height/8,width/8].
Batch empty_detector_rows(int64_t rows, int64_t height, int64_t width, int64_t most_points);

struct DetectorRow {
  PhotometricDraw changes;
  int64_t source;  ///< the image that they change
  std::vector<Point> points;
  Matrix3 to_output;  ///< from where the points are
  Tensor valid;
};

/// Throws an Error if there are more points than the batch has room for.
void put_detector_row(Batch& batch, int64_t row, const DetectorRow& of, Random labels);

}  // namespace cairn
