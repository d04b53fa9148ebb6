// The house keeps its own rules: an op has its siblings and its row, arrows point downwards, and
// what the documents name exists.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "tests/source_path.h"
#include "tools/kernel_table.h"
#include "tools/machine_models.h"

namespace {

namespace fs = std::filesystem;
const fs::path root = cairn::source_path("");

std::string content(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<fs::path> files(const fs::path& folder, const std::set<std::string>& extensions) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && extensions.count(entry.path().extension().string()))
      found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

std::string all_rows() {
  std::string text;
  for (const fs::path& p : files(root / "tests/conformance", {".cpp"})) text += content(p);
  return text;
}

TEST(House, EveryOpHasItsSiblingsAndItsConformanceRow) {
  const std::string rows = all_rows();
  int ops = 0;
  for (const fs::path& header : files(root / "kernels", {".h"})) {
    if (content(header).find("\nCAIRN_ON_EACH_DEVICE(") == std::string::npos) continue;
    ++ops;
    const std::string name = header.stem().string();
    for (const char* sibling : {".cpp", ".cu"}) {
      fs::path path = header;
      EXPECT_TRUE(fs::exists(path.replace_extension(sibling)))
          << fs::relative(header, root) << " has no sibling " << sibling;
    }
    EXPECT_NE(rows.find("\"" + name + "\""), std::string::npos)
        << name << " has no row in tests/conformance";
  }
  EXPECT_GT(ops, 20);
}

TEST(House, EveryOpHasARowInTheTableOfKernels) {
  std::set<std::string> listed;
  cairn::visit_kernels(cairn::Device::cpu, cairn::KernelSizes::predicted,
                       [&](const cairn::KernelRow& row) { listed.insert(row.op); });
  for (const fs::path& header : files(root / "kernels", {".h"}))
    if (content(header).find("\nCAIRN_ON_EACH_DEVICE(") != std::string::npos)
      EXPECT_TRUE(listed.erase(header.stem().string()))
          << fs::relative(header, root) << " has no row in tools/kernel_table";
  for (const std::string& name : listed) ADD_FAILURE() << "a row of the unknown op " << name;
}

// What stands above the code of a kernel file, and of the headers of its family that it includes:
// siblings share a kernel, and then its description.
std::string description(const fs::path& cu) {
  const std::string text = content(cu);
  std::string all = text.substr(0, text.find("\n#include"));
  const std::regex include("#include \"(kernels/[^\"]+)\"");
  for (std::sregex_iterator it(text.begin(), text.end(), include), end; it != end; ++it)
    if (const fs::path header = root / (*it)[1].str(); header.parent_path() == cu.parent_path())
      all += content(header);
  return all;
}

TEST(House, EveryCudaFileSaysWhatItMovesAndHowItIsLaunched) {
  for (const fs::path& cu : files(root / "kernels", {".cu"}))
    for (const char* fact : {"Launch", "Traffic", "Repeats"})
      EXPECT_NE(description(cu).find(fact), std::string::npos)
          << fs::relative(cu, root) << " does not state '" << fact << "'";
}

// tools -> training -> models -> layers -> kernels -> runtime; geometry stands beside kernels.
TEST(House, ArrowsPointDownwards) {
  const std::map<std::string, std::set<std::string>> above = {
      {"runtime", {"geometry", "kernels", "layers", "models", "training", "tools"}},
      {"geometry", {"kernels", "layers", "models", "training", "tools"}},
      {"kernels", {"geometry", "layers", "models", "training", "tools"}},
      {"layers", {"models", "training", "tools"}},
      {"models", {"training", "tools"}},
      {"training", {"tools"}}};
  const std::regex include("#include \"([a-z]+)/");
  for (const auto& [folder, forbidden] : above)
    for (const fs::path& file : files(root / folder, {".h", ".cpp", ".cu", ".cuh"})) {
      const std::string text = content(file);
      for (std::sregex_iterator it(text.begin(), text.end(), include), end; it != end; ++it) {
        const std::string target = (*it)[1];
        // The pool beneath simt's tensors: the one upward arrow, stated in runtime/memory.cpp.
        if (file == root / "runtime/memory.cpp" && target == "kernels") continue;
        EXPECT_FALSE(forbidden.count(target))
            << fs::relative(file, root) << " includes " << target << "/";
      }
    }
}

std::vector<fs::path> documents() {
  std::vector<fs::path> found = files(root / "docs", {".md"});
  for (const char* name : {"README.md", "CONTRIBUTING.md", "kernels/README.md"})
    found.push_back(root / name);
  return found;
}

// clang-format keeps code within 100 columns and leaves comments alone.
TEST(House, CommentsAreNoWiderThanTheCode) {
  int read = 0;
  for (const char* folder :
       {"runtime", "kernels", "layers", "geometry", "models", "training", "tools", "tests"})
    for (const fs::path& path : files(root / folder, {".h", ".cpp", ".cu", ".cuh"})) {
      std::ifstream in(path);
      int number = 0;
      for (std::string line; std::getline(in, line); ++read) {
        ++number;
        const size_t first = line.find_first_not_of(' ');
        const auto columns = std::count_if(line.begin(), line.end(),
                                           [](char c) { return (c & 0xc0) != 0x80; });  // UTF-8
        if (first != std::string::npos && line.compare(first, 2, "//") == 0)
          EXPECT_LE(columns, 100) << fs::relative(path, root) << ':' << number;
      }
    }
  EXPECT_GT(read, 10000);
}

TEST(Documents, EveryPathTheyNameExists) {
  // `kernels/pool/max_pool.cu` in backticks, and [text](relative/path).
  const std::regex path_in_ticks(
      "`((?:\\.ci|cmake|runtime|geometry|kernels|layers|models|training|tools|tests|recipes|"
      "scripts|docs|weights)/"
      "[A-Za-z0-9_./-]*)`");
  const std::regex link("\\]\\(([^)#:]+)\\)");
  for (const fs::path& document : documents()) {
    const std::string text = content(document);
    for (std::sregex_iterator it(text.begin(), text.end(), path_in_ticks), end; it != end; ++it)
      EXPECT_TRUE((*it)[1].str().find("NAME") != std::string::npos ||
                  fs::exists(root / (*it)[1].str()))
          << fs::relative(document, root) << " names " << (*it)[1];
    for (std::sregex_iterator it(text.begin(), text.end(), link), end; it != end; ++it)
      EXPECT_TRUE(fs::exists(document.parent_path() / (*it)[1].str()))
          << fs::relative(document, root) << " links to " << (*it)[1];
  }
}

TEST(Documents, EveryCommandTheyNameExists) {
  const std::regex verb("(?:^|\\n|`|\\$ |/)cairn ([a-z]+)[ `\\n]"),
      script("(scripts/[a-z_]+\\.sh)");
  for (const fs::path& document : documents()) {
    const std::string text = content(document);
    for (std::sregex_iterator it(text.begin(), text.end(), verb), end; it != end; ++it)
      EXPECT_TRUE(fs::exists(root / "tools/verbs" / ((*it)[1].str() + ".cpp")))
          << fs::relative(document, root) << " names cairn " << (*it)[1];
    for (std::sregex_iterator it(text.begin(), text.end(), script), end; it != end; ++it)
      EXPECT_TRUE(fs::exists(root / (*it)[1].str()))
          << fs::relative(document, root) << " names " << (*it)[1];
  }
}

// docs/kernels.md holds what `cairn bench kernels --model h200` says.
TEST(Documents, TheKernelBookHasEveryRowAsPredicted) {
  const std::string book = content(root / "docs/kernels.md");
  const cairn::MachineModel& h200 = cairn::machine_model("h200");
  cairn::visit_kernels(
      cairn::Device::cpu, cairn::KernelSizes::predicted, [&](const cairn::KernelRow& row) {
        const auto floor = h200.floor(row.bytes, row.flops, row.type);
        char numbers[120];
        std::snprintf(numbers, sizeof numbers, "%.2f | %.2f | %.3f | %.1f | %s |", row.bytes * 1e-6,
                      row.moved * 1e-6, row.flops * 1e-9, floor.seconds * 1e6, floor.bound);
        const std::string line = "| " + row.name + " | " + row.shape + " | " + numbers;
        EXPECT_TRUE(book.find(line + "\n") != std::string::npos) << line;
      });
}

}  // namespace
