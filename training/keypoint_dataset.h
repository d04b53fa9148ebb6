#pragma once
// Annotated keypoints in memory: what every reader returns, and what training, `cairn check` and
// the metrics work on.
//
// Coordinates are those of the project: (x, y) in pixels of the image file, integers are pixel
// centres. Formats that count otherwise are converted by their readers.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "geometry/box.h"
#include "geometry/point.h"
#include "models/skeleton.h"

namespace cairn {

/// How much is known of a point.
enum class Visibility { missing = 0, hidden = 1, visible = 2 };

struct LabelledPoint {
  double x = 0, y = 0;  ///< 0 where it is missing; may lie outside of the image
  Visibility v = Visibility::missing;

  bool labelled() const { return v != Visibility::missing; }
  operator Point() const { return {x, y}; }
};

/// One object: a person, a face, an animal.
struct Instance {
  int64_t id = 0;
  std::vector<LabelledPoint> points;  ///< K; all missing where it has a box alone
  Box box;
  double area = 0;          ///< of its mask, or 0.53 of its box where no mask is known
  bool crowd = false;       ///< a group that is not annotated one by one: ignored by metrics
  std::optional<Box> head;  ///< of the head, where the format has it (PCKh)

  int64_t labelled_points() const;
};

/// Of the labelled points.
Bounds bounds(const Instance& instance);

/// The instance with its points of this visibility alone.
Instance only(Instance instance, Visibility v);

/// Gives an instance with an empty box the one around the pixels of its labelled points, and one
/// without area 0.53 of its box (the usual share of a person's mask).
void complete(Instance& instance);

struct AnnotatedImage {
  int64_t id = 0;
  std::string path;
  int width = 0, height = 0;  ///< as the annotation says; 0 where it does not
  std::vector<Instance> instances;
};

struct KeypointDataset {
  std::string source;  ///< the file it was read from, for messages
  Skeleton skeleton;
  std::vector<AnnotatedImage> images;
};

/// One object that a network found in an image; COCO's results files hold lists of these.
struct PredictedInstance {
  int64_t image = 0;                ///< the id of its AnnotatedImage
  std::vector<ScoredPoint> points;  ///< K
  double score = 0;
  std::optional<int64_t> instance = {};  ///< the id of the Instance whose box it was looked for in
};

}  // namespace cairn
