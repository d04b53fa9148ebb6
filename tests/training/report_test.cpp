#include "training/report.h"

#include <gtest/gtest.h>

#include "runtime/atomic_file.h"
#include "tests/temporary_folder.h"

namespace cairn {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Report, EveryTermOfTheLossHasACurveAndCosinesShareAChart) {
  TemporaryFolder folder;
  std::string log;
  for (int step : {1, 2})
    log += "{\"kind\":\"step\",\"step\":" + std::to_string(step) +
           ",\"images\":" + std::to_string(4 * step) +
           ",\"loss\":5,\"detector\":4,\"positive_cosine\":0.5,\"hardest_negative_cosine\":0.4}\n";
  log +=
      "{\"kind\":\"evaluation\",\"step\":2,\"images\":8,\"positive_cosine\":0.4,"
      "\"homography_within_5px\":0.7,\"ap_clean\":0.9,\"ap_noisy\":0.8}\n";
  write_file(folder / "log.jsonl", log);
  write_file(folder / "config.toml", "task = \"superpoint\"\n");
  write_run_report(folder.path());
  const std::string html = read_file(folder / "report.html");
  for (const char* chart : {"training loss", "detector", "cosine", "cosine, evaluated",
                            "homography_within_5px, evaluated", "ap, evaluated"})
    EXPECT_TRUE(contains(html, "aria-label=\"" + std::string(chart) + "\"")) << chart;
  for (const char* curve : {"positive_cosine</text>", "hardest_negative_cosine</text>",
                            ">homography_within_5px</text>", ">clean</text>", ">noisy</text>"})
    EXPECT_TRUE(contains(html, curve)) << curve;
  EXPECT_FALSE(contains(html, "aria-label=\"hardest\"")) << "it has a chart of its own";
}

TEST(Report, AxesCountImagesInWholeNumbersWithoutExponents) {
  const std::string one = svg_chart("ap", "images seen", {{"ap", {{20, 0.5}}}}, false);
  EXPECT_TRUE(contains(one, ">20</text>") && contains(one, ">21</text>")) << one;
  EXPECT_FALSE(contains(one, ">20.5</text>")) << one;
  const std::string many =
      svg_chart("ap", "images seen", {{"ap", {{800, 0.5}, {2400, 0.6}, {12000, 0.7}}}}, false);
  EXPECT_TRUE(contains(many, ">5000</text>") && contains(many, ">10k</text>")) << many;
}

TEST(Report, TheWarningsOfTheLastEvaluationStandAtItsTop) {
  TemporaryFolder folder;
  write_file(folder / "log.jsonl",
             "{\"kind\":\"evaluation\",\"step\":1,\"images\":4,\"warnings\":[\"early\"]}\n"
             "{\"kind\":\"evaluation\",\"step\":2,\"images\":8,\"warnings\":[\"a < b\"]}\n");
  write_file(folder / "config.toml", "");
  write_run_report(folder.path());
  const std::string html = read_file(folder / "report.html");
  EXPECT_TRUE(contains(html, "<p class=warning>a &lt; b</p>"));
  EXPECT_FALSE(contains(html, "early"));
}

}  // namespace
}  // namespace cairn
