// Every bug that simt or its checker claims to find is planted once; the report must name the
// kernel, the block, the thread and every line involved, and the corrected twin must pass.
#include <gtest/gtest.h>

#include <fstream>
#include <numeric>

#include "kernels/simt/simt.h"
#include "runtime/error.h"
#include "tests/simt/kernels.h"
#include "tests/source_path.h"

namespace cairn {
namespace {

enum class Needs { nothing, checker };

struct Bug {
  std::string kernel;
  Needs needs;
  std::string words;  // of the report
};

std::ostream& operator<<(std::ostream& out, const Bug& b) { return out << b.kernel; }

const Bug bugs[] = {
    {"missing_barrier", Needs::checker, "race"},
    {"missing_second_barrier", Needs::checker, "race"},
    {"divergent_barrier", Needs::nothing, "returned while 40 threads wait at sync_threads"},
    {"two_barriers", Needs::nothing, "waits at sync_threads"},
    {"early_return", Needs::nothing, "return"},
    {"caller_outside_mask", Needs::nothing, "with mask 0000ffff, which does not contain it"},
    {"lanes_missing", Needs::nothing, "no thread can run on: threads 0..15 at shuffle_xor"},
    {"masks_differ", Needs::nothing, "mask"},
    {"source_outside_mask", Needs::nothing, "reads lane 20 in shuffle"},
    {"missing_sync_warp", Needs::checker, "race"},
    {"blocks_write_one_place", Needs::checker, "race"},
    {"counted_but_unordered", Needs::checker, "race"},
    {"written_after_arriving", Needs::checker, "race"},
    {"atomic_and_plain", Needs::checker, "changed it atomically"},
    {"read_before_write", Needs::checker, "before any thread of the block has written it"},
    {"copy_not_waited_for", Needs::checker, "is under way"},
    {"copy_without_barrier", Needs::checker, "race"},
    {"static_index", Needs::checker, "index 64 is out of range for 'float [64]'"},
    {"dynamic_index", Needs::checker, "byte 256 of the dynamic shared memory, 256 bytes"},
    {"device_index", Needs::checker, "byte 1024 of an allocation of 1024 bytes"},
    {"misaligned_load", Needs::nothing, "is not a multiple of 16"},
};

// "planted_bugs.cu:12" for every line that carries a comment with the kernel's name.
std::vector<std::string> marked_lines(const std::string& kernel) {
  std::ifstream file(source_path("tests/simt/planted_bugs.cu"));
  std::vector<std::string> places;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number)
    if (line.ends_with("// " + kernel)) places.push_back(text("planted_bugs.cu:", number));
  return places;
}

class PlantedBugs : public testing::TestWithParam<Bug> {
 protected:
  void TearDown() override { simt::set_order(simt::Order::ascending); }

  void run(bool corrected) {
    std::vector<float> values(256);
    std::iota(values.begin(), values.end(), 1.f);
    const Tensor x = Tensor::from<float>({256}, values, Device::simt);
    Tensor y = Tensor::zeros({256}, DType::f32, Device::simt);
    simt::run_planted(GetParam().kernel, corrected, x, y);
  }
};

const simt::Order orders[] = {simt::Order::ascending, simt::Order::descending, simt::Order::random};

TEST_P(PlantedBugs, AreNamedWithKernelBlockThreadAndLines) {
  if (GetParam().needs == Needs::checker && !simt::has_checker())
    GTEST_SKIP() << "found by the checker: configure with -DCAIRN_SIMT_CHECKER=ON";
  for (simt::Order order : orders) {
    simt::set_order(order, 3);
    try {
      run(false);
      FAIL() << "nothing was reported in order " << int(order);
    } catch (const Error& e) {
      EXPECT_EQ(e.where.find(GetParam().kernel + " on simt, block ("), 0u) << e.what();
      EXPECT_NE(e.where.find("thread ("), std::string::npos) << e.what();
      // In another order the same bug may show from its other side, in other words.
      if (order == simt::Order::ascending) {
        EXPECT_NE(e.wrong.find(GetParam().words), std::string::npos) << e.what();
      }
      EXPECT_FALSE(marked_lines(GetParam().kernel).empty());
      for (const std::string& place : marked_lines(GetParam().kernel))
        EXPECT_NE(e.wrong.find(place), std::string::npos) << place << " is not in\n" << e.what();
    }
  }
}

TEST_P(PlantedBugs, AreGoneFromTheCorrectedTwin) {
  for (simt::Order order : orders) {
    simt::set_order(order, 3);
    EXPECT_NO_THROW(run(true));
  }
}

INSTANTIATE_TEST_SUITE_P(, PlantedBugs, testing::ValuesIn(bugs),
                         [](const auto& info) { return info.param.kernel; });

}  // namespace
}  // namespace cairn
