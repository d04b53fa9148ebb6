#include "runtime/autotuner.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <sstream>

#include "measured_kernels.h"
#include "runtime/atomic_file.h"
#include "runtime/cuda.h"
#include "runtime/cuda_blas.h"
#include "runtime/cudnn.h"
#include "runtime/error.h"

namespace cairn {
namespace {

constexpr const char* columns = "problem\talgorithm\tms\tms of the first\twrong";
constexpr size_t most_bytes = 1 << 20;
constexpr double never = std::numeric_limits<double>::infinity();

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, '\t');) fields.push_back(field);
  return fields;
}

constexpr size_t longest_name = 300;

bool is_name(const std::string& s) {
  return !s.empty() && s.size() <= longest_name &&
         std::all_of(s.begin(), s.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// Milliseconds of something that ran; else NaN.
double time_in(const std::string& s) {
  double ms = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), ms);
  const bool good = error == std::errc() && end == s.data() + s.size() && ms > 0 && ms < never;
  return good ? ms : std::nan("");
}

// Elements from all over a tensor, the first and the last among them; all of a small one.
std::vector<double> sample_of(const Tensor& t) {
  constexpr int64_t runs = 16, of_run = 1 << 16;
  if (!t.defined()) return {};
  const Tensor flat = t.reshape({t.count()});
  if (t.count() <= runs * of_run) return flat.to(Device::cpu).to(DType::f64).values<double>();
  std::vector<double> sample;
  for (int64_t i = 0; i < runs; ++i) {
    const int64_t begin = (t.count() - of_run) * i / (runs - 1);
    const Tensor run = flat.part(begin, {of_run}).to(Device::cpu).to(DType::f64);
    sample.insert(sample.end(), run.data<double>(), run.data<double>() + of_run);
  }
  return sample;
}

// The largest difference in units of the largest finite value of those expected; where one is not
// finite nothing is compared.
double difference(const std::vector<double>& found, const std::vector<double>& expected) {
  double largest = 0, apart = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (!std::isfinite(expected[i])) continue;
    largest = std::max(largest, std::abs(expected[i]));
    const double here = std::abs(found[i] - expected[i]);
    apart = std::max(apart, std::isfinite(here) ? here : never);
  }
  return apart == 0 ? 0 : apart / largest;
}

void append(std::vector<Algorithm>& algorithms, const Autotuner::More& more,
            const std::string& only = "") {
  if (!more) return;
  for (Algorithm& a : more(only)) algorithms.push_back(std::move(a));
}

// The one of this name, of `more` if need be, which then is among them. Null: there is none.
const Algorithm* find(std::vector<Algorithm>& algorithms, const Autotuner::More& more,
                      const std::string& name) {
  const auto among = [&]() -> const Algorithm* {
    for (const Algorithm& a : algorithms)
      if (a.name == name) return &a;
    return nullptr;
  };
  if (const Algorithm* found = among()) return found;
  append(algorithms, more, name);
  return among();
}

// Of those whose names have this part the one with this number; null if there are not so many.
const Algorithm* find_part(std::vector<Algorithm>& algorithms, const Autotuner::More& more,
                           const std::string& part, int which) {
  const auto among = [&](size_t begin) -> const Algorithm* {
    for (size_t i = begin; i < algorithms.size(); ++i)
      if (algorithms[i].name.find(part) != std::string::npos && which-- == 0) return &algorithms[i];
    return nullptr;
  };
  if (const Algorithm* found = among(0)) return found;
  const size_t before = algorithms.size();
  append(algorithms, more);
  return among(before);
}

}  // namespace

Autotuner::Autotuner(std::string machine, std::string file, Clock clock)
    : machine_(std::move(machine)),
      file_(std::move(file)),
      clock_(std::move(clock)),
      measuring_(!file_.empty()) {}

void Autotuner::set_measuring(bool on) {
  const std::lock_guard lock(mutex_);
  measuring_ = on;
}

Autotuner::Pause::Pause(Autotuner& tuner) : tuner_(tuner) {
  const std::lock_guard lock(tuner_.mutex_);
  ++tuner_.pauses_;
}

Autotuner::Pause::~Pause() {
  const std::lock_guard lock(tuner_.mutex_);
  --tuner_.pauses_;
}

void Autotuner::force(std::string part_of_name, int which) {
  const std::lock_guard lock(mutex_);
  forced_ = std::move(part_of_name);
  which_forced_ = which;
  forced_runs_ = 0;
}

int Autotuner::forced() const {
  const std::lock_guard lock(mutex_);
  return forced_runs_;
}

bool Autotuner::chooses() const {
  const std::lock_guard lock(mutex_);
  return measuring_ || !forced_.empty();
}

std::map<std::string, Autotuner::Choice> Autotuner::choices() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, Choice> used;
  for (const auto& [problem, known] : known_) {
    const Choice& taken = known.instead ? *known.instead : known.choice;
    if (known.used && !taken.algorithm.empty()) used[problem] = taken;
  }
  return used;
}

std::string Autotuner::kept_in() const {
  const std::lock_guard lock(mutex_);
  if (!why_not_kept_.empty()) return why_not_kept_;
  return file_.empty() ? "nowhere" : file_;
}

void Autotuner::run(const std::string& problem, std::vector<Algorithm> algorithms,
                    const Tensor& result, bool may_measure, const More& more) {
  const Algorithm* taken = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (!forced_.empty()) {
      taken = find_part(algorithms, more, forced_, which_forced_);
      forced_runs_ += taken != nullptr;
    } else if (measuring_) {
      if (!was_read_) read();
      if (known_.count(problem) || known_.size() < most_problems) {
        Known& known = known_[problem];
        taken = remembered(known, algorithms, more);
        if (!taken && may_measure && pauses_ == 0 && can_keep()) {
          append(algorithms, more);
          taken = measured(problem, algorithms, result);
        } else if (!taken) {
          known.instead = Choice{algorithms.front().name};
        }
      }
    }
  }
  if (taken && taken->run()) return;
  for (const Algorithm& a : algorithms)
    if (a.run()) return;
  throw Error(problem, "none of its algorithms can be run", "one that can", "report it as a bug");
}

// One that this process has chosen but does not offer now (the tensors lie elsewhere) is not
// measured again.
const Algorithm* Autotuner::remembered(Known& known, std::vector<Algorithm>& algorithms,
                                       const More& more) {
  known.used = true;
  if (known.instead) return &algorithms.front();
  if (known.choice.algorithm.empty()) return nullptr;
  const size_t offered = algorithms.size();
  if (const Algorithm* a = find(algorithms, more, known.choice.algorithm)) return a;
  algorithms.resize(offered);
  return known.from_file ? nullptr : &algorithms.front();
}

const Algorithm* Autotuner::measured(const std::string& problem,
                                     const std::vector<Algorithm>& algorithms, Tensor result) {
  const Algorithm* best = nullptr;
  double first_ms = 0, best_ms = never;
  std::vector<double> expected;
  std::string wrong;
  for (const Algorithm& a : algorithms) {
    double ms = never, apart = 0;
    try {
      if (result.defined()) result.fill(NAN);  // what is not written is not what another one wrote
      ms = time_of(a);
      if (ms == never) continue;
      if (first_ms == 0)
        expected = sample_of(result);
      else
        apart = difference(sample_of(result), expected);
    } catch (const Error& e) {
      if (&a == &algorithms.front()) throw;
      try {
        clock_([] {});
      } catch (const Error&) {  // what it did has broken the device for this process
        throw Error(text(problem, " by ", a.name), e.wrong, e.expected,
                    "report it as a bug; XDG_CACHE_HOME=/dev/null keeps to what shapes suggest");
      }
    }
    if (apart > most_difference) {
      wrong += text(wrong.empty() ? "" : ", ", a.name, " by ", apart);
      continue;
    }
    if (first_ms == 0) first_ms = ms;
    if (ms < best_ms) {
      best_ms = ms;
      best = &a;
    }
  }
  if (!best) return nullptr;
  if (wrong.empty()) wrong = "none";
  known_[problem] = {{best->name, best_ms, first_ms, wrong.substr(0, longest_name)}, false, true};
  if (!file_.empty()) write();
  return best;
}

double Autotuner::time_of(const Algorithm& a) const {
  if (!a.run()) return never;  // the first call loads code and asks for memory
  const double once = clock_([&] { a.run(); });
  const int calls = int(std::clamp(5 / once, 1.0, 10.0));
  const auto in_a_row = [&] {
    for (int call = 0; call < calls; ++call) a.run();
  };
  double least = never;
  for (int i = 0; i < 3; ++i) least = std::min(least, clock_(in_a_row) / calls);
  return std::max(least, 1e-6);
}

// Whether the file can be written, if there is to be one: tried once.
bool Autotuner::can_keep() {
  if (!file_.empty() && !was_written_ && why_not_kept_.empty()) {
    std::error_code ignored;  // write() says it
    std::filesystem::create_directories(std::filesystem::path(file_).parent_path(), ignored);
    write();
  }
  return why_not_kept_.empty();
}

void Autotuner::read() {
  was_read_ = true;
  std::error_code error;
  const auto bytes = std::filesystem::file_size(file_, error);  // an error too if it is no file
  if (error || bytes > most_bytes) return;
  std::map<std::string, Choice> found;
  try {
    std::istringstream in(read_file(file_));
    std::string line;
    if (!std::getline(in, line) || line != machine_) return;
    if (!std::getline(in, line) || line != columns) return;
    while (std::getline(in, line)) {
      const std::vector<std::string> f = fields_of(line);
      if (f.size() != 5 || !is_name(f[0]) || !is_name(f[1]) || !is_name(f[4])) return;
      const Choice c{f[1], time_in(f[2]), time_in(f[3]), f[4]};
      if (std::isnan(c.ms) || std::isnan(c.first_ms) || found.size() == most_problems) return;
      found[f[0]] = c;
    }
  } catch (const Error&) {
    return;
  }
  for (const auto& [problem, choice] : found)
    if (Known& known = known_[problem]; known.choice.algorithm.empty()) {
      known.choice = choice;
      known.from_file = true;
    }
}

// With what other programs have added meanwhile.
void Autotuner::write() {
  read();
  std::ostringstream out;
  out << machine_ << '\n' << columns << '\n';
  for (const auto& [problem, known] : known_)
    if (known.choice.ms > 0)
      out << problem << '\t' << known.choice.algorithm << '\t' << known.choice.ms << '\t'
          << known.choice.first_ms << '\t' << known.choice.wrong << '\n';
  try {
    write_file(file_, out.str());
    was_written_ = true;
  } catch (const Error& e) {
    why_not_kept_ = text(file_, ": ", e.wrong);
  }
}

namespace {

// "" where there is no home.
std::string cache_folder() {
  const auto absolute = [](const char* variable) {
    const char* value = std::getenv(variable);
    return value && value[0] == '/' ? std::string(value) : "";
  };
  if (const std::string cache = absolute("XDG_CACHE_HOME"); !cache.empty()) return cache + "/cairn";
  const std::string home = absolute("HOME");
  return home.empty() ? "" : home + "/.cache/cairn";
}

double milliseconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

// "algorithms-NVIDIA-H200.txt" in the folder for caches.
std::string file_of(const std::string& gpu) {
  const std::string folder = cache_folder();
  if (folder.empty()) return "";
  std::string name = gpu.substr(0, gpu.find(','));
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '-');
  return folder + "/algorithms-" + name + ".txt";
}

}  // namespace

Autotuner& autotuner(Device d) {
  static Autotuner simt("simt", "", milliseconds);
  if constexpr (build::has_cuda)
    if (d == Device::cuda) {
      const Cudnn* const cudnn = cudnn_of(d);
      static Autotuner gpu(
          text("Cairn ", CAIRN_MEASURED_KERNELS, ", on ", cuda::describe(), ", cuBLASLt ",
               cuda::blas_version(), ", cuDNN ", cudnn ? cudnn->version() : ""),
          file_of(cuda::describe()), cuda::milliseconds);
      return gpu;
    }
  return simt;
}

}  // namespace cairn
