#pragma once
// log.jsonl: one JSON object per line, kind "step" or "evaluation". The report is drawn from it.
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace cairn {

struct LogRow {
  std::string kind;  ///< "step", "evaluation"
  int64_t step = 0;
  std::map<std::string, double> values;
  std::vector<std::string> warnings = {};  ///< of an evaluation
};

class RunLog {
 public:
  /// Opens DIR/log.jsonl; rows beyond `keep_through` are dropped, so that a resumed run repeats
  /// none.
  RunLog(const std::string& dir, int64_t keep_through);
  ~RunLog();
  RunLog(const RunLog&) = delete;
  void write(const LogRow& row);
  const std::vector<LogRow>& rows() const { return rows_; }

 private:
  std::FILE* file_;
  std::vector<LogRow> rows_;
};

std::vector<LogRow> read_log(const std::string& path);

}  // namespace cairn
