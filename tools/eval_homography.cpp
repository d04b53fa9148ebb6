#include "tools/eval_homography.h"

#include <cmath>
#include <iomanip>
#include <iostream>
#include <memory>

#include "runtime/error.h"
#include "tools/detect_options.h"
#include "tools/table.h"
#include "training/homography_evaluation.h"
#include "training/pair_evaluation.h"
#include "training/progress.h"

namespace cairn {
namespace {

struct HomographyOptions {
  std::vector<std::string> folders, models, methods, levels, set;
  std::string architecture, preset = "cairn", estimator = "ransac";
  DetectOptions detect{.least = least_to_match};
  InferencePlace place;
  int64_t pairs = 500;
  std::string size = "240x320";
  uint64_t seed = 1;
  bool json = false;
};

Json by_radius(const std::map<int, double>& values, const std::vector<int>& radii) {
  Json j = Json::object();
  for (int r : radii) j[std::to_string(r)] = values.count(r) ? number(values.at(r)) : Json(nullptr);
  return j;
}

Json to_json(const HomographyScores& s, const HomographyProtocol& protocol) {
  Json j;
  j["repeatability"] = number(s.repeatability);
  j["localization_error"] = number(s.localization_error);
  j["nn_map"] = number(s.nn_map);
  j["matching_score"] = number(s.matching_score);
  j["matching_accuracy"] = by_radius(s.matching_accuracy, protocol.radii);
  j["homography_accuracy"] = by_radius(s.homography_accuracy, protocol.radii);
  j["homography_auc"] = by_radius(s.homography_area, protocol.radii);
  j["points"] = number(s.points);
  j["matches"] = number(s.matches);
  if (protocol.cosines) {
    j["positive_cosine"] = number(s.positive_cosine);
    j["hardest_negative_cosine"] = number(s.negative_cosine);
  }
  return j;
}

// The sets that a benchmark's tables list beside the mean over all: HPatches' illumination (i_) and
// viewpoint (v_) scenes.
struct Row {
  std::string name;
  HomographyScores scores;
};
std::vector<Row> group_rows(const HomographyEvaluation& e) {
  std::vector<Row> rows;
  for (const auto& [prefix, name] : {std::pair{"i_", "illumination"}, {"v_", "viewpoint"}})
    for (const auto& [sequence, pairs] : e.sequences)
      if (sequence.rfind(prefix, 0) == 0) {
        rows.push_back({name, e.mean_of(prefix)});
        break;
      }
  rows.push_back({"mean", e.mean_of("")});
  return rows;
}

Json to_json(const HomographyEvaluation& e, const std::string& method, const HomographyOptions& o,
             const HomographyProtocol& protocol) {
  Json j{{"preset", protocol.name}, {"method", method}, {"estimator", o.estimator}};
  for (const Row& row : group_rows(e)) {
    const Json scores = to_json(row.scores, protocol);
    if (row.name == "mean")
      j.update(scores);
    else
      j["groups"][row.name] = scores;
  }
  j["sequences"] = Json::object();
  for (const auto& [name, pairs] : e.sequences) {
    j["sequences"][name] = to_json(mean(pairs), protocol);
    j["sequences"][name]["pairs"] = pairs.size();
  }
  return j;
}

std::string cells(const std::map<int, double>& values, const std::vector<int>& radii) {
  std::string line;
  for (int r : radii)
    line += (line.empty() ? "" : " ") + cell(values.count(r) ? values.at(r) : NAN, 2);
  return line;
}

std::string slashed(const std::vector<int>& radii) {
  std::string line;
  for (int r : radii) line += (line.empty() ? "" : "/") + std::to_string(r);
  return line;
}

void print(const HomographyEvaluation& e, const std::string& method, const HomographyOptions& o,
           const HomographyProtocol& protocol) {
  std::vector<Row> rows;
  for (const auto& [name, pairs] : e.sequences) rows.push_back({name, mean(pairs)});
  for (Row& row : group_rows(e)) rows.push_back(std::move(row));
  size_t width = 8;
  for (const Row& row : rows) width = std::max(width, row.name.size());
  const int wide = 4 + 5 * int(protocol.radii.size());
  const std::string radii = slashed(protocol.radii);
  std::cout << method << ", preset " << protocol.name << " (" << protocol.description
            << "), estimator " << o.estimator << "\n\n  " << left("sequence", width + 2)
            << "preset  repeat.  loc.err  NN mAP  M.score  " << left("MMA " + radii, size_t(wide))
            << "homography " << radii << '\n';
  for (const Row& row : rows) {
    const HomographyScores& s = row.scores;
    std::cout << "  " << left(row.name, width + 2) << left(protocol.name, 8) << std::right
              << std::setw(7) << cell(s.repeatability, 3) << std::setw(9)
              << cell(s.localization_error, 2) << std::setw(8) << cell(s.nn_map, 3) << std::setw(9)
              << cell(s.matching_score, 3) << "  "
              << left(cells(s.matching_accuracy, protocol.radii), size_t(wide))
              << cells(s.homography_accuracy, protocol.radii) << '\n';
  }
  const HomographyScores all = e.mean_of("");
  if (std::isfinite(all.positive_cosine))
    std::cout << "\n  cosine of true partners " << cell(all.positive_cosine, 3)
              << ", of the hardest other point " << cell(all.negative_cosine, 3) << '\n';
  std::cout << '\n';
}

// Runs `measure` for each method and model, and prints.
template <class Measure>
void compare(const HomographyOptions& o, const HomographyProtocol& protocol,
             const std::string& verb, Measure measure) {
  const HomographyEstimator estimator = parse_homography_estimator("--estimator", o.estimator);
  if (o.models.empty() && o.methods.empty())
    throw UsageError(verb, "neither --model nor --method", "something to evaluate",
                     "name a model file or a classical method");
  std::vector<LoadedModel> models;
  std::vector<KeypointMethod> methods;  // borrow the models
  for (const std::string& name : o.methods) methods.push_back(classical_method(name));
  for (const std::string& path : o.models) {
    models.push_back(load_detector({path, o.architecture, o.detect, o.place, o.set}));
    methods.push_back(model_method(path, *models.back().model, o.detect, o.place));
  }
  Json answers = Json::array();
  for (const KeypointMethod& method : methods) {
    const HomographyEvaluation e = measure(method, estimator);
    if (o.json)
      answers.push_back(to_json(e, method.name, o, protocol));
    else
      print(e, method.name, o, protocol);
  }
  if (o.json) print_json(answers.size() == 1 ? answers[0] : answers);
}

void homography(const HomographyOptions& o) {
  const HomographyProtocol protocol = homography_protocol(o.preset);
  const std::vector<HomographySequence> sequences = homography_sequences(o.folders);
  int64_t images = 0;
  for (const HomographySequence& s : sequences) images += 1 + int64_t(s.others.size());
  compare(o, protocol, "cairn eval homography",
          [&](const KeypointMethod& method, HomographyEstimator estimator) {
            Progress progress("eval " + method.name, images, "images");
            progress.update(0);
            int64_t done = 0;
            return evaluate(
                method, sequences, protocol, estimator,
                [&](const std::string& sequence) { progress.update(++done, sequence); });
          });
}

void pairs(const HomographyOptions& o) {
  const HomographyProtocol protocol = homography_protocol("pairs");
  const Size size = parse_size("--size", o.size);
  const TextureOptions textures{int(size.height), int(size.width), o.seed};
  std::vector<PairLevel> levels;
  for (PairLevel level : pair_levels)
    if (o.levels.empty() ||
        std::find(o.levels.begin(), o.levels.end(), name(level)) != o.levels.end())
      levels.push_back(level);
  compare(o, protocol, "cairn eval pairs",
          [&](const KeypointMethod& method, HomographyEstimator estimator) {
            Progress progress("eval " + method.name, o.pairs * int64_t(levels.size()), "pairs");
            progress.update(0);
            int64_t done = 0;
            return evaluate_pairs(
                method, textures, levels, o.pairs, protocol, estimator,
                [&](const std::string& level) { progress.update(++done, level); });
          });
}

void add_method_options(CLI::App& verb, HomographyOptions& o) {
  verb.add_option("--model", o.models, "model files; given several times they are compared")
      ->type_name("FILE")
      ->allow_extra_args(false);
  verb.add_option("--arch", o.architecture, "architecture of model files that do not say it")
      ->type_name("NAME");
  add_set_option(verb, o.set);
  verb.add_option("--method", o.methods,
                  "classical methods (OpenCV): fast, harris, shi, orb, sift; or random points")
      ->type_name("NAME")
      ->allow_extra_args(false);
  verb.add_option("--threshold", o.detect.threshold, "least score of a model's points; 0.015")
      ->type_name("P")
      ->check(CLI::Range(0.0, 1.0));
  add_least_option(verb, o.detect.least);
  verb.add_option("--estimator", o.estimator,
                  "of homographies: ransac, magsac, or usac (OpenCV); ransac")
      ->type_name("NAME");
  add_subpixel_option(verb, o.detect.refinement);
  add_precision_option(verb, o.place.device, o.place.precision);
  add_device_options(verb, o.place.device);
  add_json_option(verb, o.json);
}

}  // namespace

void add_eval_homography(CLI::App& eval) {
  CLI::App& verb = *eval.add_subcommand(
      "homography", "repeatability and matching on sequences with known homographies");
  verb.footer(
      "\nExample:\n  cairn eval homography hpatches/ --model superpoint.safetensors --method orb "
      "--method sift");
  auto o = std::make_shared<HomographyOptions>();
  verb.add_option("DIR", o->folders,
                  "sequences, or folders of sequences: HPatches (1.ppm .., H_1_2 ..) or Oxford "
                  "(img1.png .., H1to2p ..)")
      ->required()
      ->type_name("");
  std::string presets;
  for (const std::string& p : protocol_names()) presets += (presets.empty() ? "" : ", ") + p;
  verb.add_option("--preset", o->preset, "protocol: " + presets + "; cairn")->type_name("NAME");
  add_method_options(verb, *o);
  verb.callback([o] { homography(*o); });
}

void add_eval_pairs(CLI::App& eval) {
  CLI::App& verb =
      *eval.add_subcommand("pairs", "the same on synthetic pairs of textures, without any data");
  verb.footer(
      "\nExample:\n  cairn eval pairs --model superpoint.safetensors --method sift --pairs 500");
  auto o = std::make_shared<HomographyOptions>();
  verb.add_option("--pairs", o->pairs, "how many of each level; 500")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  verb.add_option("--level", o->levels,
                  "easy, medium, hard (viewpoint) or illumination; all unless given")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"easy", "medium", "hard", "illumination"}));
  verb.add_option("--size", o->size, "of the images; 240x320")->type_name("HxW");
  verb.add_option("--seed", o->seed, "which pairs; 1")->type_name("N");
  add_method_options(verb, *o);
  verb.callback([o] { pairs(*o); });
}

}  // namespace cairn
