#pragma once
// What a test asks of a trace: its events, by name, and whether they nest.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/atomic_file.h"

namespace cairn {

class TraceEvents {
 public:
  explicit TraceEvents(const std::string& path)
      : events_(nlohmann::json::parse(read_file(path)).at("traceEvents")) {}

  /// Those of one kind: "X" complete, "C" counters, "M" names.
  std::vector<nlohmann::json> of(const std::string& phase) const {
    std::vector<nlohmann::json> found;
    for (const auto& e : events_)
      if (e.at("ph") == phase) found.push_back(e);
    return found;
  }
  std::vector<nlohmann::json> named(const std::string& name) const {
    std::vector<nlohmann::json> found;
    for (const auto& e : of("X"))
      if (e.at("name") == name) found.push_back(e);
    return found;
  }
  std::set<std::string> thread_names() const {
    std::set<std::string> names;
    for (const auto& e : of("M"))
      if (e.at("name") == "thread_name") names.insert(e.at("args").at("name"));
    return names;
  }

  /// `inner` lies within `outer`, on its thread. Times are microseconds with three decimals.
  static bool within(const nlohmann::json& inner, const nlohmann::json& outer) {
    return inner.at("pid") == outer.at("pid") && inner.at("tid") == outer.at("tid") &&
           begin(inner) >= begin(outer) - tolerance && end(inner) <= end(outer) + tolerance;
  }

  /// Of one thread each two ranges are apart, or one lies within the other.
  void expect_nested() const {
    std::map<std::pair<int, int>, std::vector<nlohmann::json>> threads;
    for (const auto& e : of("X")) threads[{e.at("pid"), e.at("tid")}].push_back(e);
    for (const auto& [thread, ranges] : threads) {
      std::vector<nlohmann::json> open;
      for (const auto& e : ranges) {  // in the order in which they begin, parents first
        while (!open.empty() && end(open.back()) <= begin(e) + tolerance) open.pop_back();
        if (!open.empty()) EXPECT_TRUE(within(e, open.back())) << e << '\n' << open.back();
        open.push_back(e);
      }
    }
  }

 private:
  static constexpr double tolerance = 5e-4;
  static double begin(const nlohmann::json& e) { return e.at("ts"); }
  static double end(const nlohmann::json& e) {
    return e.at("ts").get<double>() + e.at("dur").get<double>();
  }

  nlohmann::json events_;
};

}  // namespace cairn
