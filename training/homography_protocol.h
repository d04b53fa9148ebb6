#pragma once
// Protocols of evaluation on homography sequences. Published tables use rules that differ in ways
// that move the numbers by more than methods differ: compare numbers of one preset alone.
#include <string>
#include <vector>

#include "runtime/tensor.h"
#include "training/homography_metrics.h"
#include "training/suppression.h"

namespace cairn {

struct HomographyProtocol {
  std::string name;
  std::string description;  ///< one line, printed above the numbers

  /// How images come to the size of a stage.
  enum class Resize {
    exact,          ///< both sides on their own
    central_crop,   ///< the scale that fills the size, the middle of it
    top_left_crop,  ///< the scale that fills the size, the upper left part of it
    native          ///< as they are; the stages' sizes are not used
  } resize = Resize::exact;
  /// Homographies follow the resizing about the outer corner, x -> (x + 1/2) s - 1/2, as images do;
  /// most published evaluators take x -> x s, up to half a pixel away.
  bool pixel_centres = true;

  struct Stage {
    ImageSize size;
    int top_k;  ///< best points of each image, 0: all
    Suppression suppression;
    bool operator==(const Stage&) const = default;
  };
  Stage repeatability{{240, 320}, 300, {}};
  Stage matching{{480, 640}, 1000, {}};

  /// When points that the other image does not show are dropped (which needs the true homography).
  enum class View {
    before_top_k,  ///< then the best of the others are taken
    after_top_k,   ///< of the best
    never
  };
  View repeated = View::after_top_k;  ///< before repeatability is counted; never `never`
  View for_homography = View::never;  ///< before the matches that a homography is fitted to
  View for_matches = View::never;     ///< before the matches of the other measures

  /// What is divided by what in the matching score and judged right in the mean average precision.
  enum class Truth {
    homography,  ///< nearest neighbours within 3 px of the truth, of the points seen by both
    estimate     ///< mutual ones: inliers of the estimated homography, twice, of those points
  } truth = Truth::homography;

  int ransac_iterations = 2000;
  bool cosines = false;             ///< also how alike true partners' descriptors are
  bool matches_only = false;        ///< neither repeatability nor the scores by truth
  std::vector<int> radii{1, 3, 5};  ///< of matching and homography accuracy, pixels
};

/// cairn (the default), paper, rp, ey, kp2d, mma, and pairs: cairn at the images' own size.
std::vector<std::string> protocol_names();
/// Throws a UsageError with the list for another name.
HomographyProtocol homography_protocol(const std::string& name);

/// An image made ready for a stage, and where its pixels were: original to prepared.
struct PreparedImage {
  Tensor image;  ///< u8 [H,W,C]
  Matrix3 from_original;
};
/// `image`: u8 [H,W,C]. Smaller where the mean over areas is taken, larger bilinear.
PreparedImage prepared(const Tensor& image, const HomographyProtocol& protocol, ImageSize size);

}  // namespace cairn
