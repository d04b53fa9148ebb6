#include "geometry/ransac.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "geometry/magsac.h"
#include "runtime/error.h"
#include "runtime/random.h"

namespace cairn {
namespace {

using Quad = std::array<Point, 4>;

// Twice the oriented area of each of the four triangles, number i without point i. A triangle whose
// height is less than 1e-6 of its longest side is a line and counts 0.
std::array<double, 4> triangles(const Quad& p) {
  std::array<double, 4> twice{};
  for (int i = 0; i < 4; ++i) {
    const Point a = p[i == 0], b = p[i < 2 ? 2 : 1], c = p[i == 3 ? 2 : 3];
    const Point u = b - a, v = c - a, w = c - b;
    const double area = u.x * v.y - u.y * v.x;
    const double longest =
        std::max({u.x * u.x + u.y * u.y, v.x * v.x + v.y * v.y, w.x * w.x + w.y * w.y});
    twice[i] = std::abs(area) > 1e-6 * longest ? area : 0;
  }
  return twice;
}

// The map from the projective basis (the three unit vectors and their sum) to four points.
Matrix3 from_basis(const Quad& p, const std::array<double, 4>& t) {
  const double f[3] = {t[0], -t[1], t[2]};
  Matrix3 m;
  for (int i = 0; i < 3; ++i) {
    m(0, i) = f[i] * p[i].x;
    m(1, i) = f[i] * p[i].y;
    m(2, i) = f[i];
  }
  return m;
}

// The homography through four pairs (Hartley and Zisserman, "Multiple View Geometry", section 2.3,
// by projective bases). None if three points are on a line in either image, or if some triangle
// turns the other way round than another: no view of a plane does that.
std::optional<Matrix3> homography_of_sample(const Quad& from, const Quad& to) {
  const std::array<double, 4> s = triangles(from), t = triangles(to);
  int turned = 0;
  for (int i = 0; i < 4; ++i) {
    if (s[i] == 0 || t[i] == 0) return {};
    turned += (s[i] > 0) != (t[i] > 0);
  }
  if (turned != 0 && turned != 4) return {};
  const Matrix3 h = from_basis(to, t) * inverse(from_basis(from, s));
  // Seen from the four points w has the sign of t / s; the origin must be on their side.
  if (!(h(2, 2) * (turned ? -1 : 1) > 0)) return {};
  return with_unit_corner(h);
}

// The correspondences, and what a hypothesis is worth on them.
class Judge {
 public:
  Judge(std::span<const Point> from, std::span<const Point> to, const RansacOptions& o)
      : from_(from), to_(to), threshold_(o.threshold), reach_(o.threshold) {
    if (o.score == RobustScore::magsac) reach_ = noise_.emplace(o.threshold / 1.5).cut_off();
    for (size_t i = 0; i < from.size(); ++i) {
      x_.push_back(from[i].x);
      y_.push_back(from[i].y);
      u_.push_back(to[i].x);
      v_.push_back(to[i].y);
    }
  }

  bool is_inlier(const Matrix3& h, size_t i) const { return residual(h, i).within(threshold_); }
  int64_t inliers(const Matrix3& h) const { return count_within(h, threshold_); }

  /// The higher the better. At or below `best` it may be any value that is not above it.
  double score(const Matrix3& h, double best) const {
    const double count = double(count_within(h, reach_));
    if (!noise_ || count <= best) return count;  // no match is of quality above 1
    double quality = 0;
    for (size_t i = 0; i < x_.size(); ++i)
      if (const Residual r = residual(h, i); r.within(reach_))
        quality += noise_->quality(r.squared());
    return quality;
  }

  /// What each correspondence weighs in a fit that starts from h.
  std::vector<double> weights(const Matrix3& h) const {
    std::vector<double> w(x_.size(), 0);
    for (size_t i = 0; i < w.size(); ++i)
      if (const Residual r = residual(h, i); r.within(reach_))
        w[i] = noise_ ? noise_->weight(r.squared()) : 1;
    return w;
  }

  std::optional<Matrix3> fitted(const Matrix3& h) const {
    try {
      return homography_from_points(from_, to_, weights(h));
    } catch (const Error&) {  // what weighs something lies on a line
      return {};
    }
  }
  Matrix3 refined(const Matrix3& h) const { return refine_homography(h, from_, to_, weights(h)); }

 private:
  struct Residual {
    double dx, dy, w;  // w times the distance along x and y

    bool within(double limit) const {
      return (dx * dx + dy * dy <= limit * limit * (w * w)) & (w > 0);
    }
    double squared() const { return (dx * dx + dy * dy) / (w * w); }
  };
  Residual residual(const Matrix3& h, size_t i) const {
    const double w = h.m[6] * x_[i] + h.m[7] * y_[i] + h.m[8];
    return {h.m[0] * x_[i] + h.m[1] * y_[i] + h.m[2] - u_[i] * w,
            h.m[3] * x_[i] + h.m[4] * y_[i] + h.m[5] - v_[i] * w, w};
  }
  int64_t count_within(const Matrix3& h, double limit) const {
    int64_t count = 0;
    for (size_t i = 0; i < x_.size(); ++i) count += residual(h, i).within(limit);
    return count;
  }

  std::span<const Point> from_, to_;
  std::vector<double> x_, y_, u_, v_;  // apart, so that the count vectorises
  double threshold_, reach_;           // of an inlier, and of what has any say
  std::optional<MagsacNoise> noise_;
};

// The best hypothesis so far.
class Best {
 public:
  explicit Best(const Judge& judge) : judge_(judge) {}

  /// Takes h if it is better, and then what fits to its inliers as long as that is better still.
  bool offer(const Matrix3& h) {
    if (!take(h)) return false;
    for (int round = 0; round < 10; ++round) {
      const std::optional<Matrix3> fit = judge_.fitted(*homography_);
      if (!fit || !take(*fit)) break;
    }
    return true;
  }
  const std::optional<Matrix3>& homography() const { return homography_; }

 private:
  bool take(const Matrix3& h) {
    const double score = judge_.score(h, score_);
    if (!(score > score_)) return false;
    score_ = score;
    homography_ = h;
    return true;
  }

  const Judge& judge_;
  double score_ = 0;
  std::optional<Matrix3> homography_;
};

// Four different correspondences out of n; each iteration has numbers of its own.
std::array<size_t, 4> sample(size_t n, uint64_t seed, int iteration) {
  Random random(seed, uint64_t(iteration));
  std::array<size_t, 4> s;
  for (int k = 0; k < 4;) {
    s[k] = size_t(random.integer(0, int(n) - 1));
    if (std::find(s.begin(), s.begin() + k, s[k]) == s.begin() + k) ++k;
  }
  return s;
}

// How many samples make it as probable as `confidence` that one of them has no outlier.
int samples_needed(double inlier_share, const RansacOptions& o) {
  const double miss = std::log1p(-std::min(std::pow(inlier_share, 4), 1 - 1e-12));
  return int(std::min(std::ceil(std::log(1 - o.confidence) / miss), double(o.max_iterations)));
}

void check(std::span<const Point> from, std::span<const Point> to, const RansacOptions& o) {
  std::string wrong;
  const auto require = [&](bool ok, const auto&... words) {
    if (!ok) wrong += text(wrong.empty() ? "" : "; ", words...);
  };
  require(from.size() == to.size(), from.size(), " points and ", to.size(), " partners");
  require(o.threshold > 0, "threshold is ", o.threshold);
  require(o.confidence > 0 && o.confidence < 1, "confidence is ", o.confidence);
  require(o.max_iterations >= 1, "max_iterations is ", o.max_iterations);
  if (!wrong.empty())
    throw Error("ransac_homography", wrong,
                "as many points as partners, a threshold above 0, a confidence inside of 0..1 and "
                "at least 1 iteration",
                "correct the options");
}

}  // namespace

int RobustHomography::inlier_count() const {
  return int(std::count(inliers.begin(), inliers.end(), uint8_t{1}));
}

RobustHomography ransac_homography(std::span<const Point> from, std::span<const Point> to,
                                   const RansacOptions& o) {
  check(from, to, o);
  RobustHomography result;
  const size_t n = from.size();
  result.inliers.assign(n, 0);
  if (n < 4) return result;

  const Judge judge(from, to, o);
  Best best(judge);
  for (int needed = o.max_iterations; result.iterations < needed; ++result.iterations) {
    const std::array<size_t, 4> s = sample(n, o.seed, result.iterations);
    const auto of = [&](std::span<const Point> points) {
      return Quad{points[s[0]], points[s[1]], points[s[2]], points[s[3]]};
    };
    const std::optional<Matrix3> h = homography_of_sample(of(from), of(to));
    if (h && best.offer(*h))
      needed = samples_needed(double(judge.inliers(*best.homography())) / double(n), o);
  }
  if (!best.homography()) return result;

  // The inliers of a fit are not quite those it was made of: twice settles it.
  result.homography = judge.refined(judge.refined(*best.homography()));
  for (size_t i = 0; i < n; ++i) result.inliers[i] = judge.is_inlier(*result.homography, i);
  return result;
}

double homographies_by_chance(int matches, int inliers, double threshold, double area) {
  const auto log_choose = [](double n, double k) {
    return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
  };
  const double hit = std::min(1.0, 3.14159265358979 * threshold * threshold / area);
  return (matches - 4) * std::exp(log_choose(matches, inliers) + log_choose(inliers, 4) +
                                  (inliers - 4) * std::log(hit));
}

}  // namespace cairn
