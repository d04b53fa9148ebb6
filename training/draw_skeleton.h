#pragma once
// Keypoints with the bones between them, for overlays and contact sheets.
#include <span>
#include <vector>

#include "models/keypoints.h"
#include "training/draw.h"
#include "training/keypoint_dataset.h"

namespace cairn {

/// How one set of points is drawn.
struct SkeletonStyle {
  double radius = 2.5, bone = 1.6;  ///< of dots, and the width of bones, in pixels of the canvas
  const Colour* colour = nullptr;   ///< of everything; by default each point has its own
};

/// Draws bones whose ends are both known, then points: visible ones as dots, hidden ones as rings.
/// `points` are pixels of the image below the canvas' enlargement; throws an Error unless there are
/// as many as the skeleton has.
void draw_skeleton(Canvas& canvas, const Skeleton& skeleton, std::span<const LabelledPoint> points,
                   const SkeletonStyle& style = {});

/// The colour of point k of n, along the rainbow.
Colour point_colour(int k, int n);

/// The image, enlarged to about 256 pixels if it is smaller, with all of its instances.
Tensor draw_instances(const Tensor& image, const Skeleton& skeleton,
                      const std::vector<Instance>& instances);

/// The image, enlarged if it is small, with what a network of named points found: one set of
/// points each. Points below `threshold` are left out, hidden ones are rings.
Tensor draw_found(const Tensor& image, const Skeleton& skeleton,
                  const std::vector<Keypoints>& found, double threshold);

}  // namespace cairn
