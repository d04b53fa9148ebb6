#include "runtime/profile_tracks.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "runtime/error.h"

namespace cairn {

void ProfileTrack::sort() {
  std::sort(ranges.begin(), ranges.end(), [](const RecordedRange& a, const RecordedRange& b) {
    return std::tie(a.begin, a.depth) < std::tie(b.begin, b.depth);
  });
}

namespace {

using Json = nlohmann::ordered_json;

const char* category(Work work) {
  switch (work) {
    case Work::host:
      return "host";
    case Work::module:
      return "module";
    case Work::op:
      return "op";
    case Work::copy:
      return "copy";
  }
  return "?";
}

class TraceWriter {
 public:
  TraceWriter(AtomicFile& file, const ProfileTracks& tracks) : file_(file), tracks_(tracks) {}

  void write() {
    constexpr int host = 1, device = 2;
    buffer_ = text("{\"displayTimeUnit\": \"ms\",\n\"otherData\": {\"dropped\": ", tracks_.dropped,
                   "},\n\"traceEvents\": [\n");
    name("process_name", host, 0, "host");
    for (size_t i = 0; i < tracks_.threads.size(); ++i) track(tracks_.threads[i], host, int(i) + 1);
    if (!tracks_.device.ranges.empty()) {
      name("process_name", device, 0, "cuda");
      track(tracks_.device, device, 1);
    }
    for (const MemorySample& s : tracks_.samples)
      event({{"ph", "C"},
             {"name", text("memory in use on ", s.device)},
             {"pid", host},
             {"ts", since_start(s.at)},
             {"args", {{"bytes", s.bytes}}}});
    buffer_ += "\n]}\n";
    file_.write(buffer_);
    file_.commit();
  }

 private:
  double since_start(int64_t ns) const { return double(ns - tracks_.start_ns) / 1e3; }

  void name(const char* what, int process, int thread, const std::string& value) {
    event({{"ph", "M"},
           {"name", what},
           {"pid", process},
           {"tid", thread},
           {"args", {{"name", value}}}});
  }

  void track(const ProfileTrack& t, int process, int thread) {
    name("thread_name", process, thread, t.name);
    for (const RecordedRange& range : t.ranges) {
      Json e{{"ph", "X"},
             {"name", range.name},
             {"cat", category(range.work)},
             {"pid", process},
             {"tid", thread},
             {"ts", since_start(range.begin)},
             {"dur", double(range.end - range.begin) / 1e3}};
      if (range.key) std::visit([&](const auto& note) { e["args"][range.key] = note; }, range.note);
      if (!range.module.empty()) e["args"]["module"] = range.module;
      event(e);
    }
  }

  void event(const Json& e) {
    if (!first_) buffer_ += ",\n";
    first_ = false;
    buffer_ += e.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (buffer_.size() < size_t{1} << 20) return;
    file_.write(buffer_);
    buffer_.clear();
  }

  AtomicFile& file_;
  const ProfileTracks& tracks_;
  std::string buffer_;
  bool first_ = true;
};

Work group(const RecordedRange& range) {
  return range.work == Work::copy ? Work::op : range.work;  // listed together
}

// Calls use(range, ns): its time without ranges of the same group inside.
template <class Use>
void for_each_own_time(const ProfileTrack& track, Use&& use) {
  std::vector<int64_t> own;
  std::vector<size_t> open;  // the ranges around the present one
  for (size_t i = 0; i < track.ranges.size(); ++i) {
    const RecordedRange& range = track.ranges[i];
    own.push_back(range.end - range.begin);
    const auto around = [&](const RecordedRange& outer) {
      return outer.depth < range.depth && outer.end > range.begin;
    };
    while (!open.empty() && !around(track.ranges[open.back()])) open.pop_back();
    for (auto outer = open.rbegin(); outer != open.rend(); ++outer) {
      if (group(track.ranges[*outer]) != group(range)) continue;
      own[*outer] -= own.back();
      break;
    }
    open.push_back(i);
  }
  for (size_t i = 0; i < own.size(); ++i) use(track.ranges[i], own[i]);
}

class Rows {
 public:
  void add(const std::string& name, int64_t ns) {
    Row& row = rows_[name];
    row.ms += double(ns) * 1e-6;
    ++row.calls;
  }
  std::vector<ProfileSummary::Row> longest_first(double recorded_ms) const {
    std::vector<Row> sorted;
    for (auto [name, row] : rows_) {
      row.name = name;
      row.share = row.ms / recorded_ms;
      sorted.push_back(row);
    }
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Row& a, const Row& b) { return a.ms > b.ms; });
    return sorted;
  }

 private:
  using Row = ProfileSummary::Row;
  std::map<std::string, Row> rows_;
};

}  // namespace

void write_trace(AtomicFile& file, const ProfileTracks& tracks) {
  TraceWriter(file, tracks).write();
}

ProfileSummary summarized(const ProfileTracks& tracks) {
  ProfileSummary s;
  s.recorded_ms = double(tracks.end_ns - tracks.start_ns) * 1e-6;
  s.on_cuda = !tracks.device.ranges.empty();
  s.dropped = tracks.dropped;
  Rows host, modules, ops;
  for (const ProfileTrack& thread : tracks.threads)
    for_each_own_time(thread, [&](const RecordedRange& range, int64_t ns) {
      if (range.work == Work::host) host.add(range.name, ns);
      if (range.work == Work::module && !s.on_cuda) modules.add(range.name, ns);
      if (group(range) == Work::op && !s.on_cuda) ops.add(range.name, ns);
    });
  for_each_own_time(tracks.device, [&](const RecordedRange& range, int64_t ns) {
    ops.add(range.name, ns);
    if (!range.module.empty()) modules.add(range.module, ns);
  });
  s.host = host.longest_first(s.recorded_ms);
  s.modules = modules.longest_first(s.recorded_ms);
  s.ops = ops.longest_first(s.recorded_ms);
  return s;
}

}  // namespace cairn
