#pragma once
// One parallel_for for the whole project: OpenMP where oneDNN is used (a second pool would fight
// its spinning workers), a pool of std::thread otherwise.
#include <cstdint>
#include <functional>

namespace cairn {

int thread_count();            ///< how many threads parallel_for uses
void set_thread_count(int n);  ///< `--threads`; the default is the number of cores

/// For the first line of main(). Threads that wait for each other spin for milliseconds in GNU's
/// OpenMP: beside other programs a training step then takes 90 times as long as with a short spin,
/// which costs idle cores 3 % at most (docs/performance.md). OpenMP reads it before main(), so
/// this starts the program again, unless the environment has GOMP_SPINCOUNT or OMP_WAIT_POLICY.
void restart_with_short_spin(char** argv);

/// Calls f(begin, end) on ranges that cover 0..n, each at least `grain` long, from several threads;
/// returns when all are done. The ranges depend on n, grain and the thread count, so a reduction
/// must not follow them: split it by a fixed size and give each part its own output.
/// Runs on the calling thread alone inside another parallel_for or under a SerialScope.
/// An exception from f is rethrown here, the first one if there are several.
void parallel_for(int64_t n, int64_t grain, const std::function<void(int64_t, int64_t)>& f);

/// While it lives, parallel_for on this thread is serial: data workers compute single-threaded.
class SerialScope {
 public:
  SerialScope();
  ~SerialScope();
  SerialScope(const SerialScope&) = delete;

 private:
  bool outer_;
};

}  // namespace cairn
