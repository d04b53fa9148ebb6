// docs/your_own_images.md does what it says: its files are read, its commands run, in its order.
#include <sstream>

#include "runtime/error.h"
#include "runtime/random.h"
#include "tests/source_path.h"
#include "tests/tools/run_program.h"
#include "tests/training/keypoint_files.h"
#include "training/draw.h"

namespace cairn {
namespace {

// The contents of all fenced blocks of a kind.
std::vector<std::string> blocks(const std::string& kind) {
  const std::string page = read_file(source_path("docs/your_own_images.md"));
  std::vector<std::string> found;
  const std::string start = "```" + kind + "\n";
  for (size_t at = page.find(start); at != std::string::npos; at = page.find(start, at + 1)) {
    const size_t begin = at + start.size();
    found.push_back(page.substr(begin, page.find("```", begin) - begin));
  }
  return found;
}

class YourOwnImages : public ProgramTest {
 protected:
  // Three coloured dots: a red beak above a green left and a blue right wing.
  void draw_birds(const std::string& part, int count, uint64_t seed) const {
    std::filesystem::create_directories(folder_ / ("birds/" + part));
    std::string rows = blocks("csv")[0];
    rows = rows.substr(0, rows.find('\n') + 1);
    Random random(seed);
    for (int i = 0; i < count; ++i) {
      const Point beak{24 + 16 * random.uniform(), 10 + 8 * random.uniform()};
      const Point left = beak + Point{-12, 16}, right = beak + Point{12, 16};
      Canvas canvas(48, 64, {40, 44, 52});
      canvas.disc(beak, 3.5, {230, 60, 50});
      canvas.disc(left, 3.5, {60, 220, 80});
      canvas.disc(right, 3.5, {70, 110, 240});
      const std::string name = std::to_string(i) + ".png";
      write_png(folder_ / ("birds/" + part + "/" + name), canvas.image());
      rows += name;
      for (Point p : {beak, left, right}) rows += text(",", p.x, ",", p.y, ",1");
      rows += "\n";
    }
    write_file(folder_ / ("birds/" + part + ".csv"), rows);
  }
};

TEST_F(YourOwnImages, TheFilesOfThePageAreTwoWaysToSayTheSame) {
  for (const char* name : {"0001.png", "0002.png"})
    write_png(folder_ / name, Tensor::full({48, 64, 3}, 90, DType::u8));
  write_file(folder_ / "points.csv", blocks("csv").at(0));
  write_file(folder_ / "points.json", blocks("json").at(0));
  const auto [coco, coco_problems] = scan_keypoint_dataset(folder_ / "points.json");
  EXPECT_EQ(places(coco_problems, Problem::no_area).size(), 1u);
  EXPECT_EQ(coco_problems.places().size(), 1u) << coco_problems.summary(true, 3);
  write_file(folder_ / "keypoints.txt", blocks("text").at(0));
  const auto [csv, csv_problems] = scan_keypoint_dataset(folder_ / "points.csv");
  EXPECT_TRUE(csv_problems.places().empty()) << csv_problems.summary(true, 3);
  EXPECT_EQ(csv.skeleton.names, coco.skeleton.names);
  EXPECT_EQ(csv.skeleton.swap, coco.skeleton.swap);
  EXPECT_EQ(csv.skeleton.bones.size(), 2u);
  for (size_t i : {0, 1})
    for (size_t k : {0, 1, 2}) {
      const LabelledPoint &a = csv.images[i].instances[0].points[k],
                          &b = coco.images[i].instances[0].points[k];
      EXPECT_EQ(a.x, b.x);
      EXPECT_EQ(a.y, b.y);
    }
}

TEST_F(YourOwnImages, ThePythonOfThePageWritesAFileWithoutErrors) {
  if (std::system("python3 -c '' 2>/dev/null") != 0) GTEST_SKIP() << "there is no python3";
  write_file(folder_ / "coco.py", blocks("python").at(0) +
                                      "coco([('a.png', 64, 48, [(1, 2, 2), (0, 0, 0)]), "
                                      "('a.png', 64, 48, [(5, 6, 1), (7.5, 8, 2)])], ['p', 'q'], "
                                      "'out.json')\n");
  ASSERT_EQ(shell("python3 coco.py").code, 0);
  const auto [d, problems] = scan_keypoint_dataset(folder_ / "out.json");
  EXPECT_FALSE(problems.has_errors()) << problems.summary(true, 3);
  ASSERT_EQ(d.images.size(), 1u);
  EXPECT_EQ(d.images[0].instances[1].points[1].x, 7.5);
}

TEST_F(YourOwnImages, EveryKindOfProblemIsOnThePage) {
  const std::string page = read_file(source_path("docs/your_own_images.md"));
  for (int i = 0; i < problem_kinds; ++i)
    EXPECT_NE(page.find(text("`", facts(Problem(i)).name, "`")), std::string::npos)
        << facts(Problem(i)).name;
}

// With a smaller network and fewer steps, which are added to the commands.
TEST_F(YourOwnImages, TheCommandsOfThePageLeadFromLabelsToPictures) {
  draw_birds("train", 24, 1);
  draw_birds("dev", 8, 2);
  write_file(folder_ / "birds.toml", blocks("toml").at(0));
  std::string commands;
  for (const std::string& block : blocks("sh")) commands += block;
  const std::string small =
      " --set model.features=16 --set model.depth=2 --set data.height=64 --set data.width=64"
      " --set train.batch=8 --set train.steps=100 --set train.warmup_steps=5"
      " --set train.evaluate_every=100 --set train.lr=5e-3";
  std::istringstream lines(commands);
  int run = 0;
  for (std::string line; std::getline(lines, line); ++run) {
    ASSERT_TRUE(line.starts_with("cairn ")) << line;
    line = line.substr(6);
    if (line.find("birds.toml") != std::string::npos) line += small;
    const bool measured = line.starts_with("eval");
    const Answer a = cairn(measured ? line + " --json" : line);
    ASSERT_EQ(a.code, 0) << line << '\n' << a;
    // Answers in the middle of where birds are would be off by 5 pixels.
    if (measured) EXPECT_LT(a.json()["mean_pixels"].get<double>(), 2.5) << a;
  }
  EXPECT_EQ(run, 5);
  for (const char* made : {"sheet-train.png", "sheet-dev.png", "runs/birds/report.html",
                           "runs/birds/model.safetensors", "found/7.png"})
    EXPECT_TRUE(std::filesystem::exists(folder_ / made)) << made;
}

}  // namespace
}  // namespace cairn
