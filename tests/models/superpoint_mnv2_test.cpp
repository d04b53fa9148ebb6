// superpoint-mnv2, a trained SuperPoint with a MobileNetV2 stem, against its authors' outputs.
#include "models/superpoint.h"
#include "tests/models/reference.h"

namespace cairn {
namespace {

class SuperPointMnv2 : public OnEachDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, SuperPointMnv2, ::testing::ValuesIn(available_devices()),
                         device_name);

struct Loaded {
  std::unique_ptr<Model> model = make_model("superpoint-mnv2");
  Parameters parameters;
  Tensor image;
  SafetensorsFile golden;

  Loaded(const std::string& folder, Device device)
      : parameters(*model, device),
        image(reference_image(folder + "/graf1.png", 3, device)),
        golden(read_safetensors(folder + "/graf1.golden.safetensors")) {
    load_weights(*model, folder + "/weights.safetensors");
  }
};

TEST_P(SuperPointMnv2, ReproducesTheRecordedOutputs) {
  CAIRN_NEED_DATA(folder, "reference-networks/superpoint-mnv2");
  Loaded l(folder, GetParam());
  const auto raw = l.model->raw_outputs(l.image);
  EXPECT_LE(largest_difference(raw.at("semi"), l.golden.tensors.at("semi")), 2e-4);
  EXPECT_LE(largest_difference(raw.at("desc"), l.golden.tensors.at("desc")), 1e-5);
  EXPECT_LE(largest_difference(superpoint_heatmap(raw.at("semi")), l.golden.tensors.at("heat")),
            1e-4);
}

TEST_P(SuperPointMnv2, FindsTheSameKeypoints) {
  CAIRN_NEED_DATA(folder, "reference-networks/superpoint-mnv2");
  Loaded l(folder, GetParam());
  DetectOptions all;
  all.top_k = 0;
  const Keypoints found = l.model->detect(l.image, all).at(0);
  const Tensor points = l.golden.tensors.at("keypoints"), scores = l.golden.tensors.at("scores"),
               descriptors = l.golden.tensors.at("descriptors");
  ASSERT_EQ(int64_t(found.points.size()), points.dim(0));
  // Scores that agree to the last digits may change places: look each recorded point up.
  for (int64_t i = 0; i < points.dim(0); ++i) {
    const float x = points.data<float>()[2 * i], y = points.data<float>()[2 * i + 1];
    size_t at = 0;
    while (at < found.points.size() && (found.points[at][0] != x || found.points[at][1] != y)) ++at;
    ASSERT_LT(at, found.points.size()) << "no point at (" << x << ", " << y << ")";
    EXPECT_NEAR(found.scores[at], scores.data<float>()[i], 1e-4);
    for (int64_t c = 0; c < 256; ++c)
      ASSERT_NEAR(found.descriptors[at * 256 + c], descriptors.data<float>()[i * 256 + c], 1e-4);
  }
}

}  // namespace
}  // namespace cairn
