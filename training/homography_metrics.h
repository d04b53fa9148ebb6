#pragma once
// How well the keypoints of two images of a plane agree, where the homography between the images is
// known: the measures of DeTone et al. ("SuperPoint", 2018, appendix), of KP2D (Tang et al., 2020)
// and of D2-Net (Dusmanu et al., 2019). Points are pixels; H maps the first image to the second.
#include <span>
#include <vector>

#include "geometry/homography.h"
#include "models/matching.h"

namespace cairn {

struct ImageSize {
  int height, width;
  bool operator==(const ImageSize&) const = default;
};

/// Which points `map` sends into an image: 0 <= x < width, 0 <= y < height, w > 0.
std::vector<size_t> seen(std::span<const Point> points, const Matrix3& map, ImageSize image);

/// Points of one image that the other one found again. Both sets should hold only points that the
/// other image shows.
struct Repeatability {
  int points = 0;           ///< of both images
  int repeated = 0;         ///< those with a point of the other image within `radius`, in image 2
  double distance_sum = 0;  ///< of those, to the nearest one

  double share() const;               ///< in 0..1; NaN without points
  double localization_error() const;  ///< mean distance in pixels; NaN if none was repeated
};
Repeatability repeatability(std::span<const Point> first, std::span<const Point> second,
                            const Matrix3& first_to_second, double radius);

/// |H first[a] - second[b]| of each match, pixels of the second image; NaN behind the horizon.
std::vector<double> match_errors(std::span<const Point> first, std::span<const Point> second,
                                 std::span<const Match> matches, const Matrix3& first_to_second);

/// The share of matches with an error of at most `radius`; 0 without matches.
double matching_accuracy(std::span<const double> errors, double radius);

/// Matches whose error is below `radius`, of the points that the other image shows; `nearest` holds
/// the nearest neighbour of each point. 0 without such points. The matching score is the mean of
/// both directions.
double correct_share(std::span<const Point> first, std::span<const Point> second,
                     std::span<const Match> nearest, const Matrix3& first_to_second,
                     ImageSize second_image, double radius);

/// Area under precision over recall, sum of P_n (R_n - R_{n-1}), of matches ranked by falling score
/// (equal scores enter together); recall is relative to `positives`. 0 without positives.
struct RankedMatch {
  double score;
  bool correct;
};
double average_precision(std::vector<RankedMatch> ranked, int positives);

/// The same of the nearest neighbours, correct when the error is below `radius`; the positives are
/// the points of the first image that have some point of the second within `radius`.
double nearest_average_precision(std::span<const Point> first, std::span<const Point> second,
                                 std::span<const Match> nearest, const Matrix3& first_to_second,
                                 double radius);

/// Mean distance in pixels between where two homographies send the corners of the first image,
/// (0, 0) .. (width - 1, height - 1); infinite when a corner goes beyond the horizon.
double corner_error(const Matrix3& estimate, const Matrix3& truth, ImageSize first_image);

/// Area under the share of errors below e, for e from 0 to `limit`, over `limit`: one pair's part.
double error_area(double error, double limit);

/// How well descriptors tell points apart: over the points of the first image with a point of the
/// second within `radius`, the mean cosine to that one, and to the most similar of those that lie
/// beyond twice the radius. NaN where there are none.
struct CosineGap {
  double positive, hardest_negative;
};
CosineGap cosine_gap(const Keypoints& first, const Keypoints& second,
                     const Matrix3& first_to_second, double radius);

}  // namespace cairn
