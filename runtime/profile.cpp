#include "runtime/profile.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <utility>

#include "runtime/cuda_profile.h"
#include "runtime/error.h"
#include "runtime/memory.h"
#include "runtime/profile_tracks.h"

namespace cairn {
namespace {

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// What one thread has recorded. Others read it when the recording ends.
struct ThreadLog {
  std::mutex mutex;
  std::string name;
  int session = 0;  // the number of the recording that it belongs to
  std::vector<RecordedRange> open, done;
  std::vector<MemorySample> samples;

  void join(int current) {
    if (session == current) return;
    session = current;
    open.clear();
    done.clear();
    samples.clear();
  }
};

struct Recorder {
  std::mutex mutex;
  std::vector<std::shared_ptr<ThreadLog>> logs;
  Device device = Device::cpu;
  int64_t start_ns = 0;
  std::atomic<int> session{0};
  std::atomic<int64_t> events{0}, device_ranges{0}, dropped{0};

  // Room for one more of `count`, of which there may be `most`.
  bool take(std::atomic<int64_t>& count, int64_t most) {
    if (count++ < most) return true;
    ++dropped;
    return false;
  }
};

Recorder& recorder() {
  static auto* one = new Recorder;  // never destroyed: threads may outlive static storage
  return *one;
}

ThreadLog& this_thread() {
  thread_local const std::shared_ptr<ThreadLog> log = [] {
    auto made = std::make_shared<ThreadLog>();
    std::lock_guard lock(recorder().mutex);
    recorder().logs.push_back(made);
    return made;
  }();
  return *log;
}

}  // namespace

void ProfileRange::open(Work work, std::string_view name, std::string_view more,
                        std::string_view rest) {
  std::string all;
  all.append(name).append(more).append(rest);
  if constexpr (build::has_cuda) cuda::push_range(all.c_str());
  if (!recording() || !recorder().take(recorder().events, Profile::most_events)) return;
  ThreadLog& log = this_thread();
  std::lock_guard lock(log.mutex);
  log.join(recorder().session);
  recorded_ = log.session;
  const int64_t now = now_ns();
  log.open.push_back({work, std::move(all), now, now, log.open.size()});
}

void ProfileRange::close() {
  if constexpr (build::has_cuda) cuda::pop_range();
  if (!recorded_) return;
  ThreadLog& log = this_thread();
  std::lock_guard lock(log.mutex);
  if (log.session != recorded_) return;  // a later recording has begun
  RecordedRange range = std::move(log.open.back());
  log.open.pop_back();
  if (!recording()) return;
  if constexpr (build::has_cuda)
    if (range.device_begin >= 0) range.device_end = cuda::mark();
  range.end = now_ns();
  log.done.push_back(std::move(range));
}

void ProfileRange::mark_begin() const {
  Recorder& r = recorder();
  if (r.device != Device::cuda || !r.take(r.device_ranges, Profile::most_device_ranges)) return;
  ThreadLog& log = this_thread();
  std::lock_guard lock(log.mutex);
  if (log.session != recorded_) return;
  RecordedRange& range = log.open.back();
  if constexpr (build::has_cuda) range.device_begin = cuda::mark();
  for (const RecordedRange& outer : log.open)
    if (outer.work == Work::module) range.module = outer.name;
}

void ProfileRange::add_note(const char* key, Note note) const {
  ThreadLog& log = this_thread();
  std::lock_guard lock(log.mutex);
  if (log.session != recorded_) return;
  log.open.back().key = key;
  log.open.back().note = std::move(note);
}

void Profile::add_memory(Device device, size_t bytes) {
  if (!recorder().take(recorder().events, most_events)) return;
  ThreadLog& log = this_thread();
  std::lock_guard lock(log.mutex);
  log.join(recorder().session);
  log.samples.push_back({device, now_ns(), bytes});
}

void Profile::name_thread(const std::string& name) {
  ThreadLog& log = this_thread();
  std::lock_guard lock(log.mutex);
  log.name = name;
}

namespace {

// What the threads have recorded, without the ranges that are still open.
ProfileTracks collected() {
  ProfileTracks all;
  all.end_ns = now_ns();
  Recorder& r = recorder();
  all.start_ns = r.start_ns;
  all.dropped = r.dropped;
  std::lock_guard lock(r.mutex);
  for (const auto& log : r.logs) {
    std::lock_guard of_thread(log->mutex);
    if (log->session != r.session) continue;
    if (!log->done.empty()) {
      const std::string number = text("thread ", all.threads.size() + 1);
      all.threads.push_back({log->name.empty() ? number : log->name, std::exchange(log->done, {})});
      all.threads.back().sort();
    }
    all.samples.insert(all.samples.end(), log->samples.begin(), log->samples.end());
    log->samples.clear();
  }
  std::sort(all.samples.begin(), all.samples.end(),
            [](const MemorySample& a, const MemorySample& b) { return a.at < b.at; });
  return all;
}

// The ranges that were timed on the GPU, at its times.
void add_device_track(ProfileTracks& all) {
  if constexpr (build::has_cuda) {
    const std::vector<int64_t> times = cuda::mark_times();
    for (const ProfileTrack& thread : all.threads)
      for (RecordedRange range : thread.ranges) {
        if (range.device_begin < 0 || range.device_end < 0) continue;
        range.begin = times.at(size_t(range.device_begin));
        range.end = times.at(size_t(range.device_end));
        all.device.ranges.push_back(std::move(range));
      }
    all.device.sort();
  }
}

}  // namespace

Profile::Profile(const std::string& path) : path_(path), file_(path) {}

Profile::~Profile() {
  if (started_ && !finished_) ProfileRange::recording_ = false;
}

void Profile::start(Device device) {
  Recorder& r = recorder();
  if (recording())
    throw Error(path_, "a profile is being recorded already", "one at a time",
                "finish the other one first");
  if (this_thread().name.empty()) name_thread("main");
  {
    std::lock_guard lock(r.mutex);
    std::erase_if(r.logs, [](const auto& log) { return log.use_count() == 1; });  // threads gone
    std::stable_partition(r.logs.begin(), r.logs.end(),  // this one is the first to be seen
                          [](const auto& log) { return log.get() == &this_thread(); });
  }
  ++r.session;
  r.events = r.device_ranges = r.dropped = 0;
  r.device = device;
  if constexpr (build::has_cuda)
    if (device == Device::cuda) cuda::start_marks();
  r.start_ns = now_ns();
  started_ = ProfileRange::recording_ = true;
  memory_in_use(device, memory(device).use().in_use);
}

void Profile::finish() {
  ProfileRange::recording_ = false;
  ProfileTracks all = collected();
  if (recorder().device == Device::cuda) add_device_track(all);
  summary_ = summarized(all);
  write_trace(file_, all);
  finished_ = true;
}

}  // namespace cairn
