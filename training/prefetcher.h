#pragma once
// Makes numbered items ahead of time on worker threads and hands them out in order.
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/profile.h"
#include "runtime/threads.h"

namespace cairn {

/// Item i is make(i), whatever the number of workers: a run is resumed by the number of its next
/// item. At most workers + 1 items are made ahead. `make` runs on several threads at once, where
/// parallel_for is serial; without workers it runs on the caller's thread, with all of its threads.
template <class Item>
class Prefetcher {
 public:
  Prefetcher(std::function<Item(int64_t)> make, int workers, int64_t first)
      : make_(std::move(make)), ahead_(workers + 1), claimed_(first), delivered_(first) {
    for (int i = 0; i < workers; ++i) threads_.emplace_back([this, i] { work(i + 1); });
  }
  ~Prefetcher() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    for (std::thread& t : threads_) t.join();
  }
  Prefetcher(const Prefetcher&) = delete;

  int64_t next_number() const { return delivered_; }

  /// Waits for the next item. An exception from `make` is rethrown here, for its item alone.
  Item next() {
    if (threads_.empty()) return make(delivered_++);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return made_.count(delivered_) > 0; });
    Made item = std::move(made_.extract(delivered_++).mapped());
    lock.unlock();
    changed_.notify_all();
    if (item.error) std::rethrow_exception(item.error);
    return std::move(item.value);
  }

 private:
  Item make(int64_t number) const {
    const ProfileRange range(Work::host, "make a batch");
    range.note("number", number);
    return make_(number);
  }

  struct Made {
    Item value;
    std::exception_ptr error;
  };

  void work(int worker) {
    Profile::name_thread("data worker " + std::to_string(worker));
    const SerialScope serial;
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stop_ || claimed_ < delivered_ + ahead_; });
      if (stop_) return;
      const int64_t number = claimed_++;
      lock.unlock();
      Made item;
      try {
        item.value = make(number);
      } catch (...) {
        item.error = std::current_exception();
      }
      lock.lock();
      made_.emplace(number, std::move(item));
      changed_.notify_all();
    }
  }

  std::function<Item(int64_t)> make_;
  const int64_t ahead_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int64_t, Made> made_;
  int64_t claimed_, delivered_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace cairn
