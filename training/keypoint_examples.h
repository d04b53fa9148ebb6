#pragma once
// Annotated objects to learn from or to be measured on: images with the one instance that each is
// about.
#include <memory>
#include <string>
#include <vector>

#include "models/crop_rule.h"
#include "training/keypoint_dataset.h"
#include "training/stickman.h"
#include "training/synth_faces.h"

namespace cairn {

struct KeypointExample {
  Tensor image;       ///< u8 [H,W,channels]
  Instance instance;  ///< in pixels of the image
  int64_t kept = -1;  ///< the image's place among kept_images()
};

class KeypointExamples {
 public:
  virtual ~KeypointExamples() = default;
  virtual const Skeleton& skeleton() const = 0;
  virtual int channels() const = 0;  ///< of the images
  /// How many there are; 0 when they never end.
  virtual int64_t count() const = 0;
  /// Number `index`, of count(); on any thread.
  virtual KeypointExample example(int64_t index) const = 0;
  /// Images that stay in memory, u8 [H,W,channels] or undefined; none if they are read or drawn
  /// anew.
  virtual std::vector<Tensor> kept_images() const { return {}; }
  /// Of the rule by which a network sees them (models/crop_rule.h).
  virtual double margin() const = 0;
  /// What it sees of an example when nothing is augmented.
  CropFrame frame(const KeypointExample& e, int64_t height, int64_t width) const {
    return frame_of(CropRule{height, width, margin()}, e.image, e.instance.box);
  }
  /// What was skipped and why, one line each.
  virtual std::vector<std::string> left_out() const { return {}; }
};

/// Figures that never repeat, each the middle of its image: the front one, or the distractor behind
/// it, which every scene has then.
std::unique_ptr<KeypointExamples> stickman_examples(StickmanOptions options,
                                                    bool on_distractor = false);

/// Drawn faces that never repeat.
std::unique_ptr<KeypointExamples> synth_face_examples(const SynthFaceOptions& options);

/// How a data set is read.
struct DatasetExampleOptions {
  int channels = 3;  ///< of the images: 1 grey, 3 RGB
  /// 0: a crop shows all of the image. Otherwise the instance's box enlarged by this factor.
  double box_margin = 0;
  int64_t keep_bytes =
      int64_t{2} << 30;  ///< images are kept in memory if all of them fit into this
};

/// The labelled instances of an annotation file or folder (training/keypoint_readers). Every image
/// is read once at the start: those that cannot be read are left out and named. Throws an Error
/// with everything that is wrong with the annotations, and one when no image can be read.
std::unique_ptr<KeypointExamples> dataset_examples(const std::string& path,
                                                   const DatasetExampleOptions& options);

/// Images of folders without any annotation: no points, and of each image the largest central part
/// of the proportions height : width, enlarged if it is smaller. Throws an Error for a folder
/// without images, and when none can be read.
std::unique_ptr<KeypointExamples> photo_examples(const std::vector<std::string>& folders,
                                                 int64_t height, int64_t width,
                                                 const DatasetExampleOptions& options);

}  // namespace cairn
