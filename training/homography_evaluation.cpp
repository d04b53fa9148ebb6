#include "training/homography_evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "runtime/image.h"

namespace cairn {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
using View = HomographyProtocol::View;

constexpr double radius = 3;  // of a repeated point and of a correct match, in every protocol

// Calls f(field of a, field of b) for every number.
template <class A, class B, class F>
void each(A& a, B& b, F f) {
  f(a.repeatability, b.repeatability);
  f(a.localization_error, b.localization_error);
  f(a.nn_map, b.nn_map);
  f(a.matching_score, b.matching_score);
  f(a.points, b.points);
  f(a.matches, b.matches);
  f(a.positive_cosine, b.positive_cosine);
  f(a.negative_cosine, b.negative_cosine);
  for (auto map : {&HomographyScores::matching_accuracy, &HomographyScores::homography_accuracy,
                   &HomographyScores::homography_area})
    for (const auto& [key, value] : a.*map) f((a.*map)[key], (b.*map)[key]);
}

std::vector<Point> positions(const Keypoints& points) {
  std::vector<Point> out;
  for (const auto& [x, y] : points.points) out.push_back({x, y});
  return out;
}

ImageFeatures::Stage stage_features(const KeypointMethod& method, const Tensor& image,
                                    const HomographyProtocol& protocol,
                                    const HomographyProtocol::Stage& stage) {
  const PreparedImage ready = prepared(image, protocol, stage.size);
  return {method.detect(ready.image, stage.suppression),
          {int(ready.image.dim(0)), int(ready.image.dim(1))},
          ready.from_original};
}

// The best points of both images of a pair, and the true homography between them.
struct PointSets {
  Keypoints first, second;
  std::vector<Point> p, q;
  Matrix3 truth;
  ImageSize first_size, second_size;

  PointSets(const ImageFeatures::Stage& a, const ImageFeatures::Stage& b, const Matrix3& original,
            View view, int top_k)
      : truth(b.from_original * original * inverse(a.from_original)),
        first_size(a.size),
        second_size(b.size) {
    first = best(a.points, truth, b.size, view, top_k);
    second = best(b.points, inverse(truth), a.size, view, top_k);
    p = positions(first);
    q = positions(second);
  }

 private:
  static Keypoints best(const Keypoints& points, const Matrix3& map, ImageSize other, View view,
                        int top_k) {
    std::vector<size_t> kept(points.points.size());
    std::iota(kept.begin(), kept.end(), size_t{0});
    const std::vector<size_t> visible = seen(positions(points), map, other);
    if (view == View::before_top_k) kept = visible;
    if (top_k > 0 && kept.size() > size_t(top_k)) kept.resize(size_t(top_k));
    if (view == View::after_top_k)
      std::erase_if(
          kept, [&](size_t i) { return !std::binary_search(visible.begin(), visible.end(), i); });
    return chosen(points, kept);
  }
};

struct Estimator {
  HomographyEstimator method;
  int iterations;

  RobustHomography operator()(const PointSets& sets, const std::vector<Match>& matches) const {
    std::vector<Point> from, to;
    for (const Match& m : matches) {
      from.push_back(sets.p[size_t(m.a)]);
      to.push_back(sets.q[size_t(m.b)]);
    }
    return estimate_homography(method, from, to, {.max_iterations = iterations});
  }
};

void score_repeatability(HomographyScores& s, const PointSets& sets) {
  const Repeatability r = repeatability(sets.p, sets.q, sets.truth, radius);
  s.repeatability = r.share();
  s.localization_error = r.localization_error();
}

void score_homography(HomographyScores& s, const PointSets& sets, const std::vector<int>& radii,
                      const Estimator& estimator) {
  const RobustHomography found = estimator(sets, match_keypoints(sets.first, sets.second));
  const double error = found.homography
                           ? corner_error(*found.homography, sets.truth, sets.first_size)
                           : std::numeric_limits<double>::infinity();
  for (int r : radii) {
    s.homography_accuracy[r] = error <= r;
    s.homography_area[r] = error_area(error, r);
  }
}

// Both directions, judged by the true homography.
void score_by_truth(HomographyScores& s, const PointSets& sets) {
  const MatchOptions one_way{.mutual = false};
  const std::vector<Match> there = match_keypoints(sets.first, sets.second, one_way);
  const std::vector<Match> back = match_keypoints(sets.second, sets.first, one_way);
  const Matrix3 reverse = inverse(sets.truth);
  s.matching_score = (correct_share(sets.p, sets.q, there, sets.truth, sets.second_size, radius) +
                      correct_share(sets.q, sets.p, back, reverse, sets.first_size, radius)) /
                     2;
  s.nn_map = (nearest_average_precision(sets.p, sets.q, there, sets.truth, radius) +
              nearest_average_precision(sets.q, sets.p, back, reverse, radius)) /
             2;
}

// Mutual matches closer than 1.2, judged by the homography that they lead to.
void score_by_estimate(HomographyScores& s, const PointSets& sets, const Estimator& estimator) {
  const std::vector<Match> matches =
      match_keypoints(sets.first, sets.second, {.max_distance = 1.2});
  const RobustHomography found = estimator(sets, matches);
  std::vector<RankedMatch> ranked;
  for (size_t i = 0; i < matches.size(); ++i)
    ranked.push_back({matches[i].score, found.inliers[i] != 0});
  s.nn_map = average_precision(std::move(ranked), found.inlier_count());
  const size_t visible = seen(sets.p, sets.truth, sets.second_size).size() +
                         seen(sets.q, inverse(sets.truth), sets.first_size).size();
  s.matching_score = visible ? 2.0 * found.inlier_count() / double(visible) : 0;
}

}  // namespace

HomographyScores::HomographyScores()
    : repeatability(nan),
      localization_error(nan),
      nn_map(nan),
      matching_score(nan),
      points(nan),
      matches(nan),
      positive_cosine(nan),
      negative_cosine(nan) {}

HomographyScores mean(const std::vector<HomographyScores>& pairs) {
  HomographyScores sum, count;
  const auto add = [](double& total, double value) {
    if (std::isfinite(value)) total = (std::isnan(total) ? 0 : total) + value;
  };
  for (HomographyScores pair : pairs) {
    each(pair, sum, [&](double value, double& total) { add(total, value); });
    each(pair, count, [&](double value, double& total) {
      if (std::isfinite(value)) add(total, 1);
    });
  }
  each(sum, count, [](double& total, double n) { total /= n; });
  return sum;
}

ImageFeatures features(const KeypointMethod& method, const Tensor& image,
                       const HomographyProtocol& protocol) {
  ImageFeatures f;
  f.matching = stage_features(method, image, protocol, protocol.matching);
  HomographyProtocol::Stage same = protocol.repeatability;
  same.top_k = protocol.matching.top_k;
  if (protocol.resize == HomographyProtocol::Resize::native) same.size = protocol.matching.size;
  if (same == protocol.matching)
    f.repeatability = f.matching;
  else
    f.repeatability = stage_features(method, image, protocol, protocol.repeatability);
  return f;
}

HomographyScores score_pair(const ImageFeatures& first, const ImageFeatures& second,
                            const Matrix3& first_to_second, const HomographyProtocol& protocol,
                            HomographyEstimator estimator) {
  HomographyScores s;
  const Estimator fit{estimator, protocol.ransac_iterations};
  if (!protocol.matches_only)
    score_repeatability(s, PointSets(first.repeatability, second.repeatability, first_to_second,
                                     protocol.repeated, protocol.repeatability.top_k));
  if (first.matching.points.descriptor_size == 0) return s;

  const int top_k = protocol.matching.top_k;
  const PointSets in_view(first.matching, second.matching, first_to_second, protocol.for_homography,
                          top_k);
  const PointSets matched(first.matching, second.matching, first_to_second, protocol.for_matches,
                          top_k);
  score_homography(s, in_view, protocol.radii, fit);
  const std::vector<Match> mutual = match_keypoints(matched.first, matched.second);
  const std::vector<double> errors = match_errors(matched.p, matched.q, mutual, matched.truth);
  for (int r : protocol.radii) s.matching_accuracy[r] = matching_accuracy(errors, r);
  s.points = double(matched.p.size() + matched.q.size()) / 2;
  s.matches = double(mutual.size());
  if (protocol.matches_only) return s;
  if (protocol.truth == HomographyProtocol::Truth::homography)
    score_by_truth(s, matched);
  else
    score_by_estimate(s, matched, fit);
  if (protocol.cosines) {
    const CosineGap gap = cosine_gap(matched.first, matched.second, matched.truth, radius);
    s.positive_cosine = gap.positive;
    s.negative_cosine = gap.hardest_negative;
  }
  return s;
}

HomographyScores HomographyEvaluation::mean_of(const std::string& prefix) const {
  std::vector<HomographyScores> all;
  for (const auto& [name, pairs] : sequences)
    if (name.compare(0, prefix.size(), prefix) == 0)
      all.insert(all.end(), pairs.begin(), pairs.end());
  return mean(all);
}

HomographyEvaluation evaluate(const KeypointMethod& method,
                              const std::vector<HomographySequence>& sequences,
                              const HomographyProtocol& protocol, HomographyEstimator estimator,
                              const std::function<void(const std::string& sequence)>& report) {
  HomographyEvaluation result;
  for (const HomographySequence& sequence : sequences) {
    const auto load = [&](const std::string& path) {
      ImageFeatures f = features(method, read_image(path, method.channels), protocol);
      report(sequence.name);
      return f;
    };
    const ImageFeatures first = load(sequence.first);
    std::vector<HomographyScores> pairs;
    for (const HomographySequence::View& view : sequence.others)
      pairs.push_back(score_pair(first, load(view.image), view.from_first, protocol, estimator));
    result.sequences.emplace_back(sequence.name, std::move(pairs));
  }
  return result;
}

}  // namespace cairn
