// What is said about GPUs that cannot be used, without one.
#include "runtime/gpu_advice.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

TEST(GpuAdvice, ABuildWithoutTheGpusArchitectureNamesTheRebuild) {
  const std::string wrong = missing_architecture("80-real,90-real", 7, 5);
  EXPECT_NE(wrong.find("architecture 75"), std::string::npos) << wrong;
  EXPECT_NE(wrong.find("80-real,90-real"), std::string::npos) << wrong;
  EXPECT_NE(wrong.find("-DCMAKE_CUDA_ARCHITECTURES=75"), std::string::npos) << wrong;
}

TEST(GpuAdvice, MachineCodeRunsOnItsMajorVersionFromItsMinorOneOn) {
  EXPECT_EQ(missing_architecture("80-real", 8, 6), "");
  EXPECT_NE(missing_architecture("86-real", 8, 0), "");
  EXPECT_NE(missing_architecture("80-real", 9, 0), "");
  EXPECT_NE(missing_architecture("100-real", 12, 0), "");
  EXPECT_EQ(missing_architecture("100-real", 10, 3), "");
}

TEST(GpuAdvice, PtxRunsOnEverythingNewer) {
  EXPECT_EQ(missing_architecture("80", 12, 0), "");
  EXPECT_EQ(missing_architecture("80-virtual", 9, 0), "");
  EXPECT_NE(missing_architecture("90-virtual", 8, 9), "");
  EXPECT_EQ(missing_architecture("80-real,90-real,100-real,110-real,120", 12, 1), "");
  EXPECT_NE(missing_architecture("80-real,90-real,100-real,110-real,120", 7, 0), "");
}

TEST(GpuAdvice, ANameWithALetterIsForThatOneAlone) {
  EXPECT_EQ(missing_architecture("90a-real", 9, 0), "");
  EXPECT_NE(missing_architecture("90a-real", 10, 0), "");
  EXPECT_NE(missing_architecture("90a", 10, 0), "");
}

TEST(GpuAdvice, WhatIsNoNumberCannotBeJudged) {
  EXPECT_EQ(missing_architecture("native", 7, 5), "");
  EXPECT_EQ(missing_architecture("all-major", 7, 5), "");
}

TEST(GpuAdvice, OtherProcessesAreNamedWhenTheyHoldMuch) {
  const size_t gib = size_t{1} << 30;
  EXPECT_EQ(memory_of_others(80 * gib, 40 * gib, 38 * gib), "");
  const std::string text = memory_of_others(80 * gib, 10 * gib, 20 * gib);
  EXPECT_NE(text.find("hold 51200 of the GPU's 81920 MiB"), std::string::npos) << text;
  EXPECT_EQ(memory_of_others(gib, 2 * gib, gib), "") << "numbers that do not fit together";
}

TEST(GpuAdvice, EveryFailureHasARemedyOfItsOwn) {
  EXPECT_NE(gpu_remedy(GpuFailure::no_code).find("CUDA_ARCHITECTURES"), std::string::npos);
  EXPECT_NE(gpu_remedy(GpuFailure::old_driver).find("update the NVIDIA driver"), std::string::npos);
  EXPECT_NE(gpu_remedy(GpuFailure::occupied).find("other process"), std::string::npos);
  EXPECT_NE(gpu_remedy(GpuFailure::lost).find("nvidia-smi -q"), std::string::npos);
  EXPECT_NE(gpu_remedy(GpuFailure::kernel).find("compute-sanitizer"), std::string::npos);
}

}  // namespace
}  // namespace cairn
