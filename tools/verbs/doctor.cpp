// cairn doctor: what this machine offers, what this build has of it, and why the rest is missing.
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <iomanip>
#include <iostream>

#include "build_info.h"
#include "runtime/available_memory.h"
#include "runtime/cuda.h"
#include "runtime/cuda_blas.h"
#include "runtime/cudnn.h"
#include "runtime/threads.h"
#include "tools/verb.h"

namespace cairn {
namespace {

// The value of the first line of a /proc file that starts with `key`, or "".
std::string proc_value(const char* file, const std::string& key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key)) {
      const size_t begin = line.find_first_not_of(" \t", line.find(':') + 1);
      return begin == std::string::npos ? "" : line.substr(begin);
    }
  return "";
}

std::vector<std::string> instruction_sets() {
  std::vector<std::string> found;
#if defined(__x86_64__)
#define CAIRN_CHECK(name) \
  if (__builtin_cpu_supports(name)) found.push_back(name);
  CAIRN_CHECK("sse4.2")
  CAIRN_CHECK("avx2")
  CAIRN_CHECK("fma")
  CAIRN_CHECK("avx512f")
  CAIRN_CHECK("avx512bf16")
#undef CAIRN_CHECK
#elif defined(__aarch64__)
  found.push_back("neon");
#endif
  return found;
}

double gib(double bytes) { return std::round(bytes / double(1 << 30) * 10) / 10; }

Json machine() {
  Json j;
  const std::string model = proc_value("/proc/cpuinfo", "model name");
  j["cpu"] = model.empty() ? "unknown" : model;
  j["instruction_sets"] = instruction_sets();
  j["cores"] = sysconf(_SC_NPROCESSORS_ONLN);
  j["threads"] = thread_count();
  j["memory_gib"] = gib(double(sysconf(_SC_PHYS_PAGES)) * double(sysconf(_SC_PAGESIZE)));
  j["memory_available_gib"] = gib(double(available_memory(Device::cpu)));
  return j;
}

Json devices() {
  Json list = Json::array();
  for (Device d : {Device::cpu, Device::simt, Device::cuda}) {
    const std::string why = why_unavailable(d);
    Json j{{"name", name(d)}, {"available", why.empty()}};
    if (!why.empty()) j["why"] = why;
    if constexpr (build::has_cuda)
      if (d == Device::cuda && why.empty()) {
        const Cudnn* const cudnn = cudnn_of(d);
        j["description"] = cuda::describe();
        j["libraries"] = {{"cuBLASLt", cuda::blas_version()},
                          {"cuDNN", cudnn ? cudnn->version() : ""}};
      }
    list.push_back(j);
  }
  return list;
}

Json report() {
  Json j;
  j["build"] = {{"version", build::version},
                {"type", build::type},
                {"compiler", build::compiler},
                {"system", build::system}};
  j["machine"] = machine();
  j["devices"] = devices();
  j["parts"] = Json::array();
  for (const build::Part& p : build::parts)
    j["parts"].push_back(
        {{"name", p.name}, {"for", p.what_for}, {"present", p.present}, {"why", p.why}});
  return j;
}

std::string words(const Json& list) {
  std::string all;
  for (const Json& w : list) all += (all.empty() ? "" : " ") + w.get<std::string>();
  return all;
}

void print(const Json& j) {
  const Json &b = j["build"], &m = j["machine"];
  const auto s = [](const Json& v) { return v.get<std::string>(); };
  const auto row = [](const std::string& name, const std::string& value) {
    std::cout << std::left << std::setw(10) << name << value << '\n';
  };
  row("cairn",
      s(b["version"]) + ", " + s(b["type"]) + ", " + s(b["compiler"]) + ", " + s(b["system"]));
  row("cpu",
      s(m["cpu"]) + ", " + m["cores"].dump() + " cores, " + m["threads"].dump() + " threads");
  row("", words(m["instruction_sets"]));
  row("memory",
      m["memory_gib"].dump() + " GiB, " + m["memory_available_gib"].dump() + " available");
  std::cout << "\ndevices\n";
  for (const Json& d : j["devices"]) {
    std::string value = d["available"] ? "yes" : "no: " + s(d["why"]);
    if (d.contains("description")) value += ", " + s(d["description"]);
    if (d.contains("libraries"))
      for (const auto& [library, version] : d["libraries"].items())
        value += ", " + library + ' ' + (s(version).empty() ? "not found" : s(version));
    row("  " + s(d["name"]), value);
  }
  std::cout << "\nparts of this build\n";
  for (const Json& p : j["parts"])
    row("  " + s(p["name"]),
        (p["present"] ? "yes: " : "no: ") + s(p["why"]) + "   (" + s(p["for"]) + ")");
}

}  // namespace

void add_doctor(CLI::App& verb) {
  describe(verb, "What this machine offers: devices, libraries, versions", "cairn doctor --json");
  auto json = std::make_shared<bool>(false);
  add_json_option(verb, *json);
  verb.callback([json] {
    const Json j = report();
    if (*json)
      print_json(j);
    else
      print(j);
  });
}

}  // namespace cairn
