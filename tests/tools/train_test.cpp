// Runs that end early: whatever happens, the folder holds a whole checkpoint to go on from.
#include <filesystem>

#include "tests/source_path.h"
#include "tests/tools/run_program.h"

namespace cairn {
namespace {

class Train : public ProgramTest {
 protected:
  // A run of a few small steps; `more` ends the line.
  std::string run(const std::string& more) const {
    return "train " + source_path("recipes/magicpoint.toml") +
           " --out run --set train.batch=1"
           " --set train.log_every=1 --set train.evaluate_at_end=false " +
           more;
  }
  std::string checkpoint() const { return read_file(folder_ / "run/checkpoint.safetensors"); }
  void expect_no_remains() const {
    for (const auto& file : std::filesystem::directory_iterator(folder_ / "run"))
      EXPECT_EQ(file.path().string().find(".tmp"), std::string::npos) << file.path();
  }
};

TEST_F(Train, CtrlCLeavesACheckpointThatTheRunGoesOnFrom) {
  const Answer stopped =
      shell("\"$cairn\" " + run("--set train.steps=100000 --json") +
            " & while [ ! -s run/log.jsonl ] && kill -0 $!; do sleep 0.05; done; "
            "kill -INT $!; wait $!");
  EXPECT_EQ(stopped.code, 0) << stopped;
  ASSERT_TRUE(stopped.json()["interrupted"]) << stopped;
  const int64_t done = stopped.json()["steps"];
  EXPECT_GE(done, 1);
  expect_no_remains();

  const Answer resumed =
      cairn("train --resume run --json --set train.steps=" + std::to_string(done + 1));
  EXPECT_EQ(resumed.code, 0) << resumed;
  EXPECT_EQ(resumed.json()["steps"], done + 1);
  EXPECT_FALSE(resumed.json()["interrupted"]);
}

TEST_F(Train, ADiskThatFillsUpLeavesTheLastCheckpointWhole) {
  EXPECT_EQ(cairn(run("--set train.steps=1")).code, 0);
  const std::string before = checkpoint();

  // No file may grow beyond a tenth of a checkpoint; as on a full disk, the write itself fails.
  const std::string blocks = std::to_string(before.size() / 10 / 512);
  const Answer full = shell("trap \"\" XFSZ; ulimit -f " + blocks +
                            "; \"$cairn\" train --resume run --set train.steps=2");
  expect_error(full, 1, "checkpoint.safetensors");
  EXPECT_EQ(checkpoint(), before);
  expect_no_remains();

  EXPECT_EQ(cairn("train --resume run --set train.steps=2").code, 0);
}

TEST_F(Train, Bf16NeedsAGpuAndSaysSoBeforeAnythingIsWritten) {
  expect_error(cairn(run("--device cpu --precision bf16")), 2, "bf16 training needs a GPU");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(Train, ARecipeThatIsWrongIsRefusedBeforeAnythingIsWritten) {
  expect_error(cairn(run("--set train.stepz=3")), 2, "train.steps");
  expect_error(cairn(run("--set train.batch=0")), 2, "train.batch");
  expect_error(cairn(run("--set data.width=61")), 2, "data.width");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

}  // namespace
}  // namespace cairn
