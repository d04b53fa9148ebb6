#include "training/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <sstream>

namespace cairn {

Progress::Progress(std::string what, int64_t total, std::string unit)
    : Progress(std::move(what), total, std::move(unit), std::cerr, isatty(STDERR_FILENO) != 0) {}

Progress::Progress(std::string what, int64_t total, std::string unit, std::ostream& out,
                   bool terminal)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      total_(total),
      out_(out),
      terminal_(terminal) {}

Progress::~Progress() {
  if (width_ > 0) out_ << std::endl;
}

void Progress::update(int64_t done, const std::string& note) {
  const Clock::time_point now = Clock::now();
  const bool is_first = !started_;
  if (is_first) {
    started_ = true;
    start_ = now;
    first_ = done;
  }
  const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10);
  if (!is_first && now - shown_ < pause && (total_ == 0 || done < total_)) return;
  shown_ = now;
  const std::string text = line(done, note);
  if (!terminal_) {
    out_ << text << std::endl;
    return;
  }
  out_ << '\r' << text << std::string(width_ > text.size() ? width_ - text.size() : 0, ' ')
       << std::flush;
  width_ = text.size();
}

std::string Progress::line(int64_t done, const std::string& note) const {
  std::ostringstream s;
  s << what_ << ' ' << done;
  if (total_ > 0) s << '/' << total_ << ' ' << 100 * done / total_ << " %";
  const double seconds = std::chrono::duration<double>(shown_ - start_).count();
  if (done > first_ && seconds > 0) {
    const double rate = double(done - first_) / seconds;
    s << ", " << std::fixed << std::setprecision(rate < 10 ? 2 : 0) << rate << ' ' << unit_ << "/s";
    if (done < total_)
      s << ", left " << duration_text(double(total_ - done) / rate);
    else
      s << ", took " << duration_text(seconds);
  }
  if (!note.empty()) s << ", " << note;
  return s.str();
}

std::string duration_text(double seconds) {
  const int64_t s = std::llround(std::clamp(seconds, 0.0, 1e12));
  std::ostringstream out;
  if (s < 60)
    out << s << " s";
  else if (s < 3600)
    out << s / 60 << " min " << s % 60 << " s";
  else
    out << s / 3600 << " h " << s % 3600 / 60 << " min";
  return out.str();
}

}  // namespace cairn
