#include "tools/eval_keypoints.h"

#include <algorithm>
#include <iostream>
#include <memory>

#include "runtime/error.h"
#include "tools/detect_options.h"
#include "tools/table.h"
#include "training/keypoint_readers/coco_files.h"
#include "training/keypoint_readers/keypoint_readers.h"
#include "training/keypoint_scores.h"
#include "training/progress.h"

namespace cairn {
namespace {

struct KeypointArguments {
  std::string truth, predictions, model, architecture, out, reference;
  DetectOptions detect;
  InferencePlace place;
  std::vector<std::string> set;
  std::vector<double> thresholds;
  double alpha = 0;
  bool json = false;
};

// "0.2", "10"
std::string plain(double v) { return text(v); }

Json to_json(const std::vector<PointScores>& list) {
  Json j = Json::object();
  for (const PointScores& p : list)
    j[p.name] = {{"labelled", p.labelled},
                 {"pck", number(p.pck)},
                 {"mean_pixels", number(p.mean_pixels)},
                 {"median_pixels", number(p.median_pixels)}};
  return j;
}

Json to_json(const ObjectPrecision& o) {
  return {{"ap", o.ap},
          {"ap50", o.ap50},
          {"ap75", o.ap75},
          {"ap_medium", o.ap_medium},
          {"ap_large", o.ap_large},
          {"ar", o.ar},
          {"ar50", o.ar50},
          {"ar75", o.ar75},
          {"ar_medium", o.ar_medium},
          {"ar_large", o.ar_large}};
}

Json to_json(const KeypointScores& s, const KeypointProtocol& protocol, const Skeleton& skeleton) {
  Json j{{"reference", protocol.reference},
         {"images", s.images},
         {"instances", s.instances},
         {"labelled", s.labelled},
         {"unpredicted", s.unpredicted},
         {"without_length", s.without_length},
         {"mean_pixels", number(s.mean_pixels)},
         {"median_pixels", number(s.median_pixels)},
         {"pck", Json::object()}};
  for (size_t i = 0; i < s.pck.size(); ++i)
    j["pck"][plain(protocol.thresholds[i])] = number(s.pck[i]);
  j["pck_area"] = number(s.pck_area);
  j["pck_visible"] = number(s.pck_visible);
  j["pck_hidden"] = number(s.pck_hidden);
  j["alpha"] = protocol.alpha;
  j["nme"] = number(s.nme);
  j["auc"] = number(s.auc);
  j["failure_rate"] = number(s.failure_rate);
  j["ced"] = Json::array();
  for (double v : s.ced) j["ced"].push_back(number(v));
  j["sigmas"] = similarity_sigmas(skeleton);
  j["oks"] = to_json(s.oks);
  j["groups"] = to_json(s.groups);
  j["keypoints"] = to_json(s.keypoints);
  return j;
}

void print_totals(const KeypointScores& s, const KeypointProtocol& protocol) {
  const std::string &by = protocol.reference, alpha = plain(protocol.alpha);
  std::cout << s.labelled << " points of " << s.instances << " instances in " << s.images
            << " images, distances over " << by << "\n\n  ";
  for (double t : protocol.thresholds)
    std::cout << right((by == "head" ? "PCKh@" : "PCK@") + plain(t), 10);
  std::cout << right("visible", 10) << right("hidden", 9) << right("mean px", 10)
            << right("median px", 11) << "\n  ";
  for (double v : s.pck) std::cout << right(cell(v, 4), 10);
  std::cout << right(cell(s.pck_visible, 4), 10) << right(cell(s.pck_hidden, 4), 9)
            << right(cell(s.mean_pixels, 2), 10) << right(cell(s.median_pixels, 2), 11) << "\n\n  "
            << right("NME " + by, 17) << right("AUC@" + alpha, 11) << right("failures@" + alpha, 15)
            << right("OKS AP", 10) << right("AP50", 8) << right("AP75", 8) << right("AR", 8)
            << "\n  " << right(cell(s.nme, 4), 17) << right(cell(s.auc, 4), 11)
            << right(cell(s.failure_rate, 4), 15);
  const auto precision = [](double v) { return cell(v < 0 ? NAN : v, 4); };
  std::cout << right(precision(s.oks.ap), 10);
  for (double v : {s.oks.ap50, s.oks.ap75, s.oks.ar}) std::cout << right(precision(v), 8);
  std::cout << "\n\n";
}

void print_points(const std::vector<PointScores>& points, double threshold) {
  size_t width = 10;
  for (const PointScores& p : points) width = std::max(width, p.name.size() + 2);
  std::cout << "  " << left("keypoint", width) << right("labelled", 10)
            << right("PCK@" + plain(threshold), 10) << right("mean px", 10)
            << right("median px", 11) << '\n';
  for (const PointScores& p : points)
    std::cout << "  " << left(p.name, width) << right(std::to_string(p.labelled), 10)
              << right(cell(p.pck, 4), 10) << right(cell(p.mean_pixels, 2), 10)
              << right(cell(p.median_pixels, 2), 11) << '\n';
  std::cout << '\n';
}

void print(const KeypointScores& s, const KeypointProtocol& protocol, const Skeleton& skeleton) {
  print_totals(s, protocol);
  print_points(s.groups, protocol.thresholds.back());
  if (s.unpredicted)
    std::cout << "  " << s.unpredicted
              << " labelled points have no prediction: wrong in every share, in no mean\n";
  if (s.without_length)
    std::cout << "  " << s.without_length << " instances have no " << protocol.reference
              << ": they count in pixels and OKS alone\n";
  if (skeleton.sigmas.empty())
    std::cout << "  the data set has no sigmas: OKS takes 0.05 for every point\n";
}

KeypointProtocol protocol_of(const KeypointArguments& a, const KeypointDataset& truth) {
  KeypointProtocol p = KeypointProtocol::usual(truth, a.reference);
  if (!a.thresholds.empty()) p.thresholds = a.thresholds;
  std::sort(p.thresholds.begin(), p.thresholds.end());
  if (a.alpha > 0) p.alpha = a.alpha;
  return p;
}

// Throws unless the network's points are the annotated ones, in their order; it may not have names.
void check_points(const KeypointArguments& a, const Model& model, const Skeleton& annotated) {
  if (!model.skeleton() || !model.crop_rule())
    throw UsageError("--model", a.model + " does not say where named points are",
                     "a network with a codec", "choose a stacked hourglass, for example");
  const Skeleton& known = *model.skeleton();
  const bool unnamed = known.keypoints() > 0 && known.names[0] == "1";
  if (known.keypoints() == annotated.keypoints() && (unnamed || known.names == annotated.names))
    return;
  throw UsageError("--truth",
                   text(a.truth, " annotates ", annotated.keypoints(), " points, ", a.model,
                        " finds ", known.keypoints(), ", or they are called otherwise"),
                   "the points that the network was trained on, in their order",
                   "compare it with annotations of these");
}

std::vector<PredictedInstance> predict(const KeypointArguments& a, const KeypointDataset& truth) {
  const LoadedModel loaded = load_detector({a.model, a.architecture, a.detect, a.place, a.set});
  Model& model = *loaded.model;
  check_points(a, model, truth.skeleton);
  Progress progress("eval " + a.model, int64_t(truth.images.size()), "images");
  progress.update(0);
  int64_t done = 0;
  std::vector<PredictedInstance> found =
      predict_instances(model, truth, *model.crop_rule(), a.detect, a.place,
                        [&](const AnnotatedImage& image) { progress.update(++done, image.path); });
  if (!a.out.empty()) write_coco_results(a.out, found);
  return found;
}

void keypoints(const KeypointArguments& a) {
  if (a.model.empty() == a.predictions.empty())
    throw UsageError(
        "cairn eval keypoints",
        a.model.empty() ? "neither --model nor --predictions" : "both --model and --predictions",
        "one of the two", "name a model file, or a file of results");
  const KeypointDataset truth = read_keypoint_dataset(a.truth);
  const KeypointProtocol protocol = protocol_of(a, truth);
  const std::vector<PredictedInstance> found =
      a.model.empty() ? read_coco_results(a.predictions, truth.skeleton.keypoints())
                      : predict(a, truth);
  const KeypointScores s = evaluate(truth, found, protocol);
  if (a.json)
    print_json(to_json(s, protocol, truth.skeleton));
  else
    print(s, protocol, truth.skeleton);
}

}  // namespace

void add_eval_keypoints(CLI::App& eval) {
  CLI::App& verb = *eval.add_subcommand(
      "keypoints", "PCK, NME and average precision of named points on annotated images");
  verb.footer(
      "\nExample:\n  cairn eval keypoints --truth dev.csv --predictions results.json "
      "--reference torso");
  auto a = std::make_shared<KeypointArguments>();
  verb.add_option("--truth", a->truth, "annotations: COCO JSON, CSV, or a folder with one of them")
      ->required()
      ->type_name("PATH");
  verb.add_option("--predictions", a->predictions, "a results file as COCO's")->type_name("FILE");
  verb.add_option("--model", a->model, "or a network, which sees the annotated boxes")
      ->type_name("FILE");
  verb.add_option("--arch", a->architecture, "its architecture, if the file does not say it")
      ->type_name("NAME");
  add_named_point_options(verb, a->detect, a->set);
  verb.add_option("--out", a->out, "write what the network found as a results file")
      ->type_name("FILE");
  verb.add_option("--reference", a->reference,
                  "what distances are divided by: torso, head, side, box, interocular, interpupil, "
                  "pixels, or two points as NAME:NAME; by default what is usual for such data")
      ->type_name("NAME");
  verb.add_option("--threshold", a->thresholds, "of PCK, once for each; by default the usual ones")
      ->check(CLI::PositiveNumber)
      ->type_name("T")
      ->allow_extra_args(false);
  verb.add_option("--alpha", a->alpha, "of AUC and failure rate; by default the usual one")
      ->check(CLI::PositiveNumber)
      ->type_name("A");
  add_precision_option(verb, a->place.device, a->place.precision);
  add_device_options(verb, a->place.device);
  add_json_option(verb, a->json);
  verb.callback([a] { keypoints(*a); });
}

}  // namespace cairn
