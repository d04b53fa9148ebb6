#include "layers/functions_warp.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/random.h"
#include "tests/caught.h"

namespace cairn {
namespace {

Tensor random_image(const Shape& shape) {
  Tensor x = Tensor::empty(shape, DType::f64);
  Random random(5);
  for (int64_t i = 0; i < x.count(); ++i) x.data<double>()[i] = random.normal();
  return x;
}

// The grid that samples each pixel of H x W at its own place.
Tensor identity_grid(int64_t H, int64_t W, Coordinates coordinates) {
  Tensor grid = Tensor::empty({1, H, W, 2}, DType::f64);
  const AxisMap<double> x(coordinates, W), y(coordinates, H);
  for (int64_t i = 0; i < H * W; ++i) {
    grid.data<double>()[2 * i] = (double(i % W) - x.offset) / x.scale;
    grid.data<double>()[2 * i + 1] = (double(i / W) - y.offset) / y.scale;
  }
  return grid;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  double largest = 0;
  const auto x = a.values<double>(), y = b.values<double>();
  for (size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(x[i] - y[i]));
  return largest;
}

TEST(GridSample, GivesTheGoldenValues) {
  Tensor image = Tensor::empty({1, 3, 4, 1}, DType::f64);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 4; ++j) image.data<double>()[i * 4 + j] = 10 * i + j;
  const Tensor grid = Tensor::from<double>({1, 1, 5, 2}, {0, 0, .3, -.4, -.9, .95, 1, 1, 1.2, 0});
  const std::vector<std::pair<SampleOptions, std::vector<double>>> golden = {
      {{Coordinates::ndc, Padding::zeros}, {11.5, 6.1, 8.05, 5.75, 1.3}},
      {{Coordinates::ndc, Padding::border}, {11.5, 6.1, 20, 23, 13}},
      {{Coordinates::ndc_corners, Padding::zeros}, {11.5, 7.95, 19.65, 23, 9.1}},
      {{Coordinates::ndc_corners, Padding::border}, {11.5, 7.95, 19.65, 23, 13}}};
  for (const auto& [options, want] : golden) {
    Tape tape;
    const auto got =
        grid_sample(tape.constant(image), tape.constant(grid), options).value().values<double>();
    for (size_t i = 0; i < want.size(); ++i)
      EXPECT_NEAR(got[i], want[i], 1e-6)
          << "point " << i << ", coordinates " << int(options.coordinates) << ", padding "
          << int(options.padding);
  }
}

TEST(GridSample, TheIdentityGridReproducesTheImageInEveryConvention) {
  const Tensor image = random_image({1, 7, 9, 2});
  for (auto c :
       {Coordinates::index, Coordinates::unit, Coordinates::ndc, Coordinates::ndc_corners}) {
    Tape tape;
    const Var y = grid_sample(tape.constant(image), tape.constant(identity_grid(7, 9, c)),
                              {c, Padding::border});
    EXPECT_LT(largest_difference(y.value(), image), 1e-12) << "coordinates " << int(c);
  }
}

TEST(GridSample, AGridOfTheOtherAlignmentDoesNotReproduceTheImage) {
  const Tensor image = random_image({1, 7, 9, 2});
  Tape tape;
  const Var y = grid_sample(tape.constant(image),
                            tape.constant(identity_grid(7, 9, Coordinates::ndc_corners)),
                            {Coordinates::ndc, Padding::border});
  EXPECT_GT(largest_difference(y.value(), image), 0.1);
}

TEST(GridSample, ItsGradientsReachImageAndGrid) {
  Tape tape;
  const Var image = tape.leaf(random_image({1, 4, 5, 3}));
  const Var grid = tape.leaf(Tensor::full({1, 2, 3, 2}, 0.45, DType::f64));
  const Var y = grid_sample(image, grid, {});
  tape.backward(y, Tensor::full(y.shape(), 1, DType::f64));
  double sum = 0;
  for (double g : image.grad().values<double>()) sum += g;
  EXPECT_NEAR(sum, 2 * 3 * 3, 1e-9) << "the four weights of a sample add up to 1";
  EXPECT_EQ(grid.grad().shape(), (Shape{1, 2, 3, 2}));
}

// Where the brightest pixel is, (x, y).
std::pair<int64_t, int64_t> brightest(const Tensor& image) {
  const auto v = image.values<double>();
  const int64_t at = std::max_element(v.begin(), v.end()) - v.begin();
  return {at % image.dim(2), at / image.dim(2)};
}

TEST(WarpImage, TheIdentityReproducesTheImage) {
  const Tensor image = random_image({1, 7, 9, 2});
  const Tensor identity = Tensor::from<double>({1, 3, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1});
  Tensor valid;
  EXPECT_EQ(largest_difference(warp_image(image, identity, 7, 9, {}, &valid), image), 0);
  for (uint8_t v : valid.values<uint8_t>()) EXPECT_EQ(v, 1);
}

TEST(WarpImage, ABrightDotIsFoundWhereTheMatrixSendsIt) {
  // Output (x, y) reads input (2x + 3, y + x/2 + 1) / (1 + x/100).
  const Tensor m = Tensor::from<double>({1, 3, 3}, {2, 0, 3, .5, 1, 1, .01, 0, 1});
  const int64_t x = 14, y = 9;
  const double w = 1 + 0.14;
  Tensor image = Tensor::zeros({1, 40, 50, 1}, DType::f64);
  const auto column = int64_t(std::lround((2 * x + 3) / w));
  const auto row = int64_t(std::lround((y + 7 + 1) / w));
  image.data<double>()[row * 50 + column] = 1;
  EXPECT_EQ(brightest(warp_image(image, m, 40, 50)), std::make_pair(x, y));
  EXPECT_EQ(brightest(warp_image(image, m, 40, 50, {Interpolation::nearest, Padding::zeros})),
            std::make_pair(x, y));
}

TEST(WarpImage, AHalfTurnMapsEveryCornerPixelToTheOppositeOne) {
  const Tensor image = random_image({1, 4, 6, 1});
  const Tensor m = Tensor::from<double>({1, 3, 3}, {-1, 0, 5, 0, -1, 3, 0, 0, 1});
  const auto in = image.values<double>(), out = warp_image(image, m, 4, 6).values<double>();
  for (size_t i = 0; i < in.size(); ++i) EXPECT_EQ(out[i], in[in.size() - 1 - i]);
}

TEST(WarpFunctions, NameEverythingThatDoesNotFit) {
  Tape tape;
  const Var image = tape.constant(Tensor::zeros({2, 4, 5, 3}));
  const Var points = tape.constant(Tensor::zeros({3, 6, 2}));
  EXPECT_NE(error_of([&] { sample_points(image, points); }).find("points of 3 images for 2"),
            std::string::npos);
  EXPECT_NE(error_of([&] { grid_sample(image, points, {}); }).find("shape [3,6,2]"),
            std::string::npos);
  const std::string both = error_of([&] {
    warp_image(image.value(), Tensor::zeros({2, 2, 3}, DType::i32), 4, 0);
  });
  EXPECT_NE(both.find("the matrices have shape [2,2,3]; the matrices are i32"), std::string::npos)
      << both;
  EXPECT_NE(both.find("the output is 4x0"), std::string::npos) << both;
}

}  // namespace
}  // namespace cairn
