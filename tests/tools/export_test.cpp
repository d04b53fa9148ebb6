// `cairn export`: files and what it refuses.
#include "models/model_file.h"
#include "tests/tools/run_program.h"

namespace cairn {
namespace {

class Export : public ProgramTest {
 protected:
  Export() {
    const auto model = make_model("superpoint");
    Parameters parameters(*model, Device::cpu);
    parameters.initialize(1);
    save_model(folder_ / "m.safetensors", *model);
  }
};

TEST_F(Export, WritesTheNetworkAndThePoints) {
  const Answer network = cairn("export --model m.safetensors --onnx n.onnx --json");
  ASSERT_EQ(network.code, 0) << network;
  EXPECT_EQ(network.json()["bytes"], std::filesystem::file_size(folder_ / "n.onnx"));
  EXPECT_GT(network.json()["bytes"].get<int>(), 4 * 1300865);
  const Answer points =
      cairn("export --model m.safetensors --onnx p.onnx --size 64x96 --top-k 50 --json");
  ASSERT_EQ(points.code, 0) << points;
  EXPECT_EQ(points.json()["outputs_of"], "points");
}

TEST_F(Export, WrongSizesNumbersAndPlacesAreErrors) {
  const std::string start = "export --model m.safetensors --onnx n.onnx ";
  expect_error(cairn(start + "--size 60x80"), 2, "--size: 60x80");
  expect_error(cairn(start + "--size 8x8 --top-k 1"), 2, "--top-k: it is 1");
  expect_error(cairn(start + "--top-k 0"), 2, "--top-k");
  expect_error(cairn("export --model m.safetensors"), 2, "--onnx");
  expect_error(cairn("export --model m.safetensors --onnx none/n.onnx"), 1,
               "create the folder none");
  expect_error(cairn("export --model none --onnx n.onnx"), 1, "none: there is no such file");
}

}  // namespace
}  // namespace cairn
