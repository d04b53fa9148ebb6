#include "training/progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace cairn {
namespace {

TEST(Progress, OffATerminalItIsPlainLinesAndFew) {
  std::ostringstream out;
  {
    Progress progress("train", 1000, "images", out, false);
    for (int i = 0; i <= 1000; ++i) progress.update(i, "loss 0.5");
  }
  const std::string said = out.str();
  EXPECT_EQ(said.find('\r'), std::string::npos);
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 2) << said;
  EXPECT_NE(said.find("train 0/1000 0 %, loss 0.5\n"), std::string::npos) << said;
  EXPECT_NE(said.find("train 1000/1000 100 %, "), std::string::npos) << said;
}

TEST(Progress, OnATerminalOneLineIsRewritten) {
  std::ostringstream out;
  {
    Progress progress("read", 0, "files", out, true);
    progress.update(1, "a long note");
    progress.update(2);
  }
  EXPECT_EQ(out.str(), "\rread 1, a long note\n");  // the second comes too early
}

TEST(Progress, DurationsAreReadable) {
  EXPECT_EQ(duration_text(0.4), "0 s");
  EXPECT_EQ(duration_text(200), "3 min 20 s");
  EXPECT_EQ(duration_text(4925), "1 h 22 min");
}

}  // namespace
}  // namespace cairn
