#include "models/instance_detection.h"

#include <gtest/gtest.h>

#include "models/model.h"
#include "tests/caught.h"

namespace cairn {
namespace {

// Finds the brightest pixel.
class Brightest : public Model {
 public:
  std::string architecture() const override { return "brightest"; }
  Options options() const override { return {}; }
  int channels() const override { return 1; }
  int size_multiple() const override { return 16; }
  void visit(Visitor&) override {}
  std::map<std::string, InputSpec> loss_inputs(int64_t, int64_t, int64_t) const override {
    return {};
  }
  Loss loss(Tape&, const Batch&) override { return {}; }
  std::map<std::string, Tensor> raw_outputs(const Tensor&) override { return {}; }
  std::vector<Tensor> detect_on_device(const Tensor& image, const DetectOptions&) override {
    return {image};
  }
  std::vector<Keypoints> keypoints_from(const std::vector<Tensor>& found,
                                        const Shape& image) const override {
    const std::vector<float> v = found[0].values<float>();
    const int64_t best = std::max_element(v.begin(), v.end()) - v.begin();
    Keypoints k;
    k.points = {{float(best % image[2]), float(best / image[2])}};
    k.scores = {v[size_t(best)]};
    return {k};
  }
};

Tensor two_dots() {
  Tensor image = Tensor::zeros({200, 300, 1}, DType::u8);
  for (const auto& [x, y] : {std::pair{60, 50}, {220, 130}})
    for (int dy = -1; dy <= 1; ++dy)
      for (int dx = -1; dx <= 1; ++dx)
        image.data<uint8_t>()[(y + dy) * 300 + x + dx] = dx || dy ? 100 : 250;
  return image;
}

TEST(InstanceDetection, FindsThePointOfEachBoxInPixelsOfTheImage) {
  Brightest model;
  Detector detector(model);
  const std::vector<Box> boxes{{39.5, 29.5, 50, 30}, {199.5, 109.5, 40, 60}};
  const CropRule rule{60, 80, 1.25};  // sides that the network has to be padded for
  const std::vector<Keypoints> found = detect_in_boxes(detector, two_dots(), boxes, rule);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_NEAR(found[0].points[0][0], 60, 0.6);
  EXPECT_NEAR(found[0].points[0][1], 50, 0.6);
  EXPECT_NEAR(found[1].points[0][0], 220, 0.6);
  EXPECT_NEAR(found[1].points[0][1], 130, 0.6);
  EXPECT_GT(found[1].scores[0], 0.7);
}

TEST(InstanceDetection, WithoutMarginSeesTheWholeImageWhateverTheBox) {
  Brightest model;
  Detector detector(model);
  Tensor image = two_dots();
  image.data<uint8_t>()[130 * 300 + 220] = 255;  // the brighter one
  const std::vector<Box> boxes{{39.5, 29.5, 50, 30}};
  const auto found = detect_in_boxes(detector, image, boxes, {200, 300, 0});
  EXPECT_NEAR(found[0].points[0][0], 220, 1e-4);
  EXPECT_NEAR(found[0].points[0][1], 130, 1e-4);
}

TEST(CropRule, SurvivesTheOptionsOfAModel) {
  const std::map<std::string, std::string> options = crop_rule_options({128, 96, 1.5});
  OptionReader read("test", options);
  const CropRule rule = read_crop_rule(read);
  read.finish();
  EXPECT_EQ(rule.height, 128);
  EXPECT_EQ(rule.width, 96);
  EXPECT_EQ(rule.margin, 1.5);
  EXPECT_THROW(
      {
        OptionReader wrong("test", {{"margin", "-1"}});
        read_crop_rule(wrong);
      },
      UsageError);
}

}  // namespace
}  // namespace cairn
