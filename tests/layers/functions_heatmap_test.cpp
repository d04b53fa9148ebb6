#include "layers/functions_heatmap.h"

#include <gtest/gtest.h>

#include <cmath>

#include "layers/functions_softmax.h"
#include "runtime/random.h"
#include "tests/caught.h"
#include "tests/layers/gradient_check.h"

namespace cairn {
namespace {

Tensor map64(const Shape& shape, const std::vector<double>& values) {
  return Tensor::from<double>(shape, values);
}

TEST(SoftArgmax, GivesTheGoldenMomentsOfASmallMap) {
  Tape tape;
  const Var z = tape.constant(map64({1, 3, 3, 1}, {0, 1, 2, 0, 3, 0, -1, 0, 1}));
  const PointMoments m = soft_argmax(z);
  const auto point = m.point.value().values<double>(),
             variance = m.variance.value().values<double>();
  EXPECT_NEAR(point[0], 0.578144532, 1e-9);
  EXPECT_NEAR(point[1], 0.437219616, 1e-9);
  EXPECT_NEAR(variance[0], 0.034056659, 1e-9);
  EXPECT_NEAR(variance[1], 0.041343232, 1e-9);
  EXPECT_NEAR(2 * 3.141592653589793 * 2.718281828459045 * (variance[0] + variance[1]) / 2,
              0.643895031, 1e-8);
}

TEST(SoftArgmax, EqualsTheMomentsOfTheSpatialSoftmax) {
  Tape tape;
  const Var logits = tape.constant(normal64({2, 9, 7, 3}, 3));
  const auto fused = soft_argmax(logits, 5).point.value().values<double>();
  const auto composed = spatial_moments(spatial_softmax(logits, 5)).point.value().values<double>();
  for (size_t i = 0; i < fused.size(); ++i) EXPECT_NEAR(fused[i], composed[i], 2e-6);
}

TEST(SoftArgmax, AFloorDrawsThePointToTheCentreInProportionToItsWeight) {
  const int64_t side = 16;
  const double r = 0.3;
  Tensor map = Tensor::full({1, side, side, 1}, r / double(side * side), DType::f64);
  map.data<double>()[3 * side + 12] += 1 - r;  // row 3, column 12
  Tape tape;
  const auto point = spatial_moments(tape.constant(map)).point.value().values<double>();
  EXPECT_NEAR(point[0], (1 - r) * 12.5 / 16 + r * 0.5, 2e-6);
  EXPECT_NEAR(point[1], (1 - r) * 3.5 / 16 + r * 0.5, 2e-6);
}

TEST(SoftArgmax, FindsTheCentreOfARenderedGaussian) {
  Random random(1);
  for (int i = 0; i < 20; ++i) {
    Tape tape;
    const double x = random.uniform(.25, .75), y = random.uniform(.25, .75);
    const Var map =
        gaussian(tape.constant(map64({1, 1, 2}, {x, y})), tape.constant(map64({1, 1}, {0.05})),
                 tape.constant(map64({1, 1}, {1})), 48, 48);
    const auto point = spatial_moments(map).point.value().values<double>();
    EXPECT_NEAR(point[0], x, 1e-3);
    EXPECT_NEAR(point[1], y, 1e-3);
  }
}

TEST(SoftArgmax, IsTrainedThroughTheVarianceAlone) {
  Tape tape;
  const Var z = tape.leaf(map64({1, 3, 3, 1}, {0, 1, 2, 0, 3, 0, -1, 0, 1}));
  tape.backward(soft_argmax(z).variance, map64({1, 1, 2}, {1, 0}));
  double sum = 0, largest = 0;
  for (double g : z.grad().values<double>()) {
    sum += g;
    largest = std::max(largest, std::abs(g));
  }
  EXPECT_NEAR(sum, 0, 1e-15) << "a softmax does not feel a constant";
  EXPECT_GT(largest, 1e-4);
}

TEST(LandmarkMaps, AreTheSoftmaxOfEachPixelAndTheMomentsOfItsMaps) {
  Tape tape;
  const Var z = tape.constant(normal64({2, 9, 7, 4}, 3));
  const LandmarkMaps fused = landmark_maps(z);
  const Var maps = softmax(z);
  for (int64_t i = 0; i < maps.value().count(); ++i)
    EXPECT_NEAR(fused.maps.value().data<double>()[i], maps.value().data<double>()[i], 1e-15);
  const PointMoments composed = spatial_moments(maps);
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t k = 0; k < 3; ++k) {
      double sum = 1e-6;
      for (int64_t u = 0; u < 63; ++u) sum += maps.value().data<double>()[(n * 63 + u) * 4 + k];
      EXPECT_NEAR(fused.zeta.data<double>()[n * 3 + k], sum, 1e-12);
      for (int axis = 0; axis < 2; ++axis) {
        const int64_t at = (n * 3 + k) * 2 + axis, of_composed = (n * 4 + k) * 2 + axis;
        EXPECT_NEAR(fused.point.value().data<double>()[at],
                    composed.point.value().data<double>()[of_composed], 1e-12);
        EXPECT_NEAR(fused.variance.value().data<double>()[at],
                    composed.variance.value().data<double>()[of_composed], 1e-12);
      }
    }
}

TEST(LandmarkMaps, AreTrainedThroughEachOutputAlone) {
  const auto gradient = [](int output) {
    Tape tape;
    const Var z = tape.leaf(normal64({1, 5, 4, 3}, 3));
    const LandmarkMaps m = landmark_maps(z);
    const Var& y = output == 0 ? m.maps : output == 1 ? m.point : m.variance;
    tape.backward(y, normal64(y.shape(), 4));
    return z.grad().values<double>();
  };
  for (int output = 0; output < 3; ++output) {
    const std::vector<double> dz = gradient(output);
    double largest = 0;
    for (size_t u = 0; u < dz.size(); u += 3) {
      EXPECT_NEAR(dz[u] + dz[u + 1] + dz[u + 2], 0, 1e-15) << "a softmax feels no constant";
      largest = std::max(largest, std::abs(dz[u]));
    }
    EXPECT_GT(largest, 1e-4) << "output " << output;
  }
}

TEST(LandmarkMaps, ADeadLandmarkShowsInZetaAndStaysFinite) {
  Tensor logits = normal64({1, 6, 6, 3}, 3);
  for (int64_t i = 0; i < logits.count(); i += 3) logits.data<double>()[i] = -1e4;
  Tape tape;
  const Var z = tape.leaf(logits);
  const LandmarkMaps m = landmark_maps(z);
  EXPECT_DOUBLE_EQ(m.zeta.data<double>()[0], 1e-6);
  EXPECT_GT(m.zeta.data<double>()[1], 1);
  tape.backward(m.point, Tensor::full({1, 2, 2}, 1, DType::f64));
  for (double g : z.grad().values<double>()) EXPECT_TRUE(std::isfinite(g));
}

TEST(LandmarkMaps, RefuseLogitsWithoutLandmarksAndMoreChannelsThanADeviceTakes) {
  Tape tape;
  const auto message = [&](const Shape& shape, Device device = Device::cpu) {
    return error_of(
        [&] { landmark_maps(tape.constant(Tensor::zeros(shape, DType::f32, device))); });
  };
  EXPECT_NE(message({3, 4}).find("rank 2"), std::string::npos);
  const std::string both = message({1, 0, 4, 1});
  EXPECT_NE(both.find("no pixels; no landmark in 1 channels"), std::string::npos) << both;
  EXPECT_EQ(landmark_maps(tape.constant(Tensor::zeros({1, 2, 2, 65}))).point.dim(1), 64);
  for (Device device : available_devices())
    if (device != Device::cpu)
      EXPECT_NE(message({1, 2, 2, 65}, device).find("65 channels on"), std::string::npos);
}

TEST(FieldMoments, GiveTheExpectedSquaredDistanceOfTwoIndependentPlaces) {
  const Shape maps{2, 8, 8, 3};
  Tape tape;
  const Var p = spatial_softmax(tape.constant(normal64(maps, 1))),
            q = spatial_softmax(tape.constant(normal64(maps, 2)));
  const Tensor u = normal64({2, 8, 8, 2}, 3), g = normal64({2, 8, 8, 2}, 4);
  const FieldMoments a = field_moments(p, u), b = field_moments(q, g);
  const auto pv = p.value().values<double>(), qv = q.value().values<double>(),
             uv = u.values<double>(), gv = g.values<double>();
  for (int64_t map = 0; map < 6; ++map) {
    const int64_t pixels = 64, first = map / 3 * pixels, k = map % 3;
    double brute = 0;
    for (int64_t i = first; i < first + pixels; ++i)
      for (int64_t j = first; j < first + pixels; ++j)
        brute += pv[i * 3 + k] * qv[j * 3 + k] *
                 (std::pow(uv[2 * i] - gv[2 * j], 2) + std::pow(uv[2 * i + 1] - gv[2 * j + 1], 2));
    const auto am = a.mean.value().values<double>(), bm = b.mean.value().values<double>();
    const double apart = std::hypot(am[2 * map] - bm[2 * map], am[2 * map + 1] - bm[2 * map + 1]);
    EXPECT_NEAR(apart * apart + a.variance.value().values<double>()[map] +
                    b.variance.value().values<double>()[map],
                brute, 1e-12);
  }
}

TEST(FieldMoments, OverThePixelCentresAreThoseOfTheSoftArgmax) {
  Tensor centres = Tensor::empty({2, 9, 7, 2}, DType::f64);
  for (int64_t u = 0; u < 2 * 9 * 7; ++u) {
    centres.data<double>()[2 * u] = (double(u % 7) + 0.5) / 7;
    centres.data<double>()[2 * u + 1] = (double(u / 7 % 9) + 0.5) / 9;
  }
  Tape tape;
  const Var logits = tape.constant(normal64({2, 9, 7, 3}, 3));
  const PointMoments want = soft_argmax(logits);
  const FieldMoments got = field_moments(spatial_softmax(logits), centres);
  for (int64_t i = 0; i < 2 * 3; ++i) {
    const auto at = [=](const Var& v, int64_t k) { return v.value().values<double>()[k]; };
    EXPECT_NEAR(at(got.mean, 2 * i), at(want.point, 2 * i), 1e-12);
    EXPECT_NEAR(at(got.variance, i), at(want.variance, 2 * i) + at(want.variance, 2 * i + 1),
                1e-12);
  }
}

TEST(FieldMoments, AreTrainedThroughEitherOutput) {
  const Tensor field = normal64({1, 3, 3, 2}, 5);
  for (bool variance : {false, true}) {
    Tape tape;
    const Var z = tape.leaf(normal64({1, 3, 3, 1}, 6));
    const FieldMoments m = field_moments(spatial_softmax(z), field);
    tape.backward(variance ? m.variance : m.mean,
                  variance ? map64({1, 1}, {1}) : map64({1, 1, 2}, {1, 0}));
    double largest = 0;
    for (double g : z.grad().values<double>()) largest = std::max(largest, std::abs(g));
    EXPECT_GT(largest, 1e-3);
  }
}

TEST(GaussianTargets, StampOfThreePixelsHasTheKnownValues) {
  const Tensor y = gaussian_targets(Tensor::from<float>({1, 1, 1, 2}, {3.4f, 1.6f}),
                                    Tensor::from<uint8_t>({1, 1, 1}, {1}), 5, 7,
                                    {0.75, 1, TargetCentre::rounded});
  const auto at = [&](int row, int column) { return y.values<float>()[row * 7 + column]; };
  EXPECT_FLOAT_EQ(at(2, 3), 1);
  EXPECT_NEAR(at(2, 4), 0.41111, 1e-5);
  EXPECT_NEAR(at(1, 2), 0.16901, 1e-5);
  EXPECT_EQ(at(2, 5), 0);
}

TEST(GaussianTargets, AnInvisiblePointLeavesAnEmptyMap) {
  const Tensor y = gaussian_targets(Tensor::from<float>({1, 1, 1, 2}, {3, 2}),
                                    Tensor::from<uint8_t>({1, 1, 1}, {0}), 5, 7);
  for (float v : y.values<float>()) EXPECT_EQ(v, 0);
}

TEST(DiskTargets, ACellKnowsTheWayToTheFirstInstanceAndLeavesOutTheSecond) {
  const DiskTargets t = disk_targets(Tensor::from<float>({1, 2, 1, 2}, {1.5f, 1, 4, 1}),
                                     Tensor::from<uint8_t>({1, 2, 1}, {1, 2}), 3, 7, 1);
  const auto row = [](const Tensor& map, size_t channels) {
    const auto v = map.values<float>();
    return std::vector<float>(v.begin() + ptrdiff_t(7 * channels),
                              v.begin() + ptrdiff_t(14 * channels));
  };
  EXPECT_EQ(row(t.disks, 1), (std::vector<float>{0, 1, 1, 0, 0, 0, 0}));
  EXPECT_EQ(row(t.weights, 1), (std::vector<float>{1, 1, 1, 0, 0, 0, 1}));
  EXPECT_EQ(row(t.offsets, 2),
            (std::vector<float>{0, 0, 0.5f, 0, -0.5f, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(HeatmapFunctions, NameEverythingThatDoesNotFit) {
  Tape tape;
  const Var flat = tape.constant(Tensor::zeros({3, 4}));
  const Var empty = tape.constant(Tensor::zeros({1, 0, 4, 2}));
  const Var centre = tape.constant(Tensor::zeros({1, 3, 2}));
  const std::string two = error_of([&] { soft_argmax(flat, -1); });
  EXPECT_NE(two.find("rank 2"), std::string::npos) << two;
  EXPECT_NE(two.find("gain is -1"), std::string::npos) << two;
  EXPECT_NE(error_of([&] { spatial_softmax(empty); }).find("no pixels"), std::string::npos);
  EXPECT_NE(error_of([&] { spatial_moments(empty); }).find("no pixels"), std::string::npos);
  const std::string field = error_of([&] {
    field_moments(tape.constant(Tensor::zeros({1, 4, 4, 2})), map64({2}, {1, 2}));
  });
  EXPECT_NE(field.find("not one place to a pixel; field is f64"), std::string::npos) << field;
  EXPECT_NE(error_of([&] { field_moments(flat, flat.value()); }).find("p has rank 2"),
            std::string::npos);
  EXPECT_NE(error_of([&] { field_moments(empty, empty.value()); }).find("no pixels"),
            std::string::npos);
  const std::string sizes = error_of([&] { gaussian(centre, flat, flat, 4, 4); });
  EXPECT_NE(sizes.find("sigma has shape [3,4]"), std::string::npos) << sizes;
  EXPECT_NE(sizes.find("amplitude has shape [3,4]"), std::string::npos) << sizes;
  const std::string deviation = error_of([&] { isotropic_deviation(flat, 0); });
  EXPECT_NE(deviation.find("shape [3,4]; the aspect is 0"), std::string::npos) << deviation;
  const std::string targets = error_of([&] {
    gaussian_targets(Tensor::zeros({1, 2, 3, 2}), Tensor::zeros({1, 2}), 4, 4);
  });
  EXPECT_NE(targets.find("visible has shape [1,2]; visible is f32"), std::string::npos) << targets;
  const std::string disks = error_of([&] {
    disk_targets(Tensor::zeros({1, 2, 3, 2}), Tensor::zeros({1, 2}), 4, 0, -1);
  });
  EXPECT_NE(disks.find("visible has shape [1,2]; visible is f32; the map is 4x0; the radius is -1"),
            std::string::npos)
      << disks;
}

}  // namespace
}  // namespace cairn
