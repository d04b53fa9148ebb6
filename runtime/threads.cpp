#include "runtime/threads.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#ifdef _OPENMP
#include <omp.h>
#include <unistd.h>

#include <cstdlib>
#else
#include <condition_variable>
#include <vector>
#endif

namespace cairn {
namespace {

thread_local bool serial = false;
std::atomic<int> wanted_threads{0};

}  // namespace

int thread_count() {
  const int n = wanted_threads;
  return n ? n : std::max(1, int(std::thread::hardware_concurrency()));
}

SerialScope::SerialScope() : outer_(serial) { serial = true; }
SerialScope::~SerialScope() { serial = outer_; }

namespace {

// Keeps the first exception of several threads.
class FirstError {
 public:
  template <class F>
  void guard(F&& f) noexcept {
    try {
      f();
    } catch (...) {
      std::lock_guard lock(mutex_);
      if (!first_) first_ = std::current_exception();
    }
  }
  void rethrow() {
    if (first_) std::rethrow_exception(first_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr first_;
};

#ifdef _OPENMP

void run_on_all(int workers, const std::function<void(int)>& f) {
#pragma omp parallel for num_threads(workers) schedule(static, 1)
  for (int w = 0; w < workers; ++w) f(w);
}

#else

// Workers sleep on a condition variable between jobs; the caller is worker 0. One job at a time.
class Workers {
 public:
  void run(int workers, const std::function<void(int)>& f) {
    std::lock_guard one_job(job_mutex_);
    {
      std::lock_guard lock(mutex_);
      while (int(threads_.size()) < workers - 1) {
        const int index = int(threads_.size()) + 1;
        threads_.emplace_back([this, index] { loop(index); });
      }
      job_ = &f;
      workers_ = workers;
      pending_ = workers - 1;
      ++generation_;
    }
    wake_.notify_all();
    f(0);
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return pending_ == 0; });
  }

  ~Workers() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
      ++generation_;
    }
    wake_.notify_all();
    for (auto& t : threads_) t.join();
  }

 private:
  void loop(int index) {
    uint64_t seen = 0;
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return generation_ != seen; });
      seen = generation_;
      if (stop_) return;
      if (index >= workers_) continue;
      const auto* job = job_;
      lock.unlock();
      (*job)(index);
      lock.lock();
      if (--pending_ == 0) done_.notify_one();
    }
  }

  std::mutex job_mutex_, mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> threads_;
  const std::function<void(int)>* job_ = nullptr;
  int workers_ = 0, pending_ = 0;
  uint64_t generation_ = 0;
  bool stop_ = false;
};

void run_on_all(int workers, const std::function<void(int)>& f) {
  static Workers pool;
  pool.run(workers, f);
}

#endif

}  // namespace

void set_thread_count(int n) {
  wanted_threads = std::max(0, n);
#ifdef _OPENMP
  omp_set_num_threads(thread_count());
#endif
}

void restart_with_short_spin([[maybe_unused]] char** argv) {
#if defined _OPENMP && !defined __clang__
  if (std::getenv("GOMP_SPINCOUNT") || std::getenv("OMP_WAIT_POLICY")) return;
  setenv("GOMP_SPINCOUNT", "1000", 1);
  execv("/proc/self/exe", argv);  // returns where that is not allowed: then as it is
#endif
}

void parallel_for(int64_t n, int64_t grain, const std::function<void(int64_t, int64_t)>& f) {
  if (n <= 0) return;
  grain = std::max<int64_t>(grain, 1);
  const int workers = int(std::min<int64_t>(thread_count(), (n + grain - 1) / grain));
  if (workers <= 1 || serial) {
    f(0, n);
    return;
  }
  FirstError error;
  run_on_all(workers, [&](int w) {
    error.guard([&] {
      SerialScope nested;
      const int64_t begin = n * w / workers, end = n * (w + 1) / workers;
      if (begin < end) f(begin, end);
    });
  });
  error.rethrow();
}

}  // namespace cairn
