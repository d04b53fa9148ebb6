#include "training/recipe.h"

#include <gtest/gtest.h>

#include "runtime/error.h"

namespace cairn {
namespace {

template <class F>
std::string message(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Recipe, AssignmentsOverrideTheFileAndDefaultsFillTheRest) {
  Recipe r =
      Recipe::from_text("[train]\nbatch = 4\nlr = 1e-3\n[model]\narchitecture = \"x\"\n", "r.toml");
  r.set("train.batch=8");
  EXPECT_EQ(r.integer("train.batch", 32, 1, 100), 8);
  EXPECT_EQ(r.real("train.lr", 0, 0, 1), 1e-3);
  EXPECT_EQ(r.integer("train.steps", 7, 1, 100), 7);
  EXPECT_EQ(r.string("model.architecture", ""), "x");
  r.finish();
  Recipe again = Recipe::from_text(r.resolved(), "config.toml");
  EXPECT_EQ(again.integer("train.steps", 0, 1, 100), 7) << r.resolved();
  EXPECT_EQ(again.real("train.lr", 0, 0, 1), 1e-3);
}

TEST(Recipe, AnUnknownKeyIsNamedWithTheNearestKnownOne) {
  Recipe r = Recipe::from_text("[train]\nbacth = 4\n", "r.toml");
  r.integer("train.batch", 32, 1, 100);
  const std::string said = message([&] { r.finish(); });
  EXPECT_NE(said.find("train.bacth"), std::string::npos) << said;
  EXPECT_NE(said.find("Did you mean train.batch"), std::string::npos) << said;
}

TEST(Recipe, AValueOutOfRangeNamesKeyValueAndRange) {
  Recipe r = Recipe::from_text("[train]\nbatch = 0\n", "r.toml");
  const std::string said = message([&] { r.integer("train.batch", 32, 1, 100); });
  EXPECT_NE(said.find("train.batch = 0"), std::string::npos) << said;
  EXPECT_NE(said.find("from 1 to 100"), std::string::npos) << said;
}

TEST(Recipe, BadTomlNamesLineAndColumn) {
  EXPECT_NE(message([] { Recipe::from_text("[train\n", "r.toml"); }).find("line 1"),
            std::string::npos);
}

TEST(Recipe, AListOfStringsSurvivesTheFileAnAssignmentAndTheResolvedRecipe) {
  Recipe r = Recipe::from_text("[data]\nimages = [\"a\", \"b \\\" c\"]\nmore = \"d\"\n", "r.toml");
  r.set("data.set=[\"x\"]");
  EXPECT_EQ(r.strings("data.images"), (std::vector<std::string>{"a", "b \" c"}));
  EXPECT_EQ(r.strings("data.more"), std::vector<std::string>{"d"});
  EXPECT_EQ(r.strings("data.set"), std::vector<std::string>{"x"});
  EXPECT_TRUE(r.strings("data.none").empty());
  r.finish();
  Recipe again = Recipe::from_text(r.resolved(), "config.toml");
  EXPECT_EQ(again.strings("data.images"), (std::vector<std::string>{"a", "b \" c"}));
  EXPECT_TRUE(again.strings("data.none").empty());
}

TEST(Recipe, SoDoesAListOfNumbersWhichOneNumberIsToo) {
  Recipe r = Recipe::from_text("[train]\nat = [0.1, 1, 1e5]\none = 3\n", "r.toml");
  r.set("train.set=[2]");
  EXPECT_EQ(r.reals("train.at", {}, 0, 1e6), (std::vector<double>{0.1, 1, 1e5}));
  EXPECT_EQ(r.reals("train.one", {}, 0, 10), std::vector<double>{3});
  EXPECT_EQ(r.reals("train.set", {}, 0, 10), std::vector<double>{2});
  EXPECT_EQ(r.reals("train.none", {7}, 0, 10), std::vector<double>{7});
  EXPECT_TRUE(r.reals("train.empty", {}, 0, 10).empty());
  r.finish();
  Recipe again = Recipe::from_text(r.resolved(), "config.toml");
  EXPECT_EQ(again.reals("train.at", {}, 0, 1e6), (std::vector<double>{0.1, 1, 1e5}));
  EXPECT_TRUE(again.reals("train.empty", {1}, 0, 10).empty());
}

TEST(Recipe, ANumberOfAListThatIsOutOfItsRangeOrNoneIsRefused) {
  Recipe r = Recipe::from_text("a = [1, 20]\nb = [\"x\"]\n", "r.toml");
  EXPECT_NE(message([&] { r.reals("a", {}, 0, 10); }).find("numbers from 0 to 10"),
            std::string::npos);
  EXPECT_NE(message([&] { r.reals("b", {}, 0, 10); }).find("b = [\"x\"]"), std::string::npos);
}

TEST(Recipe, AListOfAnythingElseIsRefused) {
  EXPECT_NE(message([] { Recipe::from_text("a = [1, \"b\"]\n", "r.toml"); }).find("list of one of"),
            std::string::npos);
  Recipe r;
  r.set("a=[1]");
  EXPECT_NE(message([&] { r.strings("a"); }).find("a = [1]"), std::string::npos);
}

}  // namespace
}  // namespace cairn
