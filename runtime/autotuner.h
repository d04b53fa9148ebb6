#pragma once
// Which of several algorithms for one problem is the fastest on this machine: measured once, then
// remembered, in memory and in a file that people can read:
//
//   Cairn 0.1, kernels 3f9a..., on NVIDIA H200, sm_90, ..., driver for CUDA 13.0, cuBLASLt 13.0.2
//   problem <tab> algorithm <tab> its milliseconds <tab> those of the first one <tab> wrong ones
//   conv2d f32 x[1,60,80,128] w[128,3,3,128] padding 1 bias relu	ffma 64x64	0.031	0.044	none
//
// What is measured is also compared: an algorithm whose result is not the first one's, up to what
// rounding makes of a sum, is wrong, however fast. Algorithms may differ in the last bits, so
// choices are part of what a result depends on. The same file gives the same bits; so does a
// process with itself. Where it cannot be written nothing is measured: a problem that it does not
// have gets its first algorithm, which the shape alone suggests.
//
// The file is believed only as a whole: one that another machine, driver, library or other kernels
// have written, that is damaged or larger than a megabyte is ignored, and replaced before something
// is measured. All it can do is name one of the algorithms that are offered.
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/tensor.h"

namespace cairn {

/// One way to solve a problem. Its parts may be problems of their own, which the same tuner solves,
/// and measures before the whole.
struct Algorithm {
  std::string name;
  std::function<bool()> run;  ///< false, and nothing was done: it cannot
};

class Autotuner {
 public:
  struct Choice {
    std::string algorithm;
    double ms = 0, first_ms = 0;  ///< of it and of the first one; 0: not measured
    std::string wrong = "none";   ///< those whose results differ, and by how much
  };
  /// Milliseconds that the device takes for the work.
  using Clock = std::function<double(const std::function<void()>& work)>;

  static constexpr size_t most_problems = 4096;  ///< beyond them the first algorithm is taken
  /// Of results, in units of the first one's largest finite value. Sums of bf16 differ by less than
  /// a hundredth.
  static constexpr double most_difference = 1 / 16.;

  /// `machine`: whatever a choice holds for, one line. `file` is read at the first problem; empty:
  /// choices last as long as the process, and are made once set_measuring(true) asks for it.
  Autotuner(std::string machine, std::string file, Clock clock);

  /// Solves the problem by the algorithm that is remembered for it, or else measures all that can,
  /// takes the fastest and remembers it. Where it may not measure (work is being captured) it takes
  /// the first that can, and keeps to it in this process. The outputs are overwritten several times
  /// while measuring; an algorithm that then throws, other than the first, is out, unless it leaves
  /// the device of no use: that is an Error which names it. `result` is what they are compared by,
  /// of a large one a million elements from all over it. `more` has further algorithms, which
  /// take time to prepare: asked for only to measure, or to run the one that is called `only`.
  using More = std::function<std::vector<Algorithm>(const std::string& only)>;
  void run(const std::string& problem, std::vector<Algorithm> algorithms, const Tensor& result,
           bool may_measure, const More& more = {});

  void set_measuring(bool on);
  /// While it lives run() measures nothing, as if work was being captured.
  class Pause {
   public:
    explicit Pause(Autotuner& tuner);
    ~Pause();
    Pause(const Pause&) = delete;

   private:
    Autotuner& tuner_;
  };
  /// From here on the algorithm whose name has this in it, where there is one, or of several the
  /// one with this number; "": no longer. For tests.
  void force(std::string part_of_name, int which = 0);
  int forced() const;  ///< how often there was one since then
  /// Whether run() may take anything but the first algorithm that can.
  bool chooses() const;

  /// What was chosen for the problems of this process, by their names.
  std::map<std::string, Choice> choices() const;
  /// Where choices are kept, or why they are not.
  std::string kept_in() const;

 private:
  struct Known {
    Choice choice;  ///< without an algorithm if there is none yet
    bool from_file = false, used = false;
    std::optional<Choice> instead = {};  ///< the first one, for as long as this process
  };

  const Algorithm* remembered(Known& known, std::vector<Algorithm>& algorithms, const More& more);
  const Algorithm* measured(const std::string& problem, const std::vector<Algorithm>& algorithms,
                            Tensor result);
  double time_of(const Algorithm& algorithm) const;
  bool can_keep();
  void read();
  void write();

  const std::string machine_, file_;
  const Clock clock_;
  mutable std::recursive_mutex mutex_;
  bool measuring_, was_read_ = false, was_written_ = false;
  std::string forced_, why_not_kept_;
  int which_forced_ = 0, forced_runs_ = 0, pauses_ = 0;
  std::map<std::string, Known> known_;
};

/// That of simt or cuda. On cuda choices are kept per GPU in $XDG_CACHE_HOME/cairn or
/// ~/.cache/cairn; times on simt say nothing about a GPU, so there the first algorithm is taken.
Autotuner& autotuner(Device d);

}  // namespace cairn
