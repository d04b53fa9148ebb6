// Runs that end in an error: what is told, and what is left.
#include "training/failed_run.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "runtime/memory.h"
#include "runtime/safetensors.h"
#include "tests/caught.h"
#include "tests/temporary_folder.h"

namespace cairn {
namespace {

Recipe recipe(int batch) {
  return Recipe::from_text(
      text("task = \"magicpoint\"\n[model]\narchitecture = \"magicpoint\"\nnorm = \"pre\"\n"
           "[train]\nsteps = 4\nbatch = ",
           batch,
           "\nlog_every = 1\nevaluate_every = 100\nevaluate_at_end = false\n"
           "checkpoint_every = 2\n[data]\nheight = 120\nwidth = 160\nworkers = 1\n"),
      "test.toml");
}

TrainOptions into(const std::string& folder) {
  TrainOptions options;
  options.out = folder;
  return options;
}

// No more than so many bytes on the cpu while it lives.
class Limit {
 public:
  explicit Limit(size_t bytes) {
    memory(Device::cpu).release_cached();
    memory(Device::cpu).set_limit(memory(Device::cpu).use().in_use + bytes);
  }
  ~Limit() { memory(Device::cpu).set_limit(0); }
};

TEST(FailedRun, WithoutMemorySaysWhichBatchFitsAndItDoes) {
  TemporaryFolder folder;
  const Limit limit(size_t{300} << 20);
  const Error e =
      caught([&] { train_or_explain(recipe(200), into(folder / "run"), [](const auto&) {}); });
  EXPECT_NE(e.wrong.find("out of memory on cpu"), std::string::npos) << e.what();
  const std::string key = "--set train.batch=";
  const size_t at = e.remedy.find(key);
  ASSERT_NE(at, std::string::npos) << e.what();
  EXPECT_EQ(e.remedy.find("checkpoint"), std::string::npos) << "it had not begun";
  const int batch = std::stoi(e.remedy.substr(at + key.size()));
  EXPECT_GT(batch, 4);
  EXPECT_LT(batch, 100);

  TrainOptions dry;
  dry.dry_run = true;
  train(recipe(batch), dry, [](const auto&) {});  // throws unless it fits
  EXPECT_THROW(train(recipe(batch * 3 / 2), dry, [](const auto&) {}), OutOfMemory);
}

TEST(FailedRun, InTheMiddleLeavesAWholeCheckpointAndTheWayOn) {
  TemporaryFolder folder;
  train(recipe(2), into(folder / "whole"), [](const auto&) {});

  // From the third step on the device gives no memory any more.
  std::optional<Limit> limit;
  const Error e = caught([&] {
    train_or_explain(recipe(2), into(folder / "run"), [&](const TrainProgress& p) {
      if (p.step == 3) limit.emplace(0);
    });
  });
  limit.reset();
  EXPECT_NE(e.remedy.find("the checkpoint of step 2 is whole"), std::string::npos) << e.what();
  EXPECT_NE(e.remedy.find("cairn train --resume " + (folder / "run")), std::string::npos);
  TrainOptions resume = into(folder / "run");
  resume.resume = true;
  EXPECT_EQ(train(recipe(2), resume, [](const auto&) {}).steps_done, 4);
  const auto a = read_safetensors(folder / "whole/checkpoint.safetensors"),
             b = read_safetensors(folder / "run/checkpoint.safetensors");
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (const auto& [name, tensor] : a.tensors)
    EXPECT_EQ(tensor.to(DType::f64).values<double>(),
              b.tensors.at(name).to(DType::f64).values<double>())
        << name;
}

TEST(FailedRun, BeforeItBeganOnlySaysWhatIsWrong) {
  TemporaryFolder folder;
  train(recipe(2), into(folder / "run"), [](const auto&) {});
  const Error e =
      caught([&] { train_or_explain(recipe(2), into(folder / "run"), [](const auto&) {}); });
  EXPECT_NE(e.wrong.find("holds a run already"), std::string::npos) << e.what();
  EXPECT_EQ(e.remedy.find("is whole"), std::string::npos) << e.what();
}

}  // namespace
}  // namespace cairn
