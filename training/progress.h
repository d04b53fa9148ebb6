#pragma once
// Progress of long work, on stderr: on a terminal one line that is rewritten, elsewhere a plain
// line now and then.
#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>

namespace cairn {

class Progress {
 public:
  /// "train 1200/10000 12 %, 611 images/s, left 1 h 22 min, loss 0.012": `what` is "train", `unit`
  /// is "images". A `total` of 0 is unknown.
  Progress(std::string what, int64_t total, std::string unit);
  /// The same to a stream of the caller's.
  Progress(std::string what, int64_t total, std::string unit, std::ostream& out, bool terminal);
  ~Progress();  ///< ends the line
  Progress(const Progress&) = delete;

  /// `done` of `total`; shown at most ten times a second (terminal) or once in ten seconds. The
  /// rate counts from the first call, so that a resumed run does not look fast.
  void update(int64_t done, const std::string& note = "");

 private:
  using Clock = std::chrono::steady_clock;
  std::string line(int64_t done, const std::string& note) const;

  std::string what_, unit_;
  int64_t total_;
  std::ostream& out_;
  bool terminal_, started_ = false;
  int64_t first_ = 0;
  size_t width_ = 0;  // of the line on the terminal
  Clock::time_point start_, shown_;
};

/// "48 s", "3 min 20 s", "1 h 22 min"
std::string duration_text(double seconds);

}  // namespace cairn
