// Places in the source as 32-bit numbers. Return addresses are looked up in the program's own line
// table by libbacktrace, which comes with the compiler.
#include <backtrace.h>

#include <cstring>
#include <map>
#include <mutex>
#include <tuple>
#include <vector>

#include "kernels/simt/block.h"
#include "kernels/simt/checker/checker.h"
#include "runtime/error.h"

namespace cairn::emulator::checker {
namespace {

constexpr uint32_t site_flag = 1u << 31;

// Return addresses are kept as distances from here; the program is smaller than 2 GiB.
void anchor() {}
uintptr_t origin() { return reinterpret_cast<uintptr_t>(&anchor) - (1 << 30); }

std::mutex mutex;
std::vector<Site> sites;
std::map<std::tuple<const char*, unsigned, unsigned>, uint32_t> numbers;

// Whether a frame belongs to the primitives themselves: the line that called them is meant.
bool is_primitive(const char* file) {
  return std::strstr(file, "kernels/device.h") || std::strstr(file, "kernels/simt/") ||
         std::strstr(file, "/c++/");
}

int take_frame(void* result, uintptr_t, const char* file, int line, const char*) {
  auto& found = *static_cast<std::string*>(result);
  if (!file) return 0;
  found = text(file, ":", line);
  return !is_primitive(file);  // stop at the first that is not
}

}  // namespace

Place place_of(const void* return_address) {
  return {uint32_t(reinterpret_cast<uintptr_t>(return_address) - 1 - origin())};
}

Place place_of(Site site) {
  std::lock_guard lock(mutex);
  const auto [it, fresh] =
      numbers.try_emplace({site.file_name(), site.line(), site.column()}, uint32_t(sites.size()));
  if (fresh) sites.push_back(site);
  return {it->second | site_flag};
}

std::string where(Place place) {
  std::lock_guard lock(mutex);
  if (place.id & site_flag) return emulator::place(sites[place.id & ~site_flag]);
  const auto ignore = [](void*, const char*, int) {};
  static backtrace_state* state = backtrace_create_state(nullptr, 1, ignore, nullptr);
  std::string found;
  const uintptr_t address = origin() + place.id;
  if (state) backtrace_pcinfo(state, address, take_frame, ignore, &found);
  return found.empty() ? text("address ", reinterpret_cast<void*>(address)) : found;
}

}  // namespace cairn::emulator::checker
