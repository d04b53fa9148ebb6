#include "training/run_log.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "runtime/atomic_file.h"
#include "runtime/error.h"

namespace cairn {

using nlohmann::json;

namespace {

std::string line(const LogRow& row) {
  json out{{"kind", row.kind}, {"step", row.step}};
  for (const auto& [key, value] : row.values) out[key] = value;
  if (!row.warnings.empty()) out["warnings"] = row.warnings;
  return out.dump() + "\n";
}

}  // namespace

std::vector<LogRow> read_log(const std::string& path) {
  std::vector<LogRow> rows;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    const json row = json::parse(line, nullptr, false);
    if (!row.is_object()) continue;  // a line cut off by a crash
    LogRow r;
    for (const auto& [key, value] : row.items()) {
      if (key == "kind" && value.is_string()) r.kind = value;
      if (key == "warnings" && value.is_array())
        for (const json& warning : value)
          if (warning.is_string()) r.warnings.push_back(warning);
      if (!value.is_number()) continue;
      if (key == "step")
        r.step = value;
      else
        r.values[key] = value;
    }
    rows.push_back(std::move(r));
  }
  return rows;
}

RunLog::RunLog(const std::string& dir, int64_t keep_through) {
  const std::string path = dir + "/log.jsonl";
  std::string kept;
  for (LogRow& row : read_log(path)) {
    if (row.step > keep_through) continue;
    kept += line(row);
    rows_.push_back(std::move(row));
  }
  write_file(path, kept);
  file_ = std::fopen(path.c_str(), "a");
  if (!file_)
    throw Error(path, text("it cannot be written: ", std::strerror(errno)), "a writable run folder",
                "choose another folder with --out");
}

RunLog::~RunLog() { std::fclose(file_); }

void RunLog::write(const LogRow& row) {
  std::fputs(line(row).c_str(), file_);
  std::fflush(file_);
  rows_.push_back(row);
}

}  // namespace cairn
