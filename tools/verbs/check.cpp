// cairn check: what annotated images hold, and everything that is wrong with them, before training.
#include <cmath>
#include <filesystem>
#include <iostream>

#include "runtime/available_memory.h"
#include "runtime/error.h"
#include "runtime/image.h"
#include "tools/table.h"
#include "training/dataset_report.h"
#include "training/dataset_sheet.h"
#include "training/memory_estimate.h"

namespace cairn {
namespace {

struct Options {
  std::string path, out, recipe;
  std::vector<std::string> set;
  Device device = Device::cpu;
  bool json = false;
};

// One annotation file: what it holds, or why it is none.
struct Checked {
  std::string path, refused;
  ScannedDataset scanned;
  DatasetReport report;

  bool fine() const { return refused.empty() && !scanned.problems.has_errors(); }
};

Checked check_file(const std::string& path) {
  Checked c{path, "", {}, {}};
  try {
    c.scanned = scan_keypoint_dataset(path);
    c.report = inspect(c.scanned, ImageCheck::whole);
  } catch (const Error& e) {
    c.refused = e.what();
  }
  return c;
}

std::string counted(int64_t n, const std::string& what) {
  return text(n, " ", what, n == 1 ? "" : "s");
}

// What a mirror image has in the place of point k.
std::string partner(const Skeleton& s, size_t k) {
  return s.swap[k] == int(k) ? "itself" : s.names[size_t(s.swap[k])];
}

Json to_json(const Checked& c) {
  if (!c.refused.empty()) return {{"file", c.path}, {"refused", c.refused}};
  const DatasetReport& r = c.report;
  const Skeleton& s = c.scanned.data.skeleton;
  Json j{{"file", c.path},
         {"images", r.images},
         {"readable", r.readable},
         {"images_without_labels", r.unlabelled_images},
         {"instances", r.instances},
         {"crowds", r.crowds},
         {"labelled", r.labelled},
         {"outside", r.outside},
         {"median_size", r.median_size}};
  j["keypoints"] = Json::array();
  for (size_t k = 0; k < s.names.size(); ++k)
    j["keypoints"].push_back({{"name", s.names[k]},
                              {"visible", r.keypoints[k].visible},
                              {"hidden", r.keypoints[k].hidden},
                              {"missing", r.keypoints[k].missing},
                              {"outside", r.keypoints[k].outside},
                              {"mirrored", s.swap[k]}});
  for (bool errors : {true, false}) {
    Json& list = j[errors ? "errors" : "warnings"] = Json::array();
    for (const auto& [kind, places] : c.scanned.problems.places())
      if (const ProblemFacts& f = facts(kind); f.error == errors)
        list.push_back(
            {{"kind", f.name}, {"what", f.what}, {"to_do", f.remedy}, {"places", places}});
  }
  return j;
}

void print_table(const Skeleton& s, const DatasetReport& r) {
  size_t widest = 9;
  for (const std::string& name : s.names) widest = std::max(widest, name.size() + 1);
  const auto row = [&](const auto&... cells) { ((std::cout << right(text(cells), 9)), ...); };
  std::cout << "  " << left("keypoint", widest);
  row("visible", "hidden", "missing", "outside");
  std::cout << "  mirrored\n";
  for (size_t k = 0; k < s.names.size(); ++k) {
    const KeypointCounts& n = r.keypoints[k];
    std::cout << "  " << left(s.names[k], widest);
    row(n.visible, n.hidden, n.missing, n.outside);
    std::cout << "  " << partner(s, k) << '\n';
  }
}

void print(const Checked& c) {
  if (!c.refused.empty()) {
    std::cout << "refused " << c.refused << '\n';
    return;
  }
  const DatasetReport& r = c.report;
  std::cout << c.path << ": " << counted(r.images, "image") << ", "
            << counted(r.instances, "instance") << " of "
            << counted(c.scanned.data.skeleton.keypoints(), "keypoint");
  if (r.crowds > 0) std::cout << ", " << counted(r.crowds, "crowd");
  std::cout << "; " << counted(r.labelled, "labelled point") << "; median size "
            << std::llround(r.median_size) << " pixels\n";
  print_table(c.scanned.data.skeleton, r);
  constexpr size_t shown = 5;
  const Problems& problems = c.scanned.problems;
  for (bool errors : {true, false})
    if (const int64_t n = problems.count(errors); n > 0)
      std::cout << "  " << counted(n, errors ? "error" : "warning")
                << problems.summary(errors, shown) << '\n';
  if (problems.places().empty()) std::cout << "  nothing is wrong\n";
}

// sheet.png, or with several files sheet-train.png for train.csv.
std::string sheet_path(const std::string& out, const std::string& file, bool several) {
  if (!several) return out;
  const std::filesystem::path path(out);
  return (path.parent_path() /
          (path.stem().string() + "-" + std::filesystem::path(file).stem().string() +
           path.extension().string()))
      .string();
}

void draw(const Options& o, const std::vector<Checked>& files, Json& answer) {
  answer["sheets"] = Json::array();
  for (const Checked& c : files) {
    if (!c.refused.empty() || c.report.labelled == 0 || c.report.readable == 0) continue;
    const std::string path = sheet_path(o.out, c.path, files.size() > 1);
    write_png(path, dataset_sheet(c.scanned.data));
    answer["sheets"].push_back(path);
    if (!o.json) std::cout << "points and bones of " << c.path << " are drawn in " << path << '\n';
  }
}

// The recipe, with the checked file for data that it does not name.
Recipe recipe_for(const Options& o, const std::vector<Checked>& files) {
  Recipe recipe = Recipe::from_file(o.recipe);
  for (const std::string& s : o.set) recipe.set(s);
  const auto largest = std::max_element(
      files.begin(), files.end(),
      [](const auto& a, const auto& b) { return a.report.images < b.report.images; });
  if (Recipe(recipe).string("task", "") == "keypoints" &&
      Recipe(recipe).string("data.source", "files") == "files")
    for (const char* key : {"data.train", "data.validation"})
      if (!recipe.has(key)) recipe.set(text(key, "=", largest->path));
  return recipe;
}

// Whether a training step fits into the memory that is there; returns what is wrong, or "".
std::string check_memory(const Options& o, const std::vector<Checked>& files, Json& answer) {
  const MemoryEstimate e = estimate_memory(recipe_for(o, files), o.device);
  const double available = double(available_memory(o.device));
  const double needed = e.bytes(e.batch);
  const int64_t largest = e.largest_batch(available);
  answer["recipe"] = {{"file", o.recipe},
                      {"batch", e.batch},
                      {"bytes", int64_t(needed)},
                      {"bytes_per_image", int64_t(e.per_image)},
                      {"available_bytes", int64_t(available)},
                      {"largest_batch", largest},
                      {"fits", needed <= available}};
  const auto mb = [](double bytes) { return text(std::llround(bytes * 1e-6), " MB"); };
  const std::string what = text(o.recipe, ": a step of ", counted(e.batch, "image"),
                                " needs about ", mb(needed), " (", mb(e.fixed), " and ",
                                mb(e.per_image), " an image) of ", mb(available), " that are free");
  if (needed > available) return text(what, "; at most ", counted(largest, "image"), " would fit");
  if (!o.json) std::cout << what << ": it fits, up to " << largest << " images a step would\n";
  return "";
}

void run(const Options& o) {
  std::vector<Checked> files;
  Json answer{{"fine", true}, {"files", Json::array()}};
  std::string bad;
  for (const std::string& path : annotation_files(o.path)) {
    files.push_back(check_file(path));
    const Checked& c = files.back();
    if (!c.fine()) bad += (bad.empty() ? "" : ", ") + c.path;
    answer["files"].push_back(to_json(c));
    if (!o.json) print(c);
  }
  answer["fine"] = bad.empty();
  if (!o.out.empty()) draw(o, files, answer);
  std::string too_large;
  if (bad.empty() && !o.recipe.empty()) too_large = check_memory(o, files, answer);
  if (o.json) print_json(answer);
  if (!bad.empty())
    throw Error("cairn check", "errors, as listed, in " + bad, "annotations without errors",
                "correct them; training refuses them as they are");
  if (!too_large.empty())
    throw Error("cairn check", too_large, "a step that fits into memory",
                "lower train.batch, or the size of the images or of the network");
}

}  // namespace

void add_check(CLI::App& verb) {
  describe(verb, "Read annotated images, train nothing, and say what is wrong with them",
           "cairn check dataset/ --out sheet.png\n"
           "  cairn check dataset/train.csv --recipe recipe.toml --json");
  auto o = std::make_shared<Options>();
  verb.add_option("PATH", o->path,
                  "an annotation file (COCO keypoints .json, or .csv of points), or a folder of "
                  "them")
      ->required()
      ->type_name("");
  verb.add_option("--out", o->out,
                  "write a contact sheet with points and bones; of several files FILE-NAME.png")
      ->type_name("FILE");
  verb.add_option(
          "--recipe", o->recipe,
          "say whether a training step of this recipe fits into memory, from two small ones")
      ->type_name("FILE");
  verb.add_option("--set", o->set, "override a key of the recipe, e.g. train.batch=8")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  add_device_options(verb, o->device);
  add_json_option(verb, o->json);
  verb.callback([o] { run(*o); });
}

}  // namespace cairn
