// Words for what the emulator finds.
#include <cstring>

#include "kernels/simt/block.h"
#include "runtime/error.h"

namespace cairn::emulator {

std::string place(Site site) { return text(site.file_name(), ":", site.line()); }
std::string place(const char* what, Site site) { return text(what, " (", place(site), ")"); }
std::string hex(unsigned mask) {
  std::ostringstream out;
  out << std::hex << mask;
  return std::string(8 - out.str().size(), '0') + out.str();
}
std::string name(Dim3 index) { return text("(", index.x, ",", index.y, ",", index.z, ")"); }

bool same(const Site& a, const Site& b) {
  return a.line() == b.line() && a.column() == b.column() &&
         (a.file_name() == b.file_name() || std::strcmp(a.file_name(), b.file_name()) == 0);
}

namespace {

bool do_the_same(const Thread& a, const Thread& b) {
  if (a.state != b.state) return false;
  if (a.state != State::at_barrier && a.state != State::in_warp) return true;
  return same(a.site, b.site) && a.mask == b.mask && a.what == b.what;
}

std::string what_it_does(const Thread& t) {
  if (t.state == State::returned) return "returned";
  if (t.state == State::fresh) return "not started";
  if (t.state == State::running) return "can run";
  if (t.state == State::at_barrier) return text("at ", place(t.what, t.site));
  return text("at ", place(t.what, t.site), ", mask ", hex(t.mask));
}

}  // namespace

std::string what_threads_do(const std::vector<Thread>& threads) {
  std::string list;
  for (size_t begin = 0, end; begin < threads.size(); begin = end) {
    end = begin + 1;
    while (end < threads.size() && do_the_same(threads[begin], threads[end])) ++end;
    list += list.empty() ? "" : "; ";
    list += end - begin == 1 ? text("thread ", begin) : text("threads ", begin, "..", end - 1);
    list += text(" ", what_it_does(threads[begin]));
  }
  return list;
}

}  // namespace cairn::emulator
