#include "training/landmark_regression.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "layers/check.h"
#include "runtime/random.h"

namespace cairn {
namespace {

using Eigen::MatrixXd;
using Eigen::RowVectorXd;
using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Indices = std::vector<int64_t>;

constexpr char expected[] =
    "points [N,K,2] of float32 or float64 on cpu, NaN where they are missing";
constexpr char remedy[] = "give both sides for the same images";

// One argument: its type, its shape, and that no coordinate is infinite.
void check_points(Check& check, const char* name, const Tensor& t) {
  check.argument(name, t);
  const bool typed = t.dtype() == DType::f32 || t.dtype() == DType::f64;
  check.require(typed, name, " is ", t.dtype());
  check.require(t.device() == Device::cpu, name, " is on ", t.device());
  check.require(t.rank() == 3 && t.dim(2) == 2, name, " is no list of points for each image");
  if (!typed || t.device() != Device::cpu) return;
  const auto values = t.to(DType::f64).values<double>();
  const auto infinite =
      std::count_if(values.begin(), values.end(), [](double v) { return std::isinf(v); });
  check.require(infinite == 0, name, " has ", infinite, " infinite coordinates");
}

// Two arguments for the same images.
Check checked_pair(const char* op, const char* a_name, const Tensor& a, const char* b_name,
                   const Tensor& b) {
  Check check(op);
  check_points(check, a_name, a);
  check_points(check, b_name, b);
  if (check.fine())
    check.require(a.dim(0) == b.dim(0), a_name, " has ", a.dim(0), " images, ", b_name, " has ",
                  b.dim(0));
  return check;
}

// [N, 2K], minus 1/2; both coordinates of a missing point are NaN.
Rows centred(const Tensor& points) {
  const Tensor t = points.to(DType::f64);
  Rows rows = Eigen::Map<const Rows>(t.data<double>(), t.dim(0), 2 * t.dim(1)).array() - 0.5;
  for (int64_t i = 0; i + 1 < rows.size(); i += 2)
    if (std::isnan(rows.data()[i] + rows.data()[i + 1])) rows.data()[i] = rows.data()[i + 1] = NAN;
  return rows;
}

// The images that have point k of `to` and all points of `from`.
Indices rows_with(const Rows& from, const Rows& to, int64_t k) {
  Indices found;
  for (int64_t i = 0; i < from.rows(); ++i)
    if (!from.row(i).hasNaN() && !std::isnan(to(i, 2 * k))) found.push_back(i);
  return found;
}

// Lazy products: Eigen's others start threads of their own, which wait for each other in a loop.
MatrixXd least_squares(const MatrixXd& x, const MatrixXd& y, double ridge) {
  MatrixXd gram = x.transpose().lazyProduct(x);
  const double largest = gram.maxCoeff();
  // No landmark moves by more than rounding: there is nothing to go by.
  if (largest < 1e-20) return MatrixXd::Zero(x.cols(), y.cols());
  gram.diagonal().array() += ridge * largest;
  Eigen::LLT<MatrixXd> cholesky(gram);
  if (cholesky.info() != Eigen::Success || cholesky.rcond() < 1e-12) {
    gram.diagonal().array() += 1e-6 * largest;
    cholesky.compute(gram);
  }
  return cholesky.solve(MatrixXd(x.transpose().lazyProduct(y)));
}

double percent(const KeypointErrors& errors) { return 100 * finite_mean(errors.instances()); }

// Fitted on one split, measured on the other.
KeypointErrors errors_after(const Tensor& fit_from, const Tensor& fit_to, const Tensor& from,
                            const Tensor& to, std::span<const double> lengths,
                            const RegressionOptions& options) {
  return landmark_errors(LandmarkRegression(fit_from, fit_to, options).predict(from), to, lengths);
}

// The mean, and the standard deviation of a sample.
LabelEfficiency summary(int64_t images, const std::vector<double>& errors) {
  const double n = double(errors.size()),
               mean = std::accumulate(errors.begin(), errors.end(), 0.) / n;
  double squares = 0;
  for (double e : errors) squares += (e - mean) * (e - mean);
  return {images, mean, n > 1 ? std::sqrt(squares / (n - 1)) : 0};
}

Tensor chosen(const Tensor& points, std::span<const int64_t> images) {
  Tensor out = points.empty_like({int64_t(images.size()), points.dim(1), 2});
  for (size_t i = 0; i < images.size(); ++i)
    out.rows(int64_t(i), int64_t(i) + 1).copy_from(points.rows(images[i], images[i] + 1));
  return out;
}

}  // namespace

LandmarkRegression::LandmarkRegression(const Tensor& from, const Tensor& to,
                                       const RegressionOptions& options) {
  Check check = checked_pair("landmark regression", "from", from, "to", to);
  check.require(options.ridge >= 0 && std::isfinite(options.ridge), "the ridge is ", options.ridge);
  if (check.fine()) check.require(from.dim(1) > 0, "there is no point to regress from");
  check.done(expected, remedy);

  from_points_ = from.dim(1);
  to_points_ = to.dim(1);
  const Rows x = centred(from), y = centred(to);
  // Points that have the same images share a decomposition.
  std::map<Indices, Indices> points_by_images;
  for (int64_t k = 0; k < to_points_; ++k) {
    const Indices images = rows_with(x, y, k);
    check.require(!images.empty(), "point ", k, " of to has no image to be fitted on");
    points_by_images[images].push_back(k);
  }
  check.done("for each point an image that has it and all points of from",
             "annotate more images, or leave the point out");

  mean_.assign(size_t(2 * from_points_), 0);
  for (int64_t c = 0; c < 2 * from_points_; ++c) {
    double sum = 0;
    int64_t known = 0;
    for (int64_t i = 0; i < x.rows(); ++i)
      if (!std::isnan(x(i, c))) sum += x(i, c), ++known;
    mean_[size_t(c)] = known ? sum / double(known) : 0;
  }

  weights_.resize(size_t(2 * from_points_ + 1) * size_t(2 * to_points_));
  Eigen::Map<Rows> weights(weights_.data(), 2 * from_points_ + 1, 2 * to_points_);
  for (const auto& [images, points] : points_by_images) {
    Indices targets;
    for (int64_t k : points) targets.insert(targets.end(), {2 * k, 2 * k + 1});
    MatrixXd a = x(images, Eigen::all), b = y(images, targets);
    RowVectorXd a_mean = RowVectorXd::Zero(a.cols()), b_mean = RowVectorXd::Zero(b.cols());
    if (options.bias) {
      a_mean = a.colwise().mean();
      b_mean = b.colwise().mean();
      a.rowwise() -= a_mean;
      b.rowwise() -= b_mean;
    }
    const MatrixXd solution = least_squares(a, b, options.ridge);
    weights(Eigen::seqN(0, a.cols()), targets) = solution;
    weights(a.cols(), targets) = b_mean - a_mean * solution;
  }
}

Tensor LandmarkRegression::predict(const Tensor& from) const {
  Check check("landmark regression");
  check_points(check, "from", from);
  if (check.fine())
    check.require(from.dim(1) == from_points_, "from has ", from.dim(1), " points, the fit ",
                  from_points_);
  check.done(expected, "give the points that were fitted");
  Rows x = centred(from);
  for (int64_t i = 0; i < x.size(); ++i)
    if (std::isnan(x.data()[i])) x.data()[i] = mean_[size_t(i % x.cols())];

  Tensor out = Tensor::empty({x.rows(), to_points_, 2}, DType::f64);
  const Eigen::Map<const Rows> weights(weights_.data(), x.cols() + 1, 2 * to_points_);
  Eigen::Map<Rows> y(out.data<double>(), x.rows(), 2 * to_points_);
  y = x.lazyProduct(weights.topRows(x.cols()));
  y.rowwise() += (weights.row(x.cols()).array() + 0.5).matrix();
  return out;
}

std::vector<double> reference_lengths(const Tensor& annotated, std::array<int, 2> ends) {
  Check check("reference lengths");
  check_points(check, "annotated", annotated);
  if (check.fine())
    for (int end : ends)
      check.require(end >= 0 && end < annotated.dim(1), "there is no point ", end);
  check.done(expected, "name two of the annotated points, from 0");
  const Rows rows = centred(annotated);
  std::vector<double> lengths;
  for (int64_t i = 0; i < rows.rows(); ++i) {
    const double length =
        (rows.row(i).segment<2>(2 * ends[0]) - rows.row(i).segment<2>(2 * ends[1])).norm();
    lengths.push_back(length > 0 ? length : NAN);
  }
  return lengths;
}

KeypointErrors landmark_errors(const Tensor& predicted, const Tensor& truth,
                               std::span<const double> lengths) {
  Check check = checked_pair("landmark errors", "predicted", predicted, "truth", truth);
  if (check.fine()) {
    check.require(predicted.dim(1) == truth.dim(1), "predicted has ", predicted.dim(1),
                  " points, truth has ", truth.dim(1));
    check.require(int64_t(lengths.size()) == truth.dim(0), "there are ", lengths.size(),
                  " lengths");
  }
  check.done(expected, remedy);
  const Rows found = centred(predicted), wanted = centred(truth);
  const int64_t points = truth.dim(1);
  KeypointErrors errors{int(points)};
  for (int64_t i = 0; i < wanted.rows(); ++i) {
    Instance instance;
    std::vector<ScoredPoint> answer;
    for (int64_t c = 0; c < 2 * points; c += 2) {
      const bool known = !std::isnan(wanted(i, c));
      instance.points.push_back(
          {wanted(i, c), wanted(i, c + 1), known ? Visibility::visible : Visibility::missing});
      answer.push_back({found(i, c), found(i, c + 1), 1});
    }
    errors.add(instance, answer, lengths[size_t(i)]);
  }
  return errors;
}

LandmarkScores landmark_scores(const LandmarkSplit& fit, const LandmarkSplit& test,
                               std::array<int, 2> ends, const RegressionOptions& options) {
  const std::vector<double> lengths = reference_lengths(test.annotated, ends);
  const KeypointErrors errors = errors_after(fit.discovered, fit.annotated, test.discovered,
                                             test.annotated, lengths, options);
  // From a point that never moves, the best fit is the mean.
  const auto constant = [](const Tensor& t) { return Tensor::full({t.dim(0), 1, 2}, 0.5); };
  LandmarkScores scores{
      percent(errors),
      percent(errors_after(constant(fit.annotated), fit.annotated, constant(test.annotated),
                           test.annotated, lengths, {.bias = true})),
      {}};
  for (int k = 0; k < test.annotated.dim(1); ++k)
    scores.points.push_back(100 * finite_mean(errors.points(std::array{k})));
  return scores;
}

double backward_error(const LandmarkSplit& fit, const LandmarkSplit& test, std::array<int, 2> ends,
                      const RegressionOptions& options) {
  return percent(errors_after(fit.annotated, fit.discovered, test.annotated, test.discovered,
                              reference_lengths(test.annotated, ends), options));
}

std::vector<LabelEfficiency> label_efficiency(const LandmarkSplit& fit, const LandmarkSplit& test,
                                              std::array<int, 2> ends,
                                              const RegressionOptions& options, uint64_t seed) {
  constexpr int subsets = 10;
  checked_pair("label efficiency", "discovered", fit.discovered, "annotated", fit.annotated)
      .done(expected, remedy);
  const std::vector<double> lengths = reference_lengths(test.annotated, ends);
  const auto error = [&](const Tensor& discovered, const Tensor& annotated) {
    return percent(
        errors_after(discovered, annotated, test.discovered, test.annotated, lengths, options));
  };
  const Rows x = centred(fit.discovered), y = centred(fit.annotated);
  Indices complete;
  for (int64_t i = 0; i < x.rows(); ++i)
    if (!x.row(i).hasNaN() && !y.row(i).hasNaN()) complete.push_back(i);

  std::vector<LabelEfficiency> curve;
  for (const int64_t n : {1, 5, 10, 100, 500, 1000, 5000}) {
    if (n >= int64_t(complete.size())) break;
    std::vector<double> errors;
    for (int s = 0; s < subsets; ++s) {
      Random random(seed, uint64_t(n), uint64_t(s) << 32);
      Indices order = complete;
      for (int64_t i = 0; i < n; ++i)
        std::swap(order[size_t(i)], order[size_t(random.integer(int(i), int(order.size()) - 1))]);
      const std::span<const int64_t> images(order.data(), size_t(n));
      errors.push_back(error(chosen(fit.discovered, images), chosen(fit.annotated, images)));
    }
    curve.push_back(summary(n, errors));
  }
  curve.push_back(summary(x.rows(), {error(fit.discovered, fit.annotated)}));
  return curve;
}

}  // namespace cairn
