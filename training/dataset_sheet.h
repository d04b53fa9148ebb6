#pragma once
// Contact sheets of annotated images.
#include "runtime/tensor.h"
#include "training/keypoint_dataset.h"

namespace cairn {

struct SheetOptions {
  int64_t count = 24, columns = 6, tile = 240;
};

/// Instances spread evenly over the data set, each cut out with its box and all of its points,
/// enlarged or reduced to a tile, with points and bones drawn; u8 [H,W,3]. Images that cannot be
/// read are passed over. Throws an Error when there is nothing to draw.
Tensor dataset_sheet(const KeypointDataset& data, const SheetOptions& options = {});

}  // namespace cairn
