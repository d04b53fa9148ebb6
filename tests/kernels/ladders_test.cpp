// Every step of every ladder gives what the op gives on cpu, and moves the bytes it claims.
#include "kernels/ladder/ladders.h"

#include <gtest/gtest.h>

#include "kernels/heatmap/soft_argmax.h"
#include "kernels/heatmap/spatial_softmax.h"
#include "kernels/loss/descriptor_double_norm.h"
#include "runtime/error.h"
#include "runtime/graph.h"
#include "tests/kernels/normal_tensors.h"

namespace cairn {
namespace {

std::vector<Device> kernel_devices() {
  std::vector<Device> found;
  for (Device d : available_devices())
    if (d != Device::cpu) found.push_back(d);
  return found;
}

// simt's pool keeps exact sizes, and its checker counts the bytes that kernels move.
void run_on_simt(const LadderStep& step) {
  Memory& pool = memory(Device::simt);
  pool.reset_peak();
  const size_t before = pool.use().in_use;
  if (!simt::has_checker()) {
    step.run();
  } else {
    simt::take_traffic();
    step.run();
    const simt::Traffic moved = simt::take_traffic(), claimed = total(step).bytes;
    EXPECT_EQ(claimed.loaded, moved.loaded);
    EXPECT_EQ(claimed.stored, moved.stored);
    EXPECT_EQ(claimed.distinct_loaded, moved.distinct_loaded);
    EXPECT_EQ(claimed.distinct_stored, moved.distinct_stored);
  }
  EXPECT_EQ(step.held, pool.use().peak - before);
}

void run(const LadderStep& step, Device device) {
  if constexpr (build::has_simt)
    if (device == Device::simt) return run_on_simt(step);
  step.run();
}

// Runs each step into poisoned `outputs`, which must come to be `wanted`; and from a graph, as it
// is timed.
void expect_ladder(const Ladder& ladder, std::vector<Tensor> outputs,
                   const std::vector<Tensor>& wanted, double tolerance) {
  EXPECT_GE(ladder.size(), 3u);
  for (const LadderStep& step : ladder) {
    SCOPED_TRACE(step.name);
    const auto expect_wanted = [&](const std::function<void()>& write) {
      for (Tensor& out : outputs) out.fill(NAN);
      write();
      for (size_t i = 0; i < outputs.size(); ++i)
        EXPECT_LE(relative_error(outputs[i].to(Device::cpu), wanted[i]), tolerance)
            << "output " << i;
    };
    const Device device = outputs[0].device();
    expect_wanted([&] { run(step, device); });
    Graph graph(device, step.run);
    expect_wanted([&] { graph.replay(); });
  }
}

// One channel, fewer pixels than threads, two groups of channels, several slices.
const std::vector<Shape> maps{
    {1, 2, 3, 1}, {2, 7, 5, 3}, {1, 33, 17, 16}, {2, 3, 4, 65}, {1, 60, 47, 6}};

TEST(Ladders, OfSpatialSoftmax) {
  for (Device device : kernel_devices())
    for (const Shape& shape : maps) {
      SCOPED_TRACE(text(shape, " on ", device));
      const Tensor z = normal(shape, 1);
      Tensor wanted = z.empty_like(), h = wanted.to(device);
      spatial_softmax(z, 5, wanted);
      expect_ladder(spatial_softmax_ladder(z.to(device), 5, h), {h}, {wanted}, 2e-6);
    }
}

struct ArgmaxCase {
  Tensor logits, point, variance;
  explicit ArgmaxCase(const Tensor& z, double gain) : logits(z) {
    point = z.empty_like({z.dim(0), z.dim(3), 2});
    variance = point.empty_like();
    Tensor stats = point.empty_like();
    soft_argmax(z, gain, point, variance, stats);
  }
};

TEST(Ladders, OfSoftArgmax) {
  for (Device device : kernel_devices())
    for (const Shape& shape : maps) {
      SCOPED_TRACE(text(shape, " on ", device));
      const ArgmaxCase c(normal(shape, 1), 2);
      Tensor point = c.point.to(device), variance = c.variance.to(device);
      expect_ladder(soft_argmax_ladder(c.logits.to(device), 2, point, variance), {point, variance},
                    {c.point, c.variance}, 2e-6);
    }
}

// A peak of a small fraction of a pixel, far from the centre.
TEST(Ladders, OfSoftArgmaxFindTheVarianceOfANarrowPeakOnlyAtTheTop) {
  Tensor z = normal({1, 40, 30, 1}, 5, 0.1);
  z.data<float>()[37] = 18;
  const ArgmaxCase c(z, 1);
  for (Device device : kernel_devices()) {
    Tensor point = c.point.to(device), variance = c.variance.to(device);
    for (const LadderStep& step : soft_argmax_ladder(z.to(device), 1, point, variance)) {
      SCOPED_TRACE(step.name);
      step.run();
      const double error = relative_error(variance.to(Device::cpu), c.variance);
      if (step.name == std::string("nothing stored") || step.name == std::string("one pass"))
        EXPECT_GT(error, 1e-4);
      else
        EXPECT_LT(error, 5e-6);
    }
  }
}

TEST(Ladders, OfGaussian) {
  for (Device device : kernel_devices())
    for (const Shape& shape : maps)
      for (GaussianForm form :
           {GaussianForm::plain, GaussianForm::density, GaussianForm::undivided}) {
        SCOPED_TRACE(text(shape, " form ", int(form), " on ", device));
        const Shape per_map{shape[0], shape[3]};
        const Tensor centre = normal({shape[0], shape[3], 2}, 1, 0.5),
                     amplitude = normal(per_map, 2);
        Tensor sigma = normal(per_map, 3, 0.1), wanted = Tensor::empty(shape);
        for (int64_t i = 0; i < sigma.count(); ++i)
          sigma.data<float>()[i] = 0.1f + std::abs(sigma.data<float>()[i]);
        gaussian(centre, sigma, amplitude, form, wanted);
        Tensor y = wanted.to(device);
        expect_ladder(
            gaussian_ladder(centre.to(device), sigma.to(device), amplitude.to(device), form, y),
            {y}, {wanted}, 5e-6);
      }
}

ResidualBlock residual(int64_t I, int64_t M, Device device) {
  ResidualBlock block;
  for (int i = 0; i < 3; ++i) {
    const int64_t C = i == 0 ? I : M, O = i == 2 ? I : M, k = i == 1 ? 3 : 1;
    const auto drawn = [&](const Shape& s, double scale) {
      return normal(s, uint64_t(10 * i + s.rank()), scale).to(device);
    };
    block.step[i] = {Tensor::full({C}, 1.2, DType::f32, device),
                     drawn({C}, 0.5),
                     Tensor::zeros({C}, DType::f32, device),
                     Tensor::full({C}, 1, DType::f32, device),
                     drawn({O, k, k, C}, 1 / std::sqrt(double(k * k * C))),
                     drawn({O}, 1)};
  }
  return block;
}

ResidualKept kept_of(const Tensor& x, const ResidualBlock& block) {
  ResidualKept kept;
  kept.a1 = Tensor::empty({x.dim(0), x.dim(1), x.dim(2), block.step[0].w.dim(0)});
  kept.a2 = kept.a1.empty_like();
  for (int i = 0; i < 3; ++i) {
    kept.mean[i] = block.step[i].gamma.empty_like();
    kept.invstd[i] = block.step[i].gamma.empty_like();
  }
  return kept;
}

TEST(Ladders, OfResidual) {
  struct Size {
    Shape x;
    int64_t M;
  };
  for (Device device : kernel_devices())
    for (const Size& s :
         {Size{{2, 5, 7, 6}, 5}, Size{{1, 1, 9, 4}, 8}, Size{{1, 12, 11, 40}, 36}}) {
      SCOPED_TRACE(text(s.x, " M=", s.M, " on ", device));
      const Tensor x = normal(s.x, 1);
      Tensor wanted = x.empty_like(), y = wanted.to(device);
      const ResidualBlock block = residual(s.x[3], s.M, Device::cpu);
      ResidualKept kept = kept_of(x, block);
      residual_block(x, block, Statistics::batch, kept, wanted);
      expect_ladder(residual_ladder(x.to(device), residual(s.x[3], s.M, device), y), {y}, {wanted},
                    1e-5);
    }
}

// Descriptors whose pairs lie near to each other, cells all over the partner's grid.
DescriptorPairs descriptor_pairs(const Shape& maps) {
  const double length = 1 / std::sqrt(double(maps[3]));
  const Shape cells{maps[0], maps[1], maps[2]};
  DescriptorPairs p{normal(maps, 1, length), normal(maps, 2, length),
                    normal({maps[0], maps[1], maps[2], 2}, 3, 0.7),
                    Tensor::full(cells, 1, DType::u8)};
  for (int64_t i = 0; i < p.b.count(); ++i)
    p.b.data<float>()[i] = 0.6f * p.b.data<float>()[i] + 0.7f * p.a.data<float>()[i];
  for (int64_t i = 0; i < cells.count(); ++i) {
    p.centres.data<float>()[2 * i] += float(i % maps[2]);
    p.centres.data<float>()[2 * i + 1] += float(i / maps[2] % maps[1]);
    p.valid.data<uint8_t>()[i] = i % 3 > 0;
  }
  return p;
}

TEST(Ladders, OfDoubleNorm) {
  HingeOptions options;
  options.weight = 100;
  options.positive_weight = 0.5;
  for (Device device : kernel_devices())
    for (const Shape& shape : {Shape{2, 7, 5, 3}, Shape{1, 5, 13, 33}, Shape{2, 9, 10, 64}}) {
      SCOPED_TRACE(text(shape, " on ", device));
      const DescriptorPairs p = descriptor_pairs(shape);
      const Shape cells = p.valid.shape();
      DoubleNorms norms{Tensor::empty({1}), Tensor::empty(cells), Tensor::empty(cells),
                        Tensor::empty(cells)};
      Tensor wanted = Tensor::empty({4}), wanted_loss = Tensor::empty(Shape{});
      descriptor_double_norm(p, options, norms, wanted, wanted_loss);
      Tensor terms = wanted.to(device), loss = wanted_loss.to(device);
      const DescriptorPairs there{p.a.to(device), p.b.to(device), p.centres.to(device),
                                  p.valid.to(device)};
      expect_ladder(double_norm_ladder(there, options, terms, loss), {terms, loss},
                    {wanted, wanted_loss}, 4e-6);
    }
}

TEST(Ladders, AreRefusedOnTheCpu) {
  Tensor z = normal({1, 2, 2, 1}, 1);
  try {
    spatial_softmax_ladder(z, 1, z);
    FAIL() << "a ladder ran on the cpu";
  } catch (const Error& e) {
    EXPECT_EQ(e.where, "spatial_softmax_ladder");
    EXPECT_NE(e.expected.find("simt or cuda"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace cairn
