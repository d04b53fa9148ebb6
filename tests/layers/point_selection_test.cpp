#include "layers/point_selection.h"

#include <gtest/gtest.h>

#include "kernels/heatmap/detector_heatmap.h"
#include "runtime/error.h"
#include "runtime/random.h"

namespace cairn {
namespace {

// A 20 x 30 map with single bright pixels {x, y, score}.
Tensor map_of(const std::vector<std::array<double, 3>>& peaks) {
  Tensor heat = Tensor::zeros({1, 20, 30});
  for (const auto& p : peaks) heat.data<float>()[int(p[1]) * 30 + int(p[0])] = float(p[2]);
  return heat;
}

TEST(PointSelection, ReturnsWhatSurvivesSuppressionThresholdAndBorderBestFirst) {
  const Tensor heat = map_of({{10, 10, 0.5},     // stays
                              {14, 10, 0.4},     // deleted by the one above
                              {15, 10, 0.3},     // one pixel farther: stays
                              {20, 4, 0.9},      // stays, just inside the border
                              {3, 12, 0.8},      // in the border
                              {6, 12, 0.7},      // deleted by the one in the border
                              {25, 15, 0.01}});  // below the threshold
  for (Device device : available_devices()) {
    const BestPeaks best = select_points(heat.to(device));
    ASSERT_EQ(best.count.item(), 3) << device;
    const auto points = best.point.to(Device::cpu).values<float>();
    EXPECT_EQ(std::vector<float>(points.begin(), points.begin() + 6),
              (std::vector<float>{20, 4, 10, 10, 15, 10}));
    EXPECT_EQ(best.score.to(Device::cpu).values<float>()[2], 0.3f);
    EXPECT_EQ(best.index.to(Device::cpu).values<int32_t>()[3], -1);
  }
}

TEST(PointSelection, OfLogitsIsThatOfTheirHeatmapToTheBit) {
  Random random(1);
  Tensor drawn = Tensor::empty({2, 7, 11, 65});
  for (int64_t i = 0; i < drawn.count(); ++i) drawn.data<float>()[i] = float(random.normal());
  PointOptions options;
  options.nms_radius = 2;
  options.border = 0;
  options.top_k = 60;
  options.refinement = Refinement::quadratic;
  for (Device device : available_devices()) {
    const Tensor logits = drawn.to(device);
    Tensor heat = logits.empty_like({2, 56, 88});
    detector_heatmap(logits, heat);
    const BestPeaks want = select_points(heat, options),
                    got = select_detector_points(logits, options);
    EXPECT_EQ(got.count.values<int32_t>(), std::vector<int32_t>(2, 60)) << device;
    EXPECT_EQ(got.index.values<int32_t>(), want.index.values<int32_t>()) << device;
    EXPECT_EQ(got.score.values<float>(), want.score.values<float>()) << device;
    EXPECT_EQ(got.point.values<float>(), want.point.values<float>()) << device;
  }
}

TEST(PointSelection, TopKKeepsTheBest) {
  PointOptions options;
  options.top_k = 1;
  const BestPeaks best = select_points(map_of({{5, 10, 0.2}, {15, 10, 0.6}}), options);
  EXPECT_EQ(best.count.item(), 1);
  EXPECT_EQ(best.point.values<float>(), (std::vector<float>{15, 10}));
}

TEST(PointSelection, AFullMapHasRoomForEveryPointThatCanStay) {
  PointOptions options;
  options.nms_radius = 1;
  options.border = 0;
  const BestPeaks best = select_points(Tensor::full({1, 5, 7}, 1), options);
  EXPECT_EQ(best.count.item(), 3 * 4);
}

TEST(PointSelection, EveryOptionOutOfRangeIsNamed) {
  PointOptions options;
  options.top_k = 0;
  options.threshold = -1;
  try {
    select_points(Tensor::zeros({2, 3}), options);
    FAIL();
  } catch (const Error& e) {
    for (const char* part : {"rank 2", "top_k is 0", "threshold is -1"})
      EXPECT_NE(e.wrong.find(part), std::string::npos) << part;
  }
}

}  // namespace
}  // namespace cairn
