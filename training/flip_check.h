#pragma once
// Whether the partners that points have in a mirror image can be right.
#include <vector>

#include "geometry/point.h"
#include "training/dataset_problems.h"
#include "training/keypoint_dataset.h"

namespace cairn {

/// The labels of all instances, each moved, turned and scaled onto the others, averaged (Procrustes
/// analysis over the points that are labelled): centred, of mean squared radius 1. NaN where fewer
/// than two instances have a point; empty when fewer than two instances have half of the points.
std::vector<Point> mean_shape(const KeypointDataset& data);

/// Adds names_not_swapped: a name with left whose partner is not the one with right.
///
/// Adds mirrored_elsewhere: the mean shape is mirrored about the axis through its centre that
/// brings it closest to itself; a point that then lies on another than its partner, and far from
/// that, is named. Nothing is said of shapes that are not symmetric (an animal from the side).
void check_flip_pairs(const KeypointDataset& data, Problems& problems);

}  // namespace cairn
