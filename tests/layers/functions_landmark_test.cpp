#include "layers/functions_landmark.h"

#include "layers/functions_elementwise.h"
#include "layers/functions_heatmap.h"
#include "tests/caught.h"
#include "tests/layers/gradient_check.h"

namespace cairn {
namespace {

Tensor map64(const Shape& shape, const std::vector<double>& values) {
  return Tensor::from<double>(shape, values);
}

void expect_parts(const std::string& message, const std::vector<const char*>& parts) {
  for (const char* part : parts)
    EXPECT_NE(message.find(part), std::string::npos) << part << " in: " << message;
}

TEST(MaskPool, AFlatMaskGivesTheMeanAndOneOfASinglePixelItsFeatures) {
  Tape tape;
  const Var mask = tape.constant(map64({1, 1, 3, 2}, {1, 0, 1, 5, 1, 0}));
  const Var features = tape.constant(map64({1, 1, 3, 2}, {1, 4, 2, 5, 6, 0}));
  const auto pooled = mask_pool(mask, features).value().values<double>();
  const std::vector<double> want{3, 3, 2, 5};
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(pooled[i], want[i], 2e-6);
}

TEST(MaskPool, ADeadMaskPoolsZeros) {
  Tape tape;
  const Var pooled = mask_pool(tape.constant(Tensor::zeros({2, 3, 4, 1}, DType::f64)),
                               tape.constant(Tensor::full({2, 3, 4, 5}, 7, DType::f64)));
  for (double v : pooled.value().values<double>()) EXPECT_EQ(v, 0);
}

TEST(MaskPool, NamesEverythingThatDoesNotFit) {
  Tape tape;
  const Var mask = tape.constant(Tensor::zeros({1, 4, 5, 3}));
  EXPECT_EQ(wrong([&] {
              mask_pool(tape.constant(Tensor::zeros({4, 5})), mask);
            }),
            "the mask has rank 2 (mask [4,5], features [1,4,5,3])");
  expect_parts(wrong([&] {
                 mask_pool(mask, tape.constant(Tensor::zeros({2, 4, 6, 1}, DType::f64)));
               }),
               {"dimension 0 is 1 in the mask, 2 in the features; dimension 2 is 5 in the mask, 6",
                "features is f64, mask is f32"});
  const Var empty = tape.constant(Tensor::zeros({1, 0, 5, 3}));
  expect_parts(wrong([&] { mask_pool(empty, empty); }), {"the mask has no pixels"});
}

TEST(GroupedLinear, EveryGroupHasItsWeightsAndTheBiasIsShared) {
  Tape tape;
  const Var x = tape.leaf(map64({1, 2, 2}, {1, 2, 3, 4}));
  const Var w = tape.leaf(map64({2, 1, 2}, {1, 10, 100, 1000})), b = tape.leaf(map64({1}, {0.5}));
  const Var y = grouped_linear(x, w, b);
  EXPECT_EQ(y.value().values<double>(), (std::vector<double>{21.5, 4300.5}));
  tape.backward(y, map64({1, 2, 1}, {2, 3}));
  EXPECT_EQ(x.grad().values<double>(), (std::vector<double>{2, 20, 300, 3000}));
  EXPECT_EQ(w.grad().values<double>(), (std::vector<double>{2, 4, 9, 12}));
  EXPECT_EQ(b.grad().values<double>(), (std::vector<double>{5}));
  EXPECT_EQ(grouped_linear(x, w, Var()).value().values<double>(), (std::vector<double>{21, 4300}));
}

TEST(GroupedLinear, NamesEverythingThatDoesNotFit) {
  Tape tape;
  const Var x = tape.constant(Tensor::zeros({5, 3, 4}));
  EXPECT_EQ(wrong([&] {
              grouped_linear(x, tape.constant(Tensor::zeros({3, 4})), Var());
            }),
            "the weight has rank 2 (x [5,3,4], weight [3,4])");
  expect_parts(wrong([&] {
                 grouped_linear(x, tape.constant(Tensor::zeros({2, 7, 6}, DType::f64)),
                                tape.constant(Tensor::zeros({8})));
               }),
               {"x has 3 groups, the weight 2", "x has 4 inputs, the weight takes 6",
                "weight is f64, x is f32", "the bias has shape [8] for 7 outputs"});
}

TEST(GaussianUnpool, SpreadsValuesByItsMapsWithTheirGradients) {
  const int64_t N = 2, K = 3, S = 4, H = 6, W = 9, maps = K + 1, row = maps + S;
  const std::vector<GaussianWidth> widths{{0.1}, {0.3, 2}};
  Tensor centre = normal64({N, K, 2}, 1);
  for (int64_t i = 0; i < centre.count(); ++i)
    centre.data<double>()[i] = 0.5 + 0.3 * centre.data<double>()[i];
  const Tensor values = normal64({N, maps, S}, 2), dy = normal64({N, H, W, 2 * row}, 3);

  Tape fused;
  const Var c = fused.leaf(centre), v = fused.leaf(values);
  const Var y = gaussian_unpool(c, v, widths, H, W);
  fused.backward(y, dy);

  Tape composed;
  const Var points = composed.leaf(centre);
  const Var nothing = composed.constant(Tensor::zeros({N, maps, 0}, DType::f64));
  const Var D = gaussian_unpool(points, nothing, widths, H, W);
  Tensor dD = D.value().empty_like(), dvalues = Tensor::zeros(values.shape(), DType::f64);
  for (int64_t r = 0; r < N * H * W * 2; ++r) {
    const int64_t first = r / (H * W * 2) * maps * S;
    const double* const weights = D.value().data<double>() + r * maps;
    const double *got = y.value().data<double>() + r * row, *up = dy.data<double>() + r * row;
    std::vector<double> F(S);
    for (int64_t k = 0; k < maps; ++k) {
      const double* const of_k = values.data<double>() + first + k * S;
      double slope = up[k];
      for (int64_t s = 0; s < S; ++s) {
        F[s] += weights[k] * of_k[s];
        slope += up[maps + s] * of_k[s];
        dvalues.data<double>()[first + k * S + s] += weights[k] * up[maps + s];
      }
      dD.data<double>()[r * maps + k] = slope;
      EXPECT_NEAR(got[k], weights[k], 1e-12);
    }
    for (int64_t s = 0; s < S; ++s) EXPECT_NEAR(got[maps + s], F[s], 1e-12);
  }
  composed.backward(D, dD);
  const auto expect_near = [](const Tensor& got, const Tensor& want) {
    for (int64_t i = 0; i < want.count(); ++i)
      EXPECT_NEAR(got.data<double>()[i], want.data<double>()[i], 1e-9);
  };
  expect_near(c.grad(), points.grad());
  expect_near(v.grad(), dvalues);
}

TEST(GaussianUnpool, NamesEverythingThatDoesNotFit) {
  Tape tape;
  const Var centre = tape.constant(Tensor::zeros({1, 3, 2}));
  const Var values = tape.constant(Tensor::zeros({1, 4, 5}));
  EXPECT_EQ(wrong([&] { gaussian_unpool(values, centre, {{0.1}}, 4, 4); }),
            "centre has shape [1,4,5] (centre [1,4,5], values [1,3,2])");
  expect_parts(
      wrong([&] {
        gaussian_unpool(centre, tape.constant(Tensor::zeros({2, 3, 5}, DType::f64)),
                        {{0.1, 0}, {-1}}, 4, 0);
      }),
      {"centre has 1 images, the values 2", "3 values are for 3 points and the background",
       "values is f64, centre is f32", "a width is -1", "a background is 0", "the map is 4x0"});
  expect_parts(wrong([&] { gaussian_unpool(centre, values, {}, 4, 4); }), {"0 widths"});
  expect_parts(
      wrong([&] { gaussian_unpool(centre, values, std::vector<GaussianWidth>(17, {0.1}), 4, 4); }),
      {"17 widths"});
}

}  // namespace
}  // namespace cairn
