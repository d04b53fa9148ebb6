#include "runtime/profile.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "kernels/elementwise/add.h"
#include "runtime/error.h"
#include "runtime/memory.h"
#include "runtime/profile_tracks.h"
#include "runtime/tensor.h"
#include "tests/temporary_folder.h"
#include "tests/trace_events.h"

namespace cairn {
namespace {

class ProfileTest : public testing::Test {
 protected:
  template <class F>
  void record(F&& work) {
    Profile profile(path_);
    profile.start(Device::cpu);
    work();
    profile.finish();
    summary_ = profile.summary();
  }
  template <class F>
  TraceEvents recorded(F&& work) {
    record(work);
    return TraceEvents(path_);
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_ / "trace.json";
  ProfileSummary summary_;
};

TEST_F(ProfileTest, RangesLieWithinThoseThatWereOpen) {
  const TraceEvents trace = recorded([] {
    const ProfileRange step(Work::host, "step");
    {
      const ProfileRange module(Work::module, "conv1a", " backward");
      const OpScope op("conv2d");
      EXPECT_STREQ(OpScope::current(), "conv2d");
    }
    const ProfileRange module(Work::module, "conv1b");
  });
  ASSERT_EQ(trace.of("X").size(), 4u);
  trace.expect_nested();
  const auto step = trace.named("step").at(0), first = trace.named("conv1a backward").at(0);
  EXPECT_TRUE(TraceEvents::within(first, step));
  EXPECT_TRUE(TraceEvents::within(trace.named("conv2d").at(0), first));
  EXPECT_TRUE(TraceEvents::within(trace.named("conv1b").at(0), step));
  EXPECT_FALSE(TraceEvents::within(trace.named("conv1b").at(0), first));
  EXPECT_EQ(step.at("cat"), "host");
  EXPECT_EQ(first.at("cat"), "module");
  EXPECT_EQ(trace.named("conv2d").at(0).at("cat"), "op");
}

TEST_F(ProfileTest, NothingIsRecordedWithoutAProfileNorBeforeAndAfterIt) {
  EXPECT_FALSE(Profile::recording());
  const ProfileRange alone(Work::host, "alone");
  EXPECT_FALSE(alone.recorded());
  const TraceEvents trace = recorded([] { EXPECT_TRUE(Profile::recording()); });
  const ProfileRange after(Work::host, "after");
  EXPECT_FALSE(after.recorded());
  EXPECT_TRUE(trace.of("X").empty());
  EXPECT_TRUE(summary_.host.empty());
}

TEST_F(ProfileTest, ARangeThatOutlivesItsRecordingIsLeftOutAndHarmsNoLaterOne) {
  std::unique_ptr<ProfileRange> long_one;
  record([&] { long_one = std::make_unique<ProfileRange>(Work::host, "long"); });
  const TraceEvents trace = recorded([&] {
    const ProfileRange range(Work::host, "short");
    long_one.reset();
  });
  ASSERT_EQ(trace.of("X").size(), 1u);
  EXPECT_EQ(trace.of("X")[0].at("name"), "short");
}

TEST_F(ProfileTest, EachThreadHasATrackWithItsName) {
  const TraceEvents trace = recorded([] {
    const ProfileRange range(Work::host, "here");
    std::thread([] {
      Profile::name_thread("data worker 1");
      const ProfileRange there(Work::host, "there");
    }).join();
  });
  EXPECT_EQ(trace.thread_names(), (std::set<std::string>{"main", "data worker 1"}));
  EXPECT_NE(trace.named("here").at(0).at("tid"), trace.named("there").at(0).at("tid"));
}

TEST_F(ProfileTest, NamesAndNotesArriveWhateverTheyHold) {
  const std::string odd = "a \"quoted\"\n\xff path";
  const TraceEvents trace = recorded([&] {
    const ProfileRange range(Work::host, odd);
    range.note("bytes", 4096);
    const ProfileRange inner(Work::host, "inner");
    inner.note("file", odd);
  });
  EXPECT_EQ(trace.of("X").at(0).at("name"), "a \"quoted\"\n\xef\xbf\xbd path");
  EXPECT_EQ(trace.of("X").at(0).at("args").at("bytes"), 4096);
  EXPECT_EQ(trace.of("X").at(1).at("args").at("file"), "a \"quoted\"\n\xef\xbf\xbd path");
}

TEST_F(ProfileTest, MemoryInUseIsACurve) {
  const size_t before = memory(Device::cpu).use().in_use;
  const TraceEvents trace = recorded([] { Tensor::empty({1024}); });
  const auto samples = trace.of("C");
  ASSERT_EQ(samples.size(), 3u);  // at the start, with the tensor, without
  EXPECT_EQ(samples[0].at("args").at("bytes"), before);
  EXPECT_EQ(samples[1].at("args").at("bytes"), before + 4096);
  EXPECT_EQ(samples[2].at("args").at("bytes"), before);
  EXPECT_EQ(samples[0].at("name"), "memory in use on cpu");
}

TEST_F(ProfileTest, CopiesBetweenDevicesShowTheirBytes) {
  if (!why_unavailable(Device::simt).empty()) GTEST_SKIP() << "no simt here";
  const TraceEvents trace = recorded([] {
    Tensor::zeros({3, 5}).clone();  // within the cpu: no copy to speak of
    Tensor::zeros({3, 5}).to(Device::simt).to(Device::cpu);
  });
  ASSERT_EQ(trace.of("X").size(), 2u);
  for (const char* name : {"copy to simt", "copy to cpu"}) {
    EXPECT_EQ(trace.named(name).at(0).at("cat"), "copy");
    EXPECT_EQ(trace.named(name).at(0).at("args").at("bytes"), 60);
  }
}

// The GPU is a process of its own in the trace; its times lie between the host's of the recording.
TEST_F(ProfileTest, WorkOnCudaHasATrackByTheGpusClock) {
  if (!why_unavailable(Device::cuda).empty()) GTEST_SKIP() << "no GPU here";
  Profile profile(path_);
  profile.start(Device::cuda);
  {
    const ProfileRange step(Work::host, "step");
    const ProfileRange module(Work::module, "conv1a");
    const Tensor x = Tensor::full({1 << 20}, 1, DType::f32, Device::cuda);
    Tensor y = x.empty_like();
    add(x, x, y);
    y.to(Device::cpu);  // waits
  }
  profile.finish();
  const TraceEvents trace(path_);
  trace.expect_nested();
  EXPECT_EQ(trace.thread_names(), (std::set<std::string>{"main", "stream"}));
  const auto step = trace.named("step").at(0);
  for (const char* name : {"copy to cuda", "add", "copy to cpu"}) {
    ASSERT_EQ(trace.named(name).size(), 2u) << name;
    auto on_device = trace.named(name).at(1);
    EXPECT_EQ(on_device.at("args").at("module"), "conv1a");
    EXPECT_GT(on_device.at("dur"), 0);
    EXPECT_GT(on_device.at("ts").get<double>() + 100, step.at("ts"));  // microseconds
    EXPECT_LT(on_device.at("ts").get<double>() + on_device.at("dur").get<double>(),
              step.at("ts").get<double>() + step.at("dur").get<double>() + 100);
  }
  EXPECT_TRUE(profile.summary().on_cuda);
  EXPECT_EQ(profile.summary().modules.at(0).name, "conv1a");
}

TEST_F(ProfileTest, BeyondTheMostEventsTheRestIsCounted) {
  record([] {
    for (int64_t i = 0; i < Profile::most_events + 10; ++i) ProfileRange(Work::op, "add");
  });
  EXPECT_EQ(summary_.dropped, 11);  // the sample of memory at the start is one event
  EXPECT_EQ(summary_.ops.at(0).calls, Profile::most_events - 1);
  EXPECT_NE(read_file(path_).find("\"dropped\": 11"), std::string::npos);
}

TEST_F(ProfileTest, AFileThatCannotBeWrittenIsRefusedBeforeTheWork) {
  EXPECT_THROW(Profile(folder_ / "none/trace.json"), Error);
  EXPECT_THROW(Profile(folder_.path()), Error);
}

TEST_F(ProfileTest, AnUnfinishedOneLeavesNoFile) {
  {
    Profile profile(path_);
    profile.start(Device::cpu);
  }
  EXPECT_FALSE(Profile::recording());
  EXPECT_EQ(folder_.files(), 0u);
}

TEST_F(ProfileTest, ThereIsOneAtATime) {
  record([&] {
    Profile second(folder_ / "second.json");
    EXPECT_THROW(second.start(Device::cpu), Error);
  });
  EXPECT_EQ(folder_.files(), 1u);
}

RecordedRange range(Work work, const char* name, int64_t begin_ms, int64_t end_ms, size_t depth) {
  return {work, name, begin_ms * 1'000'000, end_ms * 1'000'000, depth};
}

TEST(ProfileSummaryTest, TimesAreWithoutRangesOfTheirGroupInside) {
  ProfileTracks tracks;
  tracks.end_ns = 100'000'000;
  tracks.threads = {
      {"main",
       {range(Work::host, "step", 0, 90, 0), range(Work::host, "forward", 10, 40, 1),
        range(Work::module, "block", 10, 40, 2), range(Work::module, "conv1a", 20, 30, 3),
        range(Work::op, "conv2d", 20, 29, 4), range(Work::copy, "copy to cpu", 22, 24, 5),
        range(Work::op, "add", 30, 40, 3)}}};
  const ProfileSummary s = summarized(tracks);
  EXPECT_EQ(s.recorded_ms, 100);
  EXPECT_FALSE(s.on_cuda);
  const auto expect = [](const std::vector<ProfileSummary::Row>& rows,
                         const std::vector<std::pair<std::string, double>>& expected) {
    ASSERT_EQ(rows.size(), expected.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows[i].name, expected[i].first);
      EXPECT_NEAR(rows[i].ms, expected[i].second, 1e-9);
      EXPECT_NEAR(rows[i].share, expected[i].second / 100, 1e-11);
      EXPECT_EQ(rows[i].calls, 1);
    }
  };
  expect(s.host, {{"step", 60}, {"forward", 30}});
  expect(s.modules, {{"block", 20}, {"conv1a", 10}});
  expect(s.ops, {{"add", 10}, {"conv2d", 7}, {"copy to cpu", 2}});
}

// As a recording on a GPU ends: the host has long gone on when an op runs.
TEST(ProfileSummaryTest, OpsAndModulesAreThoseOfTheGpuWhereThereIsOne) {
  ProfileTracks tracks;
  tracks.end_ns = 100'000'000;
  RecordedRange conv = range(Work::op, "conv2d", 50, 80, 4),
                add = range(Work::op, "add", 80, 85, 2),
                pool = range(Work::op, "max_pool", 85, 90, 3);
  conv.module = "conv1a";
  tracks.threads = {{"main",
                     {range(Work::host, "step", 0, 90, 0), range(Work::module, "conv1a", 1, 3, 1),
                      range(Work::op, "conv2d", 1, 2, 2)}}};
  tracks.device.ranges = {conv, add, pool};
  const ProfileSummary s = summarized(tracks);
  EXPECT_TRUE(s.on_cuda);
  ASSERT_EQ(s.ops.size(), 3u);
  EXPECT_EQ(s.ops[0].name, "conv2d");
  EXPECT_NEAR(s.ops[0].ms, 30, 1e-9);
  EXPECT_NEAR(s.ops[1].ms, 5, 1e-9);  // the deeper one that follows is not inside
  ASSERT_EQ(s.modules.size(), 1u);
  EXPECT_EQ(s.modules[0].name, "conv1a");
  EXPECT_NEAR(s.modules[0].ms, 30, 1e-9);

  TemporaryFolder folder;
  AtomicFile file(folder / "trace.json");
  write_trace(file, tracks);
  const TraceEvents trace(folder / "trace.json");
  EXPECT_EQ(trace.thread_names(), (std::set<std::string>{"main", "stream"}));
  EXPECT_NE(trace.named("conv2d").at(0).at("pid"), trace.named("conv2d").at(1).at("pid"));
  EXPECT_EQ(trace.named("conv2d").at(1).at("args").at("module"), "conv1a");
  EXPECT_EQ(trace.named("conv2d").at(1).at("ts"), 50'000);
  EXPECT_EQ(trace.named("conv2d").at(1).at("dur"), 30'000);
}

}  // namespace
}  // namespace cairn
