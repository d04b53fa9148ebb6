#include "layers/weights.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/error.h"
#include "runtime/layout.h"
#include "tests/temporary_folder.h"

namespace cairn {
namespace {

// Weight of a convolution from 2 to 3 channels, 1x5, its bias, and a running mean.
struct Net : Module {
  Parameter weight{{3, 1, 5, 2}, {Init::Kind::normal, 1}}, bias{{3}, {}};
  Tensor mean = Tensor::zeros({3});
  void visit(Visitor& v) override {
    v("conv.weight", weight);
    v("conv.bias", bias);
    v("bn.running_mean", mean);
  }
};

class Weights : public testing::Test {
 protected:
  Net net_;
  Parameters parameters_{net_, Device::cpu};
  TemporaryFolder folder_;
  const std::string path_ = folder_ / "a.safetensors";
};

std::vector<float> counting(int64_t n) {
  std::vector<float> v(static_cast<size_t>(n));
  for (size_t i = 0; i < v.size(); ++i) v[i] = float(i);
  return v;
}

TEST_F(Weights, ConvolutionsLieInPyTorchsOrderInTheFile) {
  net_.weight.value.copy_from(Tensor::from<float>({3, 1, 5, 2}, counting(30)));
  save_weights(path_, net_, {{architecture_key, "net"}});
  const SafetensorsFile file = read_safetensors(path_);
  EXPECT_EQ(file.metadata.at(architecture_key), "net");
  const Tensor w = file.tensors.at("conv.weight");
  ASSERT_EQ(w.shape(), (Shape{3, 2, 1, 5}));
  for (int o = 0; o < 3; ++o)
    for (int i = 0; i < 2; ++i)
      for (int k = 0; k < 5; ++k)
        EXPECT_EQ(w.data<float>()[(o * 2 + i) * 5 + k], float((o * 5 + k) * 2 + i));
}

TEST_F(Weights, SavingAndLoadingGivesTheSameWeights) {
  parameters_.initialize(7);
  net_.mean.fill(0.25);
  save_weights(path_, net_);
  Net other;
  Parameters bound(other, Device::cpu);
  load_weights(other, path_);
  EXPECT_EQ(other.weight.value.values<float>(), net_.weight.value.values<float>());
  EXPECT_EQ(other.mean.values<float>(), net_.mean.values<float>());
  EXPECT_EQ(bound.values().values<float>(), parameters_.values().values<float>());
}

TEST_F(Weights, LayoutsAreInversesForEveryElementSize) {
  const Tensor t = Tensor::from<float>({2, 3, 4, 5}, counting(120));
  for (DType type : {DType::f32, DType::f64, DType::bf16, DType::u8}) {
    const Tensor x = t.to(type), y = channels_last(channels_first(x));
    EXPECT_EQ(y.shape(), x.shape());
    EXPECT_EQ(y.to(DType::f64).values<double>(), x.to(DType::f64).values<double>());
  }
  EXPECT_EQ(channels_first(t).shape(), (Shape{2, 5, 3, 4}));
  EXPECT_THROW(channels_first(t.reshape({120})), Error);
}

TEST_F(Weights, AllMismatchesAreListedAtOnceAndNothingIsLoaded) {
  Tensor mean = Tensor::zeros({3});
  mean.data<float>()[1] = NAN;
  write_safetensors(path_,
                    {{"conv.weight", Tensor::zeros({3, 2, 3, 3})},
                     {"bn.running_mean", mean},
                     {"head.weight", Tensor::zeros({65})}},
                    {{architecture_key, "hourglass"}});
  net_.bias.value.fill(4);
  try {
    load_weights(net_, path_);
    ADD_FAILURE() << "was loaded";
  } catch (const Error& e) {
    EXPECT_EQ(e.where, path_);
    for (const char* part :
         {"in 4 places", "shape       conv.weight: file [3,2,3,3], model [3,2,1,5]",
          "missing     conv.bias [3]", "unexpected  head.weight [65]",
          "not finite  bn.running_mean: 1 of 3 values"})
      EXPECT_NE(e.wrong.find(part), std::string::npos) << part << "\n" << e.what();
    EXPECT_NE(e.remedy.find("'hourglass'"), std::string::npos);
  }
  EXPECT_EQ(net_.bias.value.data<float>()[0], 4);
}

TEST_F(Weights, CountersAndOptionalNamesMayComeOrStayAway) {
  write_safetensors(path_, {{"conv.weight", Tensor::full({3, 2, 1, 5}, 2)},
                            {"bn.running_mean", Tensor::full({3}, 1, DType::f64)},
                            {"bn.num_batches_tracked", Tensor::zeros({}, DType::i32)},
                            {"descriptor.weight", Tensor::zeros({1})}});
  load_weights(net_, path_, {"descriptor.", "conv.b"});
  EXPECT_EQ(net_.weight.value.data<float>()[29], 2);
  EXPECT_EQ(net_.mean.data<float>()[2], 1);
  EXPECT_THROW(load_weights(net_, path_, {"descriptor."}), Error);
}

TEST_F(Weights, AValueThatBecomesInfiniteInTheModelsTypeIsRefused) {
  save_weights(path_, net_);
  SafetensorsFile file = read_safetensors(path_);
  file.tensors["conv.bias"] = Tensor::full({3}, 1e300, DType::f64);
  EXPECT_THROW(load_weights(net_, file, "a"), Error);
  file.tensors["conv.bias"] = Tensor::full({3}, 1, DType::i32);
  EXPECT_THROW(load_weights(net_, file, "a"), Error);
}

}  // namespace
}  // namespace cairn
