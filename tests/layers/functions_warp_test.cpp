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

// Maps of two images, each part well away from the identity.
PointWarp some_warp(DType type = DType::f64) {
  const Tensor control =
      Tensor::from<double>({2, 4, 2}, {-1, -1, 1, -1, -1, 1, 1, 1, -1, -1, 1, -1, -1, 1, 1, 1});
  const Tensor theta = Tensor::from<double>(
      {2, 7, 2}, {.02, -.01, -.02, .01, -.02,  .01, .02, -.01, 0,    0,   1,   0,   0,   1,
                  0,   .03,  .01,  0,   -.015, .01, .02, 0,    -.05, .02, .95, .03, .04, 1.1});
  const Tensor affine =
      Tensor::from<double>({2, 2, 3}, {.9, .2, .1, -.2, .9, -.05, 1.2, 0, -.1, .1, .8, .05});
  return PointWarp{control, theta, affine}.to(type);
}

PointWarp identity_warp(int64_t N) {
  Tensor eye = Tensor::zeros({N, 3, 2}, DType::f64), affine = Tensor::zeros({N, 2, 3}, DType::f64);
  for (int64_t n = 0; n < N; ++n) {
    eye.data<double>()[6 * n + 2] = eye.data<double>()[6 * n + 5] = 1;
    affine.data<double>()[6 * n] = affine.data<double>()[6 * n + 4] = 1;
  }
  return {Tensor::empty({N, 0, 2}, DType::f64), eye, affine};
}

TEST(WarpSmoothly, TheIdentityReproducesTheImage) {
  const Tensor image = random_image({2, 7, 9, 3});
  EXPECT_LT(largest_difference(warp_smoothly(image, identity_warp(2)), image), 1e-12);
  const Tensor small = image.to(DType::f32);
  EXPECT_LT(largest_difference(warp_smoothly(small, identity_warp(2).to(DType::f32)).to(DType::f64),
                               image),
            1e-5);
}

TEST(WarpSmoothly, ShowsTheBorderPixelsBeyondTheBorder) {
  PointWarp away = identity_warp(1);
  away.affine.data<double>()[2] = 2;  // a whole image to the left
  const Tensor image = random_image({1, 5, 6, 1}), y = warp_smoothly(image, away);
  for (int64_t i = 0; i < 30; ++i)
    EXPECT_EQ(y.data<double>()[i], image.data<double>()[i / 6 * 6 + 5]);
}

TEST(WarpSmoothly, TheGridHoldsThePixelCentresThroughTheMap) {
  const PointWarp warp = some_warp();
  Tensor centres = Tensor::empty({2, 5 * 7, 2}, DType::f64);
  for (int64_t i = 0; i < 2 * 35; ++i) {
    centres.data<double>()[2 * i] = (double(i % 7) + .5) / 7;
    centres.data<double>()[2 * i + 1] = (double(i / 7 % 5) + .5) / 5;
  }
  Tape tape;
  const Tensor grid = warped_grid(warp, 5, 7);
  EXPECT_EQ(grid.shape(), (Shape{2, 5, 7, 2}));
  EXPECT_EQ(largest_difference(grid, warp_points(tape.constant(centres), warp).value()), 0);
}

// The dot is drawn where the point of I' leads: I'(p') = I(g(p')).
TEST(WarpSmoothly, ADotIsFoundAtThePointThatLeadsToIt) {
  const int64_t side = 80;
  const Tensor seen = Tensor::from<double>({2, 1, 2}, {.4, .55, .62, .4});
  for (Device device : available_devices()) {
    const DType type = device == Device::cpu ? DType::f64 : DType::f32;
    const PointWarp warp = some_warp(type).to(device);
    Tape tape;
    const auto dot = warp_points(tape.constant(seen.to(type).to(device)), warp)
                         .value()
                         .to(DType::f64)
                         .values<double>();
    Tensor image = Tensor::empty({2, side, side, 1}, DType::f64);
    for (int64_t i = 0; i < image.count(); ++i) {
      const double* at = &dot[2 * (i / (side * side))];
      const double x = (double(i % side) + .5) / side - at[0];
      const double y = (double(i / side % side) + .5) / side - at[1];
      image.data<double>()[i] = std::exp(-(x * x + y * y) * 800);
    }
    const auto found =
        warp_smoothly(image.to(type).to(device), warp).to(DType::f64).values<double>();
    for (int64_t n = 0; n < 2; ++n) {
      double sum = 0, x = 0, y = 0;
      for (int64_t i = 0; i < side * side; ++i) {
        const double v = std::pow(found[n * side * side + i], 4);  // its brightest part
        sum += v;
        x += v * (double(i % side) + .5) / side;
        y += v * (double(i / side) + .5) / side;
      }
      EXPECT_NEAR(x / sum, seen.data<double>()[2 * n], 0.1 / side) << device;
      EXPECT_NEAR(y / sum, seen.data<double>()[2 * n + 1], 0.1 / side) << device;
    }
  }
}

TEST(WarpPoints, AScalingKeepsTheCentre) {
  Tape tape;
  const Tensor points = Tensor::from<double>({2, 2, 2}, {.5, .5, 1, 0, 0, 1, .7, .7});
  const auto y =
      warp_points(tape.constant(points), scaling_warp(2, .5, 2, points)).value().values<double>();
  const std::vector<double> want{.5, .5, .75, -.5, .25, 1.5, .6, .9};
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(y[i], want[i], 1e-12);
}

TEST(WarpPoints, ItsGradientReachesThePoints) {
  const auto sum = [](const Tensor& t) {
    double total = 0;
    for (double v : t.values<double>()) total += v;
    return total;
  };
  const auto value = [&](double moved) {
    Tape tape;
    return sum(
        warp_points(tape.constant(Tensor::full({2, 3, 2}, .3 + moved, DType::f64)), some_warp())
            .value());
  };
  Tape tape;
  const Var points = tape.leaf(Tensor::full({2, 3, 2}, .3, DType::f64));
  const Var y = warp_points(points, some_warp());
  tape.backward(y, Tensor::full(y.shape(), 1, DType::f64));
  EXPECT_NEAR(sum(points.grad()), (value(1e-6) - value(-1e-6)) / 2e-6, 1e-7);
}

TEST(WarpPoints, NamesEverythingThatDoesNotFit) {
  Tape tape;
  const Var points = tape.constant(Tensor::zeros({3, 6, 2}, DType::f64));
  PointWarp warp = some_warp();
  const std::string three = error_of([&] { warp_points(points, warp); });
  EXPECT_NE(three.find("theta has shape [2,7,2]; control points of 2 images for 3; the affine maps "
                       "have shape [2,2,3]"),
            std::string::npos)
      << three;
  EXPECT_NE(error_of([&] {
              warp_points(tape.constant(Tensor::zeros({2, 6, 3})), warp);
            }).find("the points have shape [2,6,3]; points is f32, theta is f64"),
            std::string::npos);
  EXPECT_NE(error_of([&] { warped_grid(warp, 0, 4); }).find("the grid is 0x4"), std::string::npos);
  EXPECT_NE(error_of([&] {
              warp_smoothly(Tensor::zeros({2, 0, 4, 1}, DType::f64), warp);
            }).find("the image has no pixels"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              warp_smoothly(Tensor::zeros({4, 4, 1}), warp);
            }).find("the image has rank 3; image is f32, theta is f64"),
            std::string::npos);
  warp.control = warp.control.to(DType::f32);
  warp.affine = Tensor();
  const std::string parts = error_of([&] { warped_grid(warp, 4, 4); });
  EXPECT_NE(parts.find("control is f32, theta is f64; affine is f32"), std::string::npos) << parts;
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

TEST(PadBorder, TheGroundHasTheMeanColourOfTheBorder) {
  // The middle pixel of 3 x 3 does not count.
  const Tensor x = Tensor::from<float>({1, 3, 3, 1}, {1, 1, 1, 1, 100, 3, 3, 3, 3});
  const Tensor y = pad_border(x, 2);
  ASSERT_EQ(y.shape(), (Shape{1, 7, 7, 1}));
  EXPECT_FLOAT_EQ(y.data<float>()[0], 2);
  EXPECT_FLOAT_EQ(y.data<float>()[3 * 7 + 3], 100);
  EXPECT_FLOAT_EQ(y.data<float>()[2 * 7 + 2], 1);
}

TEST(PadBorder, NamesWhatDoesNotFit) {
  EXPECT_NE(error_of([] {
              pad_border(Tensor::zeros({1, 0, 3, 3}), -1);
            }).find("the padding is -1"),
            std::string::npos);
  EXPECT_NE(error_of([] {
              pad_border(Tensor::zeros({1, 2, 3, 3}, DType::u8), 1);
            }).find("x is u8"),
            std::string::npos);
}

}  // namespace
}  // namespace cairn
