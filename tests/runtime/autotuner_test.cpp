// Choices among algorithms: what is measured, remembered, written, believed and refused. Clocks and
// algorithms are made up.
#include "runtime/autotuner.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "runtime/atomic_file.h"
#include "tests/caught.h"
#include "tests/temporary_folder.h"

namespace cairn {
namespace {

class AutotunerTest : public testing::Test {
 protected:
  // An algorithm that takes so long by the clock of tuner().
  Algorithm algorithm(const std::string& name, double ms) {
    return {name, [this, name, ms] {
              now_ += ms;
              ++runs_[name];
              last_ = name;
              return true;
            }};
  }
  Algorithm one_that_cannot(const std::string& name) {
    return {name, [this, name] {
              ++runs_[name];
              return false;
            }};
  }
  Algorithm one_that_throws(const std::string& name) {
    return {name, [this, name]() -> bool {
              ++runs_[name];
              throw Error(name, "no memory is left", "some", "free some");
            }};
  }
  // The same one, which writes its result.
  static Algorithm writing(Tensor y, const Algorithm& a, std::function<double(int64_t)> value) {
    return {a.name, [=]() mutable {
              for (int64_t i = 0; i < y.count(); ++i) y.data<float>()[i] = float(value(i));
              return a.run();
            }};
  }
  std::unique_ptr<Autotuner> tuner(const std::string& machine = "a machine") {
    return std::make_unique<Autotuner>(machine, file_, [this](const std::function<void()>& work) {
      const double start = now_;
      work();
      return now_ - start;
    });
  }
  // The algorithm that solved the problem, and how often others ran besides.
  std::string solve(Autotuner& t, const std::string& problem, const std::vector<Algorithm>& among,
                    bool may_measure = true) {
    runs_.clear();
    t.run(problem, among, {}, may_measure);
    return last_;
  }
  bool measured() const { return runs_.size() > 1 || runs_.begin()->second > 1; }

  TemporaryFolder folder_;
  std::string file_ = folder_ / "new/folder/choices.txt";
  double now_ = 0;
  std::map<std::string, int> runs_;
  std::string last_, only_;
  const std::vector<Algorithm> three_{algorithm("first", 3), algorithm("second", 1),
                                      algorithm("third", 2)};
};

TEST_F(AutotunerTest, TakesTheFastestAndWritesItDown) {
  const auto t = tuner();
  EXPECT_EQ(solve(*t, "conv", three_), "second");
  EXPECT_TRUE(measured());
  EXPECT_EQ(
      read_file(file_),
      "a machine\nproblem\talgorithm\tms\tms of the first\twrong\nconv\tsecond\t1\t3\tnone\n");
  const auto choice = t->choices().at("conv");
  EXPECT_EQ(choice.algorithm, "second");
  EXPECT_EQ(choice.ms, 1);
  EXPECT_EQ(choice.first_ms, 3);
  EXPECT_EQ(t->kept_in(), file_);
}

TEST_F(AutotunerTest, MeasuresAProblemOnceHereAndInLaterProcesses) {
  const auto t = tuner();
  solve(*t, "conv", three_);
  EXPECT_EQ(solve(*t, "conv", three_), "second");
  EXPECT_FALSE(measured());
  const auto later = tuner();
  EXPECT_EQ(solve(*later, "conv", three_), "second");
  EXPECT_FALSE(measured());
  EXPECT_EQ(later->choices().at("conv").ms, 1);
  // Another problem is another choice, and the first one stays in the file.
  const std::vector<Algorithm> others{algorithm("first", 3), algorithm("second", 8)};
  EXPECT_EQ(solve(*later, "other", others), "first");
  EXPECT_TRUE(measured());
  EXPECT_EQ(solve(*tuner(), "conv", three_), "second");
  EXPECT_FALSE(measured());
}

TEST_F(AutotunerTest, TwoProgramsAddToOneFile) {
  const auto a = tuner(), b = tuner();
  solve(*a, "two", three_, false);  // captured: not a's to write
  solve(*a, "one", three_);
  solve(*b, "two", three_);
  solve(*a, "three", three_);
  EXPECT_EQ(solve(*a, "two", three_), "first");
  const auto later = tuner();
  for (const char* problem : {"one", "two", "three"}) {
    EXPECT_EQ(solve(*later, problem, three_), "second");
    EXPECT_FALSE(measured()) << problem;
  }
}

TEST_F(AutotunerTest, EqualTimesLeaveTheFirst) {
  EXPECT_EQ(solve(*tuner(), "conv", {algorithm("first", 2), algorithm("second", 2)}), "first");
}

TEST_F(AutotunerTest, WhileWorkIsCapturedNothingIsMeasuredAndTheProcessKeepsToThat) {
  const auto t = tuner();
  EXPECT_EQ(solve(*t, "conv", three_, false), "first");
  EXPECT_FALSE(measured());
  EXPECT_EQ(t->choices().at("conv").ms, 0);
  EXPECT_EQ(solve(*t, "conv", three_), "first");
  EXPECT_FALSE(measured());
  // What another process finds in the file does not have it.
  solve(*t, "other", three_);
  EXPECT_EQ(read_file(file_).find("conv"), std::string::npos);
  EXPECT_EQ(solve(*tuner(), "conv", three_), "second");
  // What was measured before holds in a capture too.
  EXPECT_EQ(solve(*tuner(), "conv", three_, false), "second");
  EXPECT_FALSE(measured());
}

TEST_F(AutotunerTest, WhatCannotOrFailsIsNotChosen) {
  const auto t = tuner();
  EXPECT_EQ(solve(*t, "conv",
                  {one_that_cannot("library"), algorithm("first", 3), one_that_throws("large"),
                   algorithm("second", 2)}),
            "second");
  EXPECT_EQ(t->choices().at("conv").first_ms, 3);
  EXPECT_EQ(solve(*t, "captured", {one_that_cannot("library"), algorithm("first", 3)}, false),
            "first");
  EXPECT_EQ(wrong([&] {
              t->run("other", {one_that_throws("first"), algorithm("second", 1)}, {}, true);
            }),
            "no memory is left");
  EXPECT_NE(error_of([&] {
              t->run("none", {one_that_cannot("library")}, {}, true);
            }).find("none of its algorithms"),
            std::string::npos);
}

TEST_F(AutotunerTest, AnAlgorithmThatIsNoLongerThereIsMeasuredAnewButNotOneOfThisProcess) {
  solve(*tuner(), "conv", three_);
  const std::vector<Algorithm> without{algorithm("first", 3), algorithm("third", 2)};
  const auto t = tuner();
  EXPECT_EQ(solve(*t, "conv", without), "third");
  EXPECT_TRUE(measured());
  // Tensors that lie elsewhere may offer other algorithms: back and forth must not measure.
  EXPECT_EQ(solve(*t, "conv", {three_[0], three_[1]}), "first");
  EXPECT_FALSE(measured());
  EXPECT_EQ(solve(*t, "conv", three_), "third");
  EXPECT_FALSE(measured());
}

TEST_F(AutotunerTest, AFileOfAnotherMachineOrVersionIsReplaced) {
  solve(*tuner("Cairn 0.1 on an old driver"), "conv", three_);
  const auto t = tuner("Cairn 0.1 on a new driver");
  EXPECT_EQ(solve(*t, "conv", three_), "second");
  EXPECT_TRUE(measured());
  EXPECT_EQ(read_file(file_).find("old"), std::string::npos);
}

TEST_F(AutotunerTest, ADamagedFileIsIgnoredAsAWholeAndReplaced) {
  const std::string head = "a machine\nproblem\talgorithm\tms\tms of the first\twrong\n",
                    good = "conv\tthird\t1\t2\tnone\n";
  file_ = folder_ / "choices.txt";
  std::string many;
  for (size_t i = 0; i <= Autotuner::most_problems; ++i)
    many += text('p', i, "\tthird\t1\t2\tnone\n");
  for (const std::string& content : {std::string(),
                                     std::string("a machine"),
                                     head.substr(0, 40),
                                     "another machine\n" + head,
                                     head + good + "conv2",
                                     head + good + "other\tthird\t1\n",
                                     head + good + "o\tt\tx\t2\tnone\n",
                                     head + good + "o\tt\t1\t2\n",
                                     head + good + "o\tt\t1\t2\t\x1b[31m\n",
                                     head + good + "o\tt\t1\t2\tnone\tnone\n",
                                     head + good + "o\tt\t-1\t2\tnone\n",
                                     head + good + "o\tt\tnan\t2\tnone\n",
                                     head + good + "o\tt\tinf\t2\tnone\n",
                                     head + good + "o\tt\t1e999\t2\tnone\n",
                                     head + good + "o\tt\t1 \t2\tnone\n",
                                     head + good + "\tt\t1\t2\tnone\n",
                                     head + good + "o\t\x1b[31m\t1\t2\tnone\n",
                                     head + good + std::string("o\0p\tt\t1\t2\tnone\n", 15),
                                     head + good + std::string(400, 'o') + "\tt\t1\t2\tnone\n",
                                     head + good + many,
                                     head + good + std::string(2 << 20, '\n')}) {
    std::ofstream(file_, std::ios::binary) << content;
    const auto t = tuner();
    EXPECT_EQ(solve(*t, "conv", three_), "second") << content.substr(0, 200);
    EXPECT_EQ(read_file(file_), head + "conv\tsecond\t1\t3\tnone\n") << content.substr(0, 200);
  }
  std::ofstream(file_) << head + good;
  EXPECT_EQ(solve(*tuner(), "conv", three_), "third") << "the good line alone is believed";
}

TEST_F(AutotunerTest, WhereNothingCanBeKeptNothingIsMeasured) {
  std::ofstream(folder_ / "file") << "in the way";
  for (const std::string& place : {folder_ / "file/choices.txt", folder_.path()}) {
    file_ = place;
    const auto t = tuner();
    for (const char* problem : {"conv", "other"}) {
      EXPECT_EQ(solve(*t, problem, three_), "first");
      EXPECT_FALSE(measured());
    }
    EXPECT_NE(t->kept_in().find("cannot"), std::string::npos) << t->kept_in();
  }
}

TEST_F(AutotunerTest, WithoutAFileItMeasuresOnlyWhenAskedTo) {
  file_ = "";
  const auto t = tuner();
  EXPECT_FALSE(t->chooses());
  EXPECT_EQ(solve(*t, "conv", three_), "first");
  EXPECT_TRUE(t->choices().empty());
  t->set_measuring(true);
  EXPECT_TRUE(t->chooses());
  EXPECT_EQ(solve(*t, "conv", three_), "second");
  EXPECT_EQ(t->kept_in(), "nowhere");
}

TEST_F(AutotunerTest, OneCanBeForced) {
  file_ = "";
  const auto t = tuner();
  t->force("ir");  // first, third
  EXPECT_TRUE(t->chooses());
  EXPECT_EQ(solve(*t, "conv", three_), "first");
  t->force("thi");
  EXPECT_EQ(solve(*t, "conv", three_), "third");
  EXPECT_EQ(t->forced(), 1);
  t->force("ir", 1);
  EXPECT_EQ(solve(*t, "conv", three_), "third");
  t->force("ir", 2);
  EXPECT_EQ(solve(*t, "conv", three_), "first");
  EXPECT_EQ(t->forced(), 0);
  t->force("another");
  EXPECT_EQ(solve(*t, "conv", three_), "first");
  EXPECT_EQ(t->forced(), 0);
  EXPECT_FALSE(measured());
}

TEST_F(AutotunerTest, MoreAlgorithmsAreAskedForOnlyToMeasureOrToRunOne) {
  int asked = 0;
  const auto more_of = [&](double ms) {
    return [this, &asked, ms](const std::string& only) {
      ++asked;
      only_ = only;
      return std::vector<Algorithm>{algorithm("library", ms)};
    };
  };
  const auto solve_with = [&](Autotuner& t, const std::string& problem, double ms,
                              bool may_measure = true) {
    asked = 0;
    runs_.clear();
    t.run(problem, three_, {}, may_measure, more_of(ms));
    return last_;
  };
  {
    const auto t = tuner();
    EXPECT_EQ(solve_with(*t, "captured", 0.5, false), "first");
    EXPECT_EQ(asked, 0);
    EXPECT_EQ(solve_with(*t, "slow library", 5), "second");
    EXPECT_EQ(asked, 1);
    EXPECT_EQ(solve_with(*t, "fast library", 0.5), "library");
    EXPECT_EQ(asked, 1);
  }
  const auto later = tuner();
  EXPECT_EQ(solve_with(*later, "slow library", 5), "second");
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(solve_with(*later, "fast library", 0.5), "library");
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(only_, "library");
  EXPECT_FALSE(measured());
  later->force("lib");
  EXPECT_EQ(solve_with(*later, "other", 5), "library");
  // While work is captured, a library that is not there then is missed, but not forgotten.
  const auto captured = tuner();
  EXPECT_EQ(solve(*captured, "fast library", three_, false), "first");
  EXPECT_EQ(captured->choices().at("fast library").algorithm, "first");
  EXPECT_EQ(solve_with(*captured, "fast library", 0.5), "first");
  solve(*captured, "yet another", three_);
  EXPECT_EQ(solve_with(*tuner(), "fast library", 0.5), "library");
  EXPECT_FALSE(measured());
  // The library is gone: what is left is measured.
  EXPECT_EQ(solve(*tuner(), "fast library", three_), "second");
  EXPECT_TRUE(measured());
}

TEST_F(AutotunerTest, PartsOfAnAlgorithmAreMeasuredBeforeItIs) {
  const auto t = tuner();
  const std::vector<Algorithm> ways{algorithm("as one", 1.5), {"by parts", [&] {
                                                                 t->run("part", three_, {}, true);
                                                                 return true;
                                                               }}};
  t->run("whole", ways, {}, true);
  EXPECT_EQ(last_, "second") << "a part takes 1 ms, without the others that it is chosen from";
  EXPECT_EQ(t->choices().at("part").algorithm, "second");
  EXPECT_EQ(t->choices().at("whole").algorithm, "by parts");
  EXPECT_EQ(t->choices().at("whole").ms, 1);
}

TEST_F(AutotunerTest, NothingIsMeasuredInAPauseAndTheProcessKeepsToThat) {
  const auto t = tuner();
  solve(*t, "before", three_);
  {
    const Autotuner::Pause pause(*t);
    EXPECT_EQ(solve(*t, "conv", three_), "first");
    EXPECT_EQ(solve(*t, "before", three_), "second") << "what is known is taken";
    EXPECT_FALSE(measured());
  }
  EXPECT_EQ(solve(*t, "conv", three_), "first");
  EXPECT_FALSE(measured());
  EXPECT_EQ(solve(*t, "after", three_), "second");
}

TEST_F(AutotunerTest, OneThatBreaksTheDeviceIsNamed) {
  bool broken = false;
  Autotuner t("a machine", file_, [&](const std::function<void()>& work) {
    if (broken) throw Error("clock", "an illegal memory access", "none", "look for it");
    work();
    return 1.0;
  });
  const Algorithm breaks{"wgmma", [&]() -> bool {
                           broken = true;
                           throw Error("launch", "an illegal memory access", "none", "look for it");
                         }};
  const Error e = caught([&] { t.run("conv", {three_[0], breaks, three_[1]}, {}, true); });
  EXPECT_EQ(e.where, "conv by wgmma");
  EXPECT_EQ(e.wrong, "an illegal memory access");
  EXPECT_NE(e.remedy.find("XDG_CACHE_HOME=/dev/null"), std::string::npos);
}

TEST_F(AutotunerTest, OneWhoseResultIsAnotherIsNotTakenHoweverFast) {
  Tensor y = Tensor::full({8}, 5);  // what "idle" would leave, were it not made NaN
  const std::vector<Algorithm> ways{
      writing(y, algorithm("first", 4), [](int64_t i) { return double(i); }),
      writing(y, algorithm("rounds", 3), [](int64_t i) { return 1.005 * double(i); }),
      writing(y, algorithm("off", 2), [](int64_t i) { return i < 7 ? double(i) : 6.5; }),
      algorithm("idle", 1),
      writing(y, algorithm("overflows", 0.5), [](int64_t) { return INFINITY; })};
  tuner()->run("conv", ways, y, true);
  EXPECT_EQ(last_, "rounds");
  EXPECT_EQ(y.data<float>()[2], 2.01f);
  const auto later = tuner();
  later->run("conv", ways, y, true);
  EXPECT_EQ(last_, "rounds");
  EXPECT_EQ(later->choices().at("conv").wrong, "off by 0.0714286, idle by inf, overflows by inf");
}

TEST_F(AutotunerTest, WhereTheFirstResultIsNotFiniteNothingIsCompared) {
  const Tensor y = Tensor::empty({3});
  const auto solve_by = [&](Autotuner& t, const std::string& problem, std::vector<double> first,
                            std::vector<double> second) {
    const auto in = [](const std::vector<double>& values) {
      return [values](int64_t i) { return values[size_t(i)]; };
    };
    t.run(problem,
          {writing(y, algorithm("first", 2), in(first)),
           writing(y, algorithm("second", 1), in(second))},
          y, true);
    return last_;
  };
  const auto t = tuner();
  EXPECT_EQ(solve_by(*t, "saturates", {NAN, INFINITY, 1}, {0, 3, 1}), "second");
  EXPECT_EQ(solve_by(*t, "zero", {0, 0, 0}, {0, 0, 0}), "second");
  EXPECT_EQ(solve_by(*t, "not zero", {0, 0, 0}, {0, 1e-9, 0}), "first");
  EXPECT_EQ(t->choices().at("not zero").wrong, "second by inf");
}

TEST_F(AutotunerTest, ALargeResultIsComparedFromItsFirstToItsLastElement) {
  const Tensor y = Tensor::empty({(1 << 20) + 5});
  const auto t = tuner();
  for (int64_t place : {int64_t(0), y.count() / 15, y.count() - 1}) {
    const std::vector<Algorithm> ways{
        writing(y, algorithm("first", 20), [](int64_t) { return 1.; }),
        writing(y, algorithm("off", 10), [place](int64_t i) { return i == place ? 2. : 1.; })};
    t->run(text(place), ways, y, true);
    EXPECT_EQ(t->choices().at(text(place)).wrong, "off by 1");
  }
}

TEST_F(AutotunerTest, BeyondSoManyProblemsTheFirstIsTaken) {
  file_ = "";
  const auto t = tuner();
  t->set_measuring(true);
  for (size_t i = 0; i < Autotuner::most_problems; ++i) t->run(text(i), three_, {}, true);
  EXPECT_EQ(solve(*t, "one more", three_), "first");
  EXPECT_FALSE(measured());
  EXPECT_EQ(solve(*t, "7", three_), "second");
}

}  // namespace
}  // namespace cairn
