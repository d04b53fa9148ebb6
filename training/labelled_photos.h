#pragma once
// Photographs, textures and other images with the points that `cairn label` found in them.
#include <string>
#include <vector>

#include "training/synthetic_shapes.h"

namespace cairn {

struct LabelledPhotos {
  std::vector<LabelledImage> images;  ///< u8 [height, width, 1], all of one size
  /// Files that were not used, one line each: images that cannot be read, labels without an image.
  std::vector<std::string> left_out;
};

/// The images of the folders, decoded once, resized and cropped as they were for labelling, with
/// their points from the folder `labels`. An image without any point is valid.
///
/// Throws an Error when a folder has no images or none can be read, when no label holds a point,
/// and one that lists all of these: images without a label, labels that are damaged, were made at
/// another size, or have points outside of the image.
LabelledPhotos read_labelled_photos(const std::vector<std::string>& folders,
                                    const std::string& labels, int height, int width);

}  // namespace cairn
