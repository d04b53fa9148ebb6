#include "tools/profile_option.h"

#include <algorithm>
#include <iostream>

#include "tools/table.h"

namespace cairn {
namespace {

// The first ten.
void print_rows(std::ostream& out, const std::string& title,
                const std::vector<ProfileSummary::Row>& rows) {
  constexpr size_t most = 10, width = 40;
  if (rows.empty()) return;
  out << left(title, width) << right("total ms", 10) << right("share", 9) << right("calls", 8)
      << '\n';
  for (size_t i = 0; i < std::min(most, rows.size()); ++i)
    out << left("  " + rows[i].name, width) << right(cell(rows[i].ms, 1), 10)
        << right(cell(100 * rows[i].share, 1) + " %", 9) << right(std::to_string(rows[i].calls), 8)
        << '\n';
  if (rows.size() > most) out << "  and " << rows.size() - most << " more\n";
}

}  // namespace

void add_profile_option(CLI::App& verb, std::string& path, const std::string& what) {
  verb.add_option("--profile", path,
                  "record " + what +
                      ": a trace for Perfetto (ui.perfetto.dev) or chrome://tracing in FILE, "
                      "and what took longest printed")
      ->type_name("FILE");
}

std::unique_ptr<Profile> make_profile(const std::string& path) {
  return path.empty() ? nullptr : std::make_unique<Profile>(path);
}

void print_profile(const Profile* profile, bool json) {
  if (!profile) return;
  std::ostream& out = json ? std::cerr : std::cout;
  if (!profile->finished()) {
    out << "profile  none: the run ended before the steps that are recorded\n";
    return;
  }
  const ProfileSummary& s = profile->summary();
  const std::string clock = s.on_cuda ? " on the GPU" : "";
  out << "profile of " << cell(s.recorded_ms, 1) << " ms in " << profile->path() << '\n';
  print_rows(out, "host work", s.host);
  print_rows(out, "modules" + clock, s.modules);
  print_rows(out, "ops and copies" + clock, s.ops);
  if (s.dropped > 0) out << s.dropped << " events more than a profile holds were dropped\n";
}

}  // namespace cairn
