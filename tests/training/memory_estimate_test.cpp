// The memory of a training step, from two small ones.
#include "training/memory_estimate.h"

#include <gtest/gtest.h>

#include "runtime/memory.h"
#include "tests/caught.h"
#include "training/trainer.h"

namespace cairn {
namespace {

Recipe corners(const std::string& more) {
  Recipe r = Recipe::from_text(
      "task = \"magicpoint\"\n[model]\narchitecture = \"magicpoint\"\n"
      "[data]\nheight = 120\nwidth = 160\n[eval]\nimages = 1\n",
      "corners");
  if (!more.empty()) r.set(more);
  return r;
}

TEST(MemoryEstimate, IsThePeakOfAFullStepWithinATwentieth) {
  const MemoryEstimate e = estimate_memory(corners("train.batch=12"), Device::cpu);
  EXPECT_EQ(e.batch, 12);
  memory(Device::cpu).release_cached();
  memory(Device::cpu).reset_peak();
  TrainOptions options;
  options.dry_run = true;
  const auto full = train(corners("train.batch=12"), options, [](const TrainProgress&) {});
  EXPECT_NEAR(e.bytes(12) / double(full.peak_bytes), 1, 0.05);
}

TEST(MemoryEstimate, SaysWhatFits) {
  const MemoryEstimate e{16, 100, 10};
  EXPECT_EQ(e.bytes(16), 260);
  EXPECT_EQ(e.largest_batch(259), 15);
  EXPECT_EQ(e.largest_batch(50), 0);
  EXPECT_NE(error_of([] { estimate_memory(corners(""), Device::cpu); }).find("train.batch"),
            std::string::npos);
}

}  // namespace
}  // namespace cairn
