// Parameter counts to the last one, as the papers' networks have them.
#include <gtest/gtest.h>

#include "models/model.h"
#include "runtime/error.h"

namespace cairn {
namespace {

int64_t count(const std::string& architecture, const Options& options = {}) {
  const auto model = make_model(architecture, options);
  return Parameters(*model, Device::cpu).count();
}

TEST(ParameterCount, SuperPoint) {
  EXPECT_EQ(count("superpoint"), 1'300'865);
  EXPECT_EQ(count("magicpoint"), 939'905);
  EXPECT_EQ(count("magicpoint", {{"norm", "pre"}}), 942'083);
  EXPECT_EQ(count("magicpoint", {{"norm", "post"}}), 942'083);
  // One norm fewer than 1,304,067: the descriptor's last convolution has none.
  EXPECT_EQ(count("superpoint", {{"norm", "pre"}}), 1'304'067 - 2 * 256);
}

TEST(Model, AnUnknownArchitectureIsAnErrorWithTheList) {
  try {
    make_model("superpont");
    FAIL();
  } catch (const UsageError& e) {
    EXPECT_NE(e.expected.find("superpoint"), std::string::npos) << e.what();
  }
}

TEST(Model, AnUnknownOptionIsAnErrorWithTheKnownOnes) {
  try {
    make_model("superpoint", {{"nrom", "pre"}});
    FAIL();
  } catch (const UsageError& e) {
    EXPECT_NE(e.wrong.find("nrom"), std::string::npos) << e.what();
    EXPECT_NE(e.expected.find("norm"), std::string::npos) << e.what();
  }
}

TEST(Model, OptionsRebuildTheSameModel) {
  for (const std::string& name : model_names()) {
    const auto model = make_model(name);
    const auto again = make_model(model->architecture(), model->options());
    EXPECT_EQ(model->options(), again->options()) << name;
    EXPECT_EQ(count(name), Parameters(*again, Device::cpu).count()) << name;
  }
}

}  // namespace
}  // namespace cairn
