#include "training/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "runtime/error.h"

namespace cairn {
namespace {

constexpr double no_clipping = std::numeric_limits<double>::infinity();

struct TwoParameters : Module {
  Parameter a{{3}, {Init::Kind::constant, 1}}, b{{65}, {Init::Kind::constant, 2}};
  void visit(Visitor& v) override {
    v("a", a);
    v("b", b);
  }
};

struct TwoParameterRun {
  TwoParameters module;
  Parameters parameters{module, Device::cpu, DType::f64};
  TwoParameterRun() { parameters.initialize(0); }

  // One step in which the listed parameters have a constant gradient.
  void step(Optimizer& optimizer, double lr, double grad_a, double grad_b, double max_norm) {
    parameters.begin_step();
    set(module.a, grad_a);
    set(module.b, grad_b);
    optimizer.set_learning_rate(lr);
    optimizer.step(max_norm);
  }
  static void set(Parameter& p, double gradient) {
    p.grad.fill(gradient);
    p.touched = gradient != 0;
  }
  double a(int i = 0) const { return module.a.value.data<double>()[i]; }
  double b(int i = 0) const { return module.b.value.data<double>()[i]; }
};

TEST(Optimizer, TheFirstAdamStepMovesByTheLearningRateAgainstTheSign) {
  TwoParameterRun s;
  Optimizer adam(OptimizerConfig::defaults(OptimizerKind::adam), s.parameters);
  s.step(adam, 0.1, 0.5, -4, no_clipping);
  EXPECT_NEAR(s.a(), 1 - 0.1, 1e-8);
  EXPECT_NEAR(s.b(64), 2 + 0.1, 1e-8);
}

TEST(Optimizer, TheSecondAdamStepIsTheOneComputedByHand) {
  TwoParameterRun s;
  Optimizer adam(OptimizerConfig::defaults(OptimizerKind::adam), s.parameters);
  s.step(adam, 0.1, 1, 1, no_clipping);
  s.step(adam, 0.1, 2, 1, no_clipping);
  const double m = (0.9 * 0.1 + 0.1 * 2) / (1 - 0.81);
  const double v = (0.999 * 0.001 + 0.001 * 4) / (1 - 0.998001);
  EXPECT_NEAR(s.a(), 1 - 0.1 * (1 / (1 + 1e-8)) - 0.1 * m / (std::sqrt(v) + 1e-8), 1e-12);
}

TEST(Optimizer, AdamWDecaysTheWeightApartFromTheGradient) {
  TwoParameterRun s;
  Optimizer adamw(OptimizerConfig::defaults(OptimizerKind::adamw), s.parameters);
  s.step(adamw, 0.1, 1, 1, no_clipping);
  EXPECT_NEAR(s.b(), 2 * (1 - 0.1 * 0.01) - 0.1, 1e-8);
}

TEST(Optimizer, AParameterThatDoesNotDecayMovesByItsGradientAlone) {
  for (OptimizerKind kind :
       {OptimizerKind::adam, OptimizerKind::adamw, OptimizerKind::rmsprop, OptimizerKind::sgd}) {
    TwoParameterRun spared, plain;
    spared.module.b.decays = false;
    OptimizerConfig config = OptimizerConfig::defaults(kind);
    config.weight_decay = 0.5;
    Optimizer with(config, spared.parameters);
    config.weight_decay = 0;
    Optimizer without(config, plain.parameters);
    for (int i = 0; i < 2; ++i) {
      spared.step(with, 0.1, 1, 1, no_clipping);
      plain.step(without, 0.1, 1, 1, no_clipping);
    }
    EXPECT_NE(spared.a(), plain.a());
    EXPECT_EQ(spared.b(), plain.b());
  }
}

TEST(Optimizer, NesterovLooksOneMomentumStepAhead) {
  TwoParameterRun s;
  OptimizerConfig config = OptimizerConfig::defaults(OptimizerKind::sgd);
  config.momentum = 0.5;
  config.nesterov = true;
  Optimizer sgd(config, s.parameters);
  s.step(sgd, 0.1, 1, 1, no_clipping);
  EXPECT_NEAR(s.a(), 1 - 0.1 * 1.5, 1e-14);
  s.step(sgd, 0.1, 1, 1, no_clipping);
  EXPECT_NEAR(s.a(), 1 - 0.1 * 1.5 - 0.1 * 1.75, 1e-14);
}

TEST(Optimizer, RmspropDividesByTheRootOfTheRunningSquare) {
  TwoParameterRun s;
  Optimizer rmsprop(OptimizerConfig::defaults(OptimizerKind::rmsprop), s.parameters);
  s.step(rmsprop, 0.01, 3, 1, no_clipping);
  EXPECT_NEAR(s.a(), 1 - 0.01 * 3 / (std::sqrt(0.01 * 9) + 1e-8), 1e-14);
}

TEST(Optimizer, AParameterWithoutGradientKeepsItsValueItsStateAndItsAge) {
  TwoParameterRun s, alone;
  OptimizerConfig config = OptimizerConfig::defaults(OptimizerKind::adamw);
  Optimizer both(config, s.parameters), one(config, alone.parameters);
  s.step(both, 0.1, 1, 1, no_clipping);
  s.step(both, 0.1, 0, 3, no_clipping);
  s.step(both, 0.1, 2, 3, no_clipping);
  alone.step(one, 0.1, 1, 0, no_clipping);
  alone.step(one, 0.1, 2, 0, no_clipping);
  EXPECT_EQ(s.a(), alone.a());
  EXPECT_EQ(alone.b(), 2);
}

TEST(Optimizer, AFrozenParameterDoesNotMoveAndDoesNotCountInTheNorm) {
  TwoParameterRun s;
  s.parameters.segments()[0].frozen = true;  // b: segments lie in reverse order of use
  Optimizer sgd(OptimizerConfig::defaults(OptimizerKind::sgd), s.parameters);
  s.step(sgd, 0.1, 2, 5, no_clipping);
  EXPECT_EQ(s.b(), 2);
  EXPECT_NEAR(sgd.gradient_norm().item(), 2 * std::sqrt(3.0), 1e-14);
}

TEST(Optimizer, ALongGradientIsScaledToTheMaximumNormAndAShortOneIsNot) {
  TwoParameterRun s;
  Optimizer sgd(OptimizerConfig::defaults(OptimizerKind::sgd), s.parameters);
  s.step(sgd, 1, 4, 0, 1.0);
  const double norm = 4 * std::sqrt(3.0);
  EXPECT_NEAR(sgd.gradient_norm().item(), norm, 1e-14);
  EXPECT_NEAR(s.a(), 1 - 4 / (norm + 1e-6), 1e-14);
  const double before = s.a();
  s.step(sgd, 1, 0.25, 0, 1.0);
  EXPECT_NEAR(s.a(), before - 0.25, 1e-14);
}

TEST(Optimizer, ARunRestoredFromNamedStateEndsBitForBitWhereTheUninterruptedOneDoes) {
  for (OptimizerKind kind : {OptimizerKind::adam, OptimizerKind::rmsprop, OptimizerKind::sgd}) {
    OptimizerConfig config = OptimizerConfig::defaults(kind);
    config.momentum = 0.9;
    TwoParameterRun first, second;
    Optimizer whole(config, first.parameters), resumed(config, second.parameters);
    first.step(whole, 0.1, 1, -2, no_clipping);
    second.parameters.values().copy_from(first.parameters.values());
    const auto from = whole.named_state();
    auto to = resumed.named_state();
    ASSERT_EQ(from.size(), to.size());
    for (size_t i = 0; i < from.size(); ++i) {
      EXPECT_EQ(from[i].name, to[i].name);
      to[i].tensor.copy_from(from[i].tensor);
    }
    first.step(whole, 0.1, 3, 1, no_clipping);
    second.step(resumed, 0.1, 3, 1, no_clipping);
    EXPECT_EQ(first.parameters.values().values<double>(),
              second.parameters.values().values<double>());
  }
}

TEST(Optimizer, StateIsNamedAfterTheParameterAndHasItsShape) {
  TwoParameterRun s;
  Optimizer adam(OptimizerConfig::defaults(OptimizerKind::adam), s.parameters);
  const auto state = adam.named_state();
  ASSERT_EQ(state.size(), 6u);
  EXPECT_EQ(state[0].name, "optimizer.b.exp_avg");
  EXPECT_EQ(state[0].tensor.shape(), (Shape{65}));
  EXPECT_EQ(state[2].name, "optimizer.b.step");
  EXPECT_EQ(state[5].tensor.shape(), (Shape{1}));
}

TEST(Optimizer, EveryConstantOutOfRangeIsNamedInOneError) {
  TwoParameterRun s;
  OptimizerConfig config;
  config.beta1 = 1;
  config.nesterov = true;
  try {
    Optimizer optimizer(config, s.parameters);
    FAIL();
  } catch (const UsageError& e) {
    EXPECT_NE(e.wrong.find("beta1 is 1"), std::string::npos);
    EXPECT_NE(e.wrong.find("nesterov"), std::string::npos);
  }
  EXPECT_THROW(parse_optimizer("adamax"), UsageError);
}

}  // namespace
}  // namespace cairn
