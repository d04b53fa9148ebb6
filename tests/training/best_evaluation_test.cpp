#include "training/best_evaluation.h"

#include <gtest/gtest.h>

#include <cmath>

namespace cairn {
namespace {

LogRow row(int64_t step, double value) { return {"evaluation", step, {{"error", value}}, {}}; }

TEST(BestEvaluation, TheLowestErrorIsTheBestAndOthersAreCountedAfterIt) {
  BestEvaluation best({"error", false});
  EXPECT_TRUE(best.add(row(10, 3)));
  EXPECT_TRUE(best.add(row(20, 2)));
  EXPECT_FALSE(best.add(row(30, 2)));
  EXPECT_FALSE(best.add(row(40, 5)));
  EXPECT_EQ(best.step(), 20);
  EXPECT_EQ(best.worse_since(), 2);
  EXPECT_EQ(best.metrics().at("error"), 2);
  EXPECT_TRUE(best.add(row(50, 1)));
  EXPECT_EQ(best.worse_since(), 0);
}

TEST(BestEvaluation, WhereHigherIsBetterTheHighestIsTheBest) {
  BestEvaluation best({"error", true});
  EXPECT_TRUE(best.add(row(10, 3)));
  EXPECT_FALSE(best.add(row(20, 2)));
}

TEST(BestEvaluation, WhatIsNotANumberOrLacksTheMetricIsNeverTheBest) {
  BestEvaluation best({"error", true});
  EXPECT_FALSE(best.add(row(10, NAN)));
  EXPECT_FALSE(best.add({"evaluation", 20, {}, {}}));
  EXPECT_EQ(best.step(), 0);
}

}  // namespace
}  // namespace cairn
