#include "training/keypoint_augmentation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/threads.h"
#include "tests/caught.h"

namespace cairn {
namespace {

const std::vector<int> mpii_swap{5, 4, 3, 2, 1, 0, 6, 7, 8, 9, 15, 14, 13, 12, 11, 10};
const std::vector<int> coco_swap{0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15};

LabelledPoint at(double x, double y) { return {x, y, Visibility::visible}; }

Instance three_points() {
  Instance i;
  i.points = {at(70, 40), at(30, 50), {}};
  i.box = {24.5, 34.5, 51, 21};
  i.area = 500;
  i.head = Box{60, 35, 10, 10};
  return i;
}
const std::vector<int> first_two{1, 0, 2};

// Every bell has a channel of its own.
Tensor dots(int64_t height, int64_t width, const std::vector<LabelledPoint>& points, double sigma) {
  Tensor image = Tensor::zeros({height, width, 3}, DType::u8);
  for (size_t c = 0; c < 3 && c < points.size(); ++c)
    if (points[c].v != Visibility::missing)
      for (int64_t y = 0; y < height; ++y)
        for (int64_t x = 0; x < width; ++x)
          image.data<uint8_t>()[(y * width + x) * 3 + int64_t(c)] =
              uint8_t(std::lround(250 * std::exp(-(std::pow(double(x) - points[c].x, 2) +
                                                   std::pow(double(y) - points[c].y, 2)) /
                                                 (2 * sigma * sigma))));
  return image;
}

Point centroid(const Tensor& image, int64_t channel) {
  double sum = 0;
  Point mean;
  for (int64_t y = 0; y < image.dim(0); ++y)
    for (int64_t x = 0; x < image.dim(1); ++x) {
      const double v = image.data<float>()[(y * image.dim(1) + x) * image.dim(2) + channel];
      sum += v;
      mean = mean + v * Point{double(x), double(y)};
    }
  return (1 / sum) * mean;
}

// What a sample shows of an image.
Tensor image_of(const Tensor& image, const KeypointSample& s, int64_t height, int64_t width) {
  return jittered(crop_image(image, s.to_crop, height, width), s.jitter);
}

KeypointAugmentation strong() {
  KeypointAugmentation o;
  o.rotation = 60;
  o.translation = 0.05;
  return o;
}

TEST(KeypointAugmentation, DotsAreFoundWhereThePointsWentAndAMirrorImageRenamesThem) {
  const Instance truth = three_points();
  const Tensor image = dots(100, 120, truth.points, 2.5);
  int mirrored = 0;
  for (uint64_t i = 0; i < 40; ++i) {
    const KeypointSample s = augmented(3, {&truth, 1}, first_two, frame_of(truth.box, 1.6, 96, 96),
                                       96, 96, strong(), Random(1, i));
    mirrored += s.mirrored;
    const Tensor shown = image_of(image, s, 96, 96);
    for (int channel : {0, 1}) {
      const Point seen = centroid(shown, channel);
      const LabelledPoint& p = s.instances[0].points[size_t(s.mirrored ? 1 - channel : channel)];
      EXPECT_NEAR(seen.x, p.x, 0.06) << i;
      EXPECT_NEAR(seen.y, p.y, 0.06) << i;
    }
    EXPECT_EQ(s.instances[0].points[2].v, Visibility::missing);
    EXPECT_EQ(s.instances[0].points[2].x, 0);
  }
  EXPECT_GT(mirrored, 8);
  EXPECT_LT(mirrored, 32);
}

TEST(KeypointAugmentation, PredictionsComeBackToTheImage) {
  const Instance truth = three_points();
  const Tensor image = dots(100, 120, truth.points, 2.5);
  for (uint64_t i = 0; i < 200; ++i) {
    KeypointAugmentation o = strong();
    o.flip = 0;
    const KeypointSample s =
        augmented(3, {&truth, 1}, first_two, frame_of(image, 64, 80), 64, 80, o, Random(2, i));
    const LabelledPoint& p = s.instances[0].points[0];
    const std::vector<ScoredPoint> predicted{{p.x, p.y, 0.7}};
    const ScoredPoint back = in_image(predicted, s.to_crop)[0];
    EXPECT_NEAR(back.x, 70, 1e-9);
    EXPECT_NEAR(back.y, 40, 1e-9);
    EXPECT_EQ(back.score, 0.7);
  }
}

TEST(KeypointAugmentation, SeedAndIndexFixASampleAndDifferentOnesDiffer) {
  const Instance truth = three_points();
  const Tensor image = dots(100, 120, truth.points, 8);
  KeypointAugmentation o = strong();
  o.colour = {0.2, 0.5, 20, 0.5, 0.2};
  o.occluders.probability = 1;
  o.noise = 5;
  const auto make = [&](uint64_t seed, uint64_t index) {
    return augmented(3, {&truth, 1}, first_two, frame_of(image, 48, 48), 48, 48, o,
                     Random(seed, index));
  };
  const KeypointSample a = make(3, 7), b = make(3, 7);
  EXPECT_EQ(image_of(image, a, 48, 48).values<float>(), image_of(image, b, 48, 48).values<float>());
  EXPECT_EQ(a.to_crop.m, b.to_crop.m);
  EXPECT_NE(a.to_crop.m, make(3, 8).to_crop.m);
  EXPECT_NE(a.to_crop.m, make(4, 7).to_crop.m);
  for (uint64_t i = 0; i < 30; ++i)
    for (float v : image_of(image, make(5, i), 48, 48).values<float>())
      ASSERT_TRUE(v >= 0 && v <= 1);
}

TEST(KeypointAugmentation, WithoutChangesTheSampleIsTheFrameItself) {
  const Instance truth = three_points();
  const Tensor image = dots(100, 120, truth.points, 2.5);
  const KeypointSample s = augmented(3, {&truth, 1}, {}, frame_of(image, 100, 120), 100, 120,
                                     KeypointAugmentation::none(), Random(0));
  const Tensor seen = image_of(image, s, 100, 120);
  for (int64_t i = 0; i < image.count(); ++i)
    ASSERT_FLOAT_EQ(seen.data<float>()[i], image.data<uint8_t>()[i] / 255.f);
  EXPECT_NEAR(s.instances[0].points[0].x, 70, 1e-12);
  EXPECT_NEAR(s.instances[0].area, 500, 1e-9);
}

TEST(KeypointAugmentation, BoxesEncloseTheirCornersAndAreasGrowWithTheSquareOfTheScale) {
  CropFrame f;
  f.centre = {50, 45};
  f.scale = 2;
  f.rotation = M_PI / 4;
  const Instance i = transformed(three_points(), to_crop(f, 101, 101));
  EXPECT_NEAR(i.area, 2000, 1e-9);
  const double side = std::sqrt(2.0) * (51 + 21);  // 2 (51 + 21) cos 45 degrees
  EXPECT_NEAR(i.box.width, side, 1e-9);
  EXPECT_NEAR(i.box.height, side, 1e-9);
  EXPECT_NEAR(i.box.x + side / 2, 50, 1e-9);
  EXPECT_NEAR(i.box.y + side / 2, 50, 1e-9);
  EXPECT_NEAR(i.head->width, 2 * std::sqrt(2.0) * 10, 1e-9);
}

TEST(KeypointAugmentation, ExchangingSidesTwiceGivesThePointsBack) {
  for (const std::vector<int>& swap : {mpii_swap, coco_swap}) {
    Instance i;
    for (size_t k = 0; k < swap.size(); ++k) i.points.push_back(at(double(k), 0));
    exchange_sides(i, swap);
    for (size_t k = 0; k < swap.size(); ++k) EXPECT_EQ(i.points[k].x, swap[k]);
    exchange_sides(i, swap);
    for (size_t k = 0; k < swap.size(); ++k) EXPECT_EQ(i.points[k].x, double(k));
  }
}

TEST(KeypointAugmentation, AMirrorImageWithoutATableOfPartnersIsAnError) {
  Instance i = three_points();
  const std::string said = wrong([&] { exchange_sides(i, {1, 0}); });
  EXPECT_NE(said.find("3 points"), std::string::npos) << said;
  EXPECT_NE(said.find("right 2"), std::string::npos) << said;
}

TEST(KeypointAugmentation, PointsThatLeaveTheCropKeepTheirCoordinatesAndCanBeDropped) {
  std::vector<Instance> instances(1);
  instances[0].points = {at(-0.6, 5), at(-0.4, 5), at(5, 9.6), at(5, 9.4), at(19.6, 5)};
  drop_points_outside(instances, 10, 20);
  std::vector<int> v;
  for (const LabelledPoint& p : instances[0].points) v.push_back(int(p.v));
  EXPECT_EQ(v, (std::vector<int>{0, 2, 0, 2, 0}));
  EXPECT_EQ(instances[0].points[0].x, -0.6);
}

TEST(Occluders, CoverWhatTheySayAndHideThePointsUnderThem) {
  Instance truth = three_points();
  truth.points[1].v = Visibility::hidden;
  const Tensor image = Tensor::full({100, 120, 3}, 1, DType::u8);  // no patch has this colour
  KeypointAugmentation o = KeypointAugmentation::none();
  o.occluders.probability = 1;
  o.occluders.side_high = 0.9;
  int hidden = 0, kept = 0;
  for (uint64_t i = 0; i < 200; ++i) {
    const KeypointSample s =
        augmented(3, {&truth, 1}, first_two, frame_of(image, 100, 120), 100, 120, o, Random(6, i));
    const Tensor seen = image_of(image, s, 100, 120);
    const float* pixel = seen.data<float>() + (40 * 120 + 70) * 3;
    const bool covered = std::abs(pixel[0] - 1 / 255.f) > 1e-6;
    ASSERT_EQ(s.instances[0].points[0].v == Visibility::hidden, covered) << i;
    EXPECT_EQ(s.instances[0].points[1].v, Visibility::hidden);
    EXPECT_EQ(s.instances[0].points[2].v, Visibility::missing);
    (covered ? hidden : kept)++;
  }
  EXPECT_GT(hidden, 20);
  EXPECT_GT(kept, 20);
  o.occluders.hide_points = false;
  for (uint64_t i = 0; i < 50; ++i)
    EXPECT_EQ(
        augmented(3, {&truth, 1}, first_two, frame_of(image, 100, 120), 100, 120, o, Random(6, i))
            .instances[0]
            .points[0]
            .v,
        Visibility::visible);
}

// `crop` with colours drawn from a range, in 0..255.
Tensor recoloured(const Tensor& crop, const ColourJitter& range, Random random) {
  JitterDraw draw;
  draw_colours(range, int(crop.dim(2)), random, draw);
  Tensor image = jittered(crop, draw);
  for (int64_t i = 0; i < image.count(); ++i) image.data<float>()[i] *= 255;
  return image;
}

TEST(ColourJitter, SaturationHueContrastBrightnessAndGainDoWhatTheirNamesSay) {
  const Tensor crop = Tensor::from<uint8_t>({1, 2, 3}, {200, 100, 60, 40, 80, 120});
  const auto was = [&](int i) { return float(crop.data<uint8_t>()[i]); };
  const auto grey = [](const float* v) { return (v[0] + v[1] + v[2]) / 3; };
  for (uint64_t i = 0; i < 50; ++i) {
    const Random random(1, i);
    const Tensor turned = recoloured(crop, {.saturation = 0.1, .hue = 10}, random);
    EXPECT_NEAR(grey(turned.data<float>()), 120, 1e-4);  // greys stay
    EXPECT_NEAR(grey(turned.data<float>() + 3), 80, 1e-4);
    const Tensor brighter = recoloured(crop, {.brightness = 0.1}, random);
    const float added = brighter.data<float>()[0] - 200;
    EXPECT_LE(std::abs(added), 25.5);
    EXPECT_NEAR(brighter.data<float>()[5] - 120, added, 1e-4);
    const Tensor sharper = recoloured(crop, {.contrast = 0.2}, random);
    const float factor = (sharper.data<float>()[0] - 100) / 100;  // the mean grey is 100
    EXPECT_NEAR(sharper.data<float>()[2], 100 - 40 * factor, 1e-3);
    EXPECT_LE(std::abs(factor - 1), 0.2);
    const Tensor tinted = recoloured(crop, {.gain = 0.2}, random);
    for (int k = 0; k < 3; ++k)
      EXPECT_NEAR(tinted.data<float>()[k] * was(k + 3), tinted.data<float>()[k + 3] * was(k), 0.1);
  }
  const Tensor same = recoloured(crop, {}, Random(1));
  for (int k = 0; k < 6; ++k) EXPECT_NEAR(same.data<float>()[k], was(k), 1e-3);
}

TEST(ColourJitter, AThirdOfAFullTurnSendsRedToGreenOrBlue) {
  const Tensor crop = Tensor::from<uint8_t>({1, 2, 3}, {150, 100, 100, 100, 150, 100});
  for (uint64_t i = 0; i < 20; ++i) {
    // A hue drawn from +-120 degrees; the angle is read off and must turn all colours alike.
    const Tensor image = recoloured(crop, {.hue = 120}, Random(2, i));
    const float* v = image.data<float>();
    for (int k = 0; k < 3; ++k) EXPECT_NEAR(v[k], v[3 + (k + 1) % 3], 1e-3);
    const double spread = std::hypot(v[0] - 350 / 3., v[1] - 350 / 3., v[2] - 350 / 3.);
    EXPECT_NEAR(spread, 50 * std::sqrt(2 / 3.), 1e-3);  // no more and no less colourful
  }
}

TEST(ColourJitter, AGreyImageIsChangedAndOtherShapesAreRefused) {
  const Tensor grey = Tensor::full({4, 4, 1}, 100, DType::u8);
  const Tensor changed = recoloured(
      grey, {.gain = 0.3, .saturation = 0.5, .hue = 40, .contrast = 0.3, .brightness = 0.2},
      Random(1));
  EXPECT_GT(std::abs(changed.data<float>()[0] - 100), 1);
  const Tensor two = Tensor::full({4, 4, 2}, 100, DType::u8), real = Tensor::zeros({4, 4, 3});
  EXPECT_NE(wrong([&] { jittered(two, {}); }).find("[4,4,2]"), std::string::npos);
  EXPECT_THROW(jittered(real, {}), Error);
}

}  // namespace
}  // namespace cairn
