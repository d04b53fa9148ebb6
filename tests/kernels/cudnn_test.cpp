// Convolutions by cuDNN, with a library in its place that computes on the host (tests/fakes): how
// the graphs are described, which plans are taken, what happens when something is missing or fails,
// and that conv2d gives it the right tensors. The real library, where it is installed, only has to
// accept the graphs, which it does without a GPU.
#include "runtime/cudnn.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "kernels/conv/conv2d.h"
#include "runtime/arithmetic.h"
#include "runtime/autotuner.h"
#include "runtime/cudnn_graph.h"
#include "runtime/graph.h"
#include "runtime/memory.h"
#include "test_paths.h"
#include "tests/caught.h"
#include "tests/kernels/normal_tensors.h"

#if __has_include(<cudnn_backend.h>) && __has_include(<cuda_runtime_api.h>)
#include <cudnn_backend.h>
#define CAIRN_COMPARE(name, value) static_assert(cairn::cudnn::name == CUDNN_##name);
CAIRN_EACH_CUDNN_VALUE(CAIRN_COMPARE)
static_assert(sizeof(cudnnStatus_t) == sizeof(int) && sizeof(cudnnHandle_t) == sizeof(void*) &&
              sizeof(cudnnBackendDescriptor_t) == sizeof(void*) &&
              sizeof(cudnnBackendAttributeName_t) == sizeof(int));
#endif

namespace cairn {
namespace {

const char* const fake = CAIRN_BINARY_DIR "/tests/libcairn_fake_cudnn.so";

using Op = CudnnConvolution::Op;

// 3x3, stride 1, padding 1, of 8 to 16 channels.
CudnnConvolution convolution(Op op, DType type = DType::f32, bool tf32 = false) {
  return {.op = op,
          .type = type,
          .result = type,
          .tf32 = tf32,
          .N = 1,
          .H = 5,
          .W = 6,
          .C = 8,
          .O = 16,
          .kh = 3,
          .kw = 3,
          .Ho = 5,
          .Wo = 6,
          .stride = 1,
          .padding = 1,
          .dilation = 1};
}

std::vector<std::string> names(const std::vector<Cudnn::Plan>& plans) {
  std::vector<std::string> all;
  for (const auto& plan : plans) all.push_back(plan.name);
  return all;
}

class CudnnTest : public testing::Test {
 protected:
  void SetUp() override {
    file_ = dlopen(fake, RTLD_NOW | RTLD_LOCAL);
    if (!file_) GTEST_SKIP() << dlerror();
    behave("");
  }
  void TearDown() override {
    bring_cudnn_to_simt(nullptr);
    if (file_) dlclose(file_);
  }
  void behave(const char* word) const { function<void(const char*)>("fake_cudnn_behave")(word); }
  std::string log() const { return function<const char*()>("fake_cudnn_log")(); }
  int living() const { return function<int()>("fake_cudnn_living")(); }

 private:
  template <class F>
  F* function(const char* name) const {
    return reinterpret_cast<F*>(dlsym(file_, name));
  }
  void* file_ = nullptr;
};

TEST_F(CudnnTest, PlansAreThoseOfTheEnginesThatMayAndCan) {
  Cudnn library(fake, Device::cpu, nullptr);
  EXPECT_EQ(library.version(), "9.19.0");
  using Names = std::vector<std::string>;
  // Engine 7 takes tensor cores, 3 is not deterministic, 4 rounds its inputs further, 9 is an FFT,
  // 20 does not support it, and the workspace of 21 is a terabyte; 5 would be compiled, as both
  // plans of 11 are.
  for (const Op op : {Op::forward, Op::backward_data, Op::backward_weights}) {
    EXPECT_EQ(
        names(library.plans(convolution(op))),
        (Names{"cuDNN engine 11", "cuDNN engine 11 (2)", "cuDNN engine 6", "cuDNN engine 8"}));
    const Names with_cores{"cuDNN engine 7", "cuDNN engine 11", "cuDNN engine 11 (2)",
                           "cuDNN engine 6"};
    EXPECT_EQ(names(library.plans(convolution(op, DType::f32, true))), with_cores);
    EXPECT_EQ(names(library.plans(convolution(op, DType::bf16))), with_cores);
  }
  EXPECT_EQ(library.plans(convolution(Op::forward))[0].workspace, 4096);
  const int descriptors = living();
  library.plans(convolution(Op::forward));
  EXPECT_EQ(living(), descriptors) << "they were made again";
}

TEST_F(CudnnTest, ThePlanOfANameIsMadeAlone) {
  Cudnn library(fake, Device::cpu, nullptr);
  const CudnnConvolution p = convolution(Op::forward);
  const int before = living();
  using Names = std::vector<std::string>;
  EXPECT_EQ(names(library.plans(p, "cuDNN engine 6")), Names{"cuDNN engine 6"});
  const int with_one = living();
  EXPECT_EQ(names(library.plans(p, "cuDNN engine 6")), Names{"cuDNN engine 6"});
  EXPECT_EQ(living(), with_one) << "it was made again";
  EXPECT_EQ(names(library.plans(p, "cuDNN engine 11 (2)")), Names{"cuDNN engine 11 (2)"});
  EXPECT_TRUE(library.plans(p, "cuDNN engine 3").empty()) << "it is not deterministic";
  EXPECT_EQ(library.plans(p).size(), Cudnn::most_plans);
  EXPECT_EQ(names(library.plans(p, "cuDNN engine 6")), Names{"cuDNN engine 6"});
  EXPECT_GT(with_one, before);
}

TEST_F(CudnnTest, TheSecondHeuristicIsAskedWhereTheFirstHasNothing) {
  behave("no mode 3");
  Cudnn library(fake, Device::cpu, nullptr);
  EXPECT_EQ(library.plans(convolution(Op::forward)).size(), Cudnn::most_plans);
  behave("no mode 1");
  EXPECT_TRUE(library.plans(convolution(Op::backward_data)).empty());
}

TEST_F(CudnnTest, WithoutALibraryOrAGpuThereAreNoPlans) {
  Cudnn absent("libno_such_cudnn.so.9", Device::cpu, nullptr);
  EXPECT_EQ(absent.version(), "");
  EXPECT_TRUE(absent.plans(convolution(Op::forward)).empty());
  Cudnn another("libc.so.6", Device::cpu, nullptr);
  EXPECT_EQ(another.version(), "") << "it has none of the functions";
  for (const char* word : {"no handle", "no stream"}) {
    behave("");
    behave(word);
    Cudnn library(fake, Device::cpu, nullptr);
    EXPECT_EQ(library.version(), "9.19.0");
    EXPECT_TRUE(library.plans(convolution(Op::forward)).empty()) << word;
  }
  EXPECT_EQ(cudnn_of(Device::cpu), nullptr);
  EXPECT_EQ(cudnn_of(Device::simt), nullptr);
}

TEST_F(CudnnTest, DescriptorsGoWithTheLibrary) {
  const int before = living();
  {
    Cudnn library(fake, Device::cpu, nullptr);
    library.plans(convolution(Op::forward));
    library.plans(convolution(Op::backward_weights));
    EXPECT_GT(living(), before);
  }
  EXPECT_EQ(living(), before);
}

TEST_F(CudnnTest, AFailureWhileItRunsIsAnError) {
  Cudnn library(fake, Device::cpu, nullptr);
  const CudnnConvolution p = convolution(Op::forward);
  Tensor x = normal({1, 5, 6, 8}, 1), w = normal({16, 3, 3, 8}, 2), y = normal({1, 5, 6, 16}, 3);
  const CudnnTensors tensors{x.raw(), w.raw(), y.raw()};
  const Cudnn::Plan plan = library.plans(p).at(0);
  behave("execution fails");
  EXPECT_EQ(wrong([&] { library.run(p, plan, tensors); }), "it failed with status 5000");
  behave("");
  library.run(p, plan, tensors);
  EXPECT_EQ(log(), "engine 11: convolution \n");
}

// Every shape, step and type that conv2d offers to the library, on simt.
class ConvByCudnn : public CudnnTest {
 protected:
  void SetUp() override {
    CudnnTest::SetUp();
    if (IsSkipped()) return;
    if (!why_unavailable(Device::simt).empty()) GTEST_SKIP() << why_unavailable(Device::simt);
    library_ = std::make_unique<Cudnn>(fake, Device::simt, nullptr);
    bring_cudnn_to_simt(library_.get());
    tuner().force("cuDNN");
  }
  void TearDown() override {
    tuner().force("");
    tuner().set_measuring(false);
    set_tf32_products(false);
    CudnnTest::TearDown();
  }
  static Autotuner& tuner() { return autotuner(Device::simt); }
  static Tensor on_simt(const Tensor& t, DType type) { return t.to(type).to(Device::simt); }
  static Tensor exact(const Tensor& t, DType type) { return t.to(type).to(DType::f64); }

  std::unique_ptr<Cudnn> library_;
};

TEST_F(ConvByCudnn, ComputesEachDirectionInEachTypeWithItsEnd) {
  struct Case {
    Shape x, w;
    Conv2dOptions o;
  };
  for (const Case& c : {Case{{2, 9, 7, 8}, {16, 3, 3, 8}, {.padding = 1}},
                        Case{{1, 10, 11, 5}, {7, 3, 2, 5}, {.stride = 2, .padding = 1}},
                        Case{{1, 12, 9, 3}, {4, 3, 3, 3}, {.padding = 2, .dilation = 2}},
                        Case{{2, 4, 5, 6}, {65, 1, 1, 6}, {}}})
    for (const DType type : {DType::f32, DType::bf16})
      for (const bool has_bias : {false, true})
        for (const Activation act : {Activation::none, Activation::relu}) {
          SCOPED_TRACE(text(c.x, c.w, type, has_bias, name(act)));
          const double tolerance = type == DType::bf16 ? 1e-2 : 1e-6;
          const Tensor x = normal(c.x, 1), w = normal(c.w, 2), bias = normal({c.w[0]}, 3),
                       dy = normal({c.x[0], conv2d_output_size(c.x[1], c.w[1], c.o),
                                    conv2d_output_size(c.x[2], c.w[2], c.o), c.w[0]},
                                   4);
          const Tensor X = on_simt(x, type), W = on_simt(w, type), B = on_simt(bias, type),
                       DY = on_simt(dy, type), x64 = exact(x, type), w64 = exact(w, type),
                       b64 = exact(bias, type), dy64 = exact(dy, type);
          Tensor y = DY.empty_like(), want = dy64.empty_like();
          behave("");
          conv2d(X, W, c.o, {.bias = has_bias ? &B : nullptr, .act = act}, y);
          EXPECT_NE(log().find(text("convolution ", has_bias ? "add " : "",
                                    act == Activation::relu ? "relu " : "", "\n")),
                    std::string::npos)
              << log();
          conv2d(x64, w64, c.o, {.bias = has_bias ? &b64 : nullptr, .act = act}, want);
          EXPECT_LT(relative_error(y.to(Device::cpu), want), tolerance);

          Tensor dx = X.empty_like(), dx64 = x64.empty_like(), dw = on_simt(w, DType::f32),
                 dw64 = w64.empty_like();
          behave("");
          conv2d_backward_data(DY, W, c.o, dx);
          conv2d_backward_weights(X, DY, c.o, dw, nullptr);
          EXPECT_NE(log().find("data \n"), std::string::npos);
          EXPECT_NE(log().find("weights \n"), std::string::npos);
          conv2d_backward_data(dy64, w64, c.o, dx64);
          conv2d_backward_weights(x64, dy64, c.o, dw64, nullptr);
          EXPECT_LT(relative_error(dx.to(Device::cpu), dx64), tolerance);
          EXPECT_LT(relative_error(dw.to(Device::cpu), dw64), 1e-6);
        }
}

TEST_F(ConvByCudnn, NanPassesTheRelu) {
  const Tensor x = Tensor::full({1, 3, 3, 4}, NAN, DType::f32, Device::simt),
               w = on_simt(normal({4, 1, 1, 4}, 1), DType::f32);
  Tensor y = x.empty_like();
  conv2d(x, w, {}, {.act = Activation::relu}, y);
  EXPECT_EQ(tuner().forced(), 1);
  for (const float z : y.values<float>()) EXPECT_TRUE(std::isnan(z));
}

TEST_F(ConvByCudnn, WhatItCannotIsNotOffered) {
  const Tensor bias = on_simt(normal({8}, 3), DType::f32);
  const auto convolve = [&](const Conv2dOptions& o, const Epilogue& e, DType type = DType::f32) {
    const Tensor x = on_simt(normal({1, 6, 6, 8}, 1), type),
                 w = on_simt(normal({8, 3, 3, 8 / o.groups}, 2), type);
    Tensor y = x.empty_like(e.pool2 ? Shape{1, 3, 3, 8} : Shape{1, 6, 6, 8});
    conv2d(x, w, o, e, y);
  };
  convolve({.padding = 1, .groups = 2}, {});
  convolve({.padding = 1}, {.pool2 = true});
  convolve({.padding = 1}, {.bias = &bias, .act = Activation::relu6});
  convolve({.padding = 1}, {}, DType::f64);
  EXPECT_EQ(tuner().forced(), 0);
  convolve({.padding = 1}, {.bias = &bias});
  EXPECT_EQ(tuner().forced(), 1);
}

TEST_F(ConvByCudnn, PlansAreNotMadeWhileWorkIsCaptured) {
  const Tensor x = on_simt(normal({1, 5, 5, 8}, 1), DType::f32),
               w = on_simt(normal({16, 3, 3, 8}, 2), DType::f32);
  Tensor y = x.empty_like({1, 5, 5, 16});
  const auto convolve = [&] { conv2d(x, w, {.padding = 1}, {}, y); };
  Graph unknown(Device::simt, convolve);
  EXPECT_EQ(tuner().forced(), 0);
  convolve();
  EXPECT_EQ(tuner().forced(), 1);
}

TEST_F(ConvByCudnn, IsMeasuredBesideOurTilesAndOneThatFailsIsNotTaken) {
  tuner().force("");
  tuner().set_measuring(true);
  const Tensor x = on_simt(normal({1, 7, 6, 8}, 1), DType::f32),
               w = on_simt(normal({16, 3, 3, 8}, 2), DType::f32);
  Tensor y = x.empty_like({1, 7, 6, 16});
  behave("");
  conv2d(x, w, {.padding = 1}, {}, y);
  EXPECT_NE(log().find("engine 11: convolution"), std::string::npos);
  EXPECT_NE(log().find("engine 6: convolution"), std::string::npos);
  behave("execution fails");
  conv2d(x, w, {.padding = 1}, {.act = Activation::relu}, y);
  const auto choice = tuner().choices().at("conv2d f32 x[1,7,6,8] w[16,3,3,8] padding 1 relu");
  EXPECT_EQ(choice.algorithm.find("cuDNN"), std::string::npos);
  EXPECT_GT(choice.ms, 0);
}

// Without a GPU the real library still says whether a description is complete and consistent.
TEST(RealCudnn, AcceptsTheGraphs) {
  void* file = dlopen("libcudnn.so.9", RTLD_NOW | RTLD_LOCAL);
  if (!file) GTEST_SKIP() << dlerror();
  cudnn::Functions f{};
#define CAIRN_LOAD(name)                                                   \
  f.name = reinterpret_cast<decltype(f.name)>(dlsym(file, "cudnn" #name)); \
  ASSERT_NE(f.name, nullptr) << #name;
  CAIRN_EACH_CUDNN_FUNCTION(CAIRN_LOAD)
#undef CAIRN_LOAD
  if (f.GetVersion() < 91900) GTEST_SKIP() << "version " << f.GetVersion() << " needs a GPU for it";
  for (const Op op : {Op::forward, Op::backward_data, Op::backward_weights})
    for (const DType type : {DType::f32, DType::bf16}) {
      CudnnConvolution p = convolution(op, type);
      if (op == Op::backward_weights) p.result = DType::f32;
      EXPECT_NO_THROW(cudnn::Graph(f, nullptr, p)) << int(op) << type;
      if (op != Op::forward) continue;
      p.bias = true;
      EXPECT_NO_THROW(cudnn::Graph(f, nullptr, p)) << type << " bias";
      p.relu = true;
      EXPECT_NO_THROW(cudnn::Graph(f, nullptr, p)) << type << " bias and relu";
      p.N = -1;
      EXPECT_THROW(cudnn::Graph(f, nullptr, p), cudnn::Unsupported);
    }
}

}  // namespace
}  // namespace cairn
