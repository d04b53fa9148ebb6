// `cairn export`: files and what it refuses.
#include "models/model_file.h"
#include "runtime/image.h"
#include "tests/source_path.h"
#include "tests/tools/run_program.h"
#include "training/synthetic_shapes.h"

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

TEST_F(Export, AnotherRuntimeGivesTheSameAnswers) {
  if (std::system("python3 -c 'import numpy, PIL, onnx, onnxruntime' >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "python3 has no numpy, pillow, onnx and onnxruntime here";
  write_png(folder_ / "a.png", synthetic_shape({}, Primitive::checkerboard, 1, 1).image);
  for (const std::string& model :
       {source_path("weights/magicpoint.safetensors"), folder_ / "m.safetensors"})
    EXPECT_EQ(std::system(("cd '" + folder_.path() + "' && python3 '" +
                           source_path("tools/check_onnx.py") +
                           "' --cairn '" CAIRN_BINARY_DIR "/cairn' --model '" + model + "' a.png")
                              .c_str()),
              0)
        << model;
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
