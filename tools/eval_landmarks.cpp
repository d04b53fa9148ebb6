#include "tools/eval_landmarks.h"

#include <iostream>
#include <memory>

#include "models/model_file.h"
#include "runtime/error.h"
#include "tools/table.h"
#include "training/landmark_evaluation.h"
#include "training/reference_length.h"

namespace cairn {
namespace {

struct LandmarkArguments {
  std::string model, architecture, fit, test, reference;
  int64_t fit_images = 0, images = 0;
  int points = 0;
  bool json = false;
  Device device = Device::cpu;
};

// Annotated images to fit on and others to be measured on; drawn faces where no files are named.
struct Sets {
  std::unique_ptr<KeypointExamples> fit, test;
};
Sets sets_of(const LandmarkArguments& a, const Model& model) {
  if (a.fit.empty() != a.test.empty())
    throw UsageError(a.fit.empty() ? "--fit" : "--test", "only the other one is given",
                     "two annotated sets, or none for drawn faces", "name both");
  if (a.fit.empty()) {
    SynthFaceOptions faces{int(model.crop_rule()->height), 1001};
    Sets sets{synth_face_examples(faces), nullptr};
    faces.seed = 1002;
    sets.test = synth_face_examples(faces);
    return sets;
  }
  DatasetExampleOptions o;
  o.channels = model.channels();
  return {dataset_examples(a.fit, o), dataset_examples(a.test, o)};
}

int64_t count_of(const KeypointExamples& examples, int64_t asked, int64_t usual) {
  if (examples.count() == 0) return asked ? asked : usual;
  return asked ? std::min(asked, examples.count()) : examples.count();
}

std::array<int, 2> ends_of(const LandmarkArguments& a, const Skeleton& skeleton) {
  const std::string name = !a.reference.empty() ? a.reference
                           : a.fit.empty()      ? "right_eye:left_eye"
                                                : "interocular";
  const auto ends = ReferenceLength(name, skeleton).ends();
  if (!ends)
    throw UsageError("--reference", name, "the distance of two points",
                     "interocular, or NAME:NAME");
  return *ends;
}

void landmarks(const LandmarkArguments& a) {
  const LoadedModel loaded = load_model(a.model, a.architecture, a.device);
  Model& model = *loaded.model;
  if (!model.skeleton() || !model.crop_rule())
    throw UsageError("--model", a.model + " finds points without order",
                     "a network of landmarks: landmark_autoencoder, for example",
                     "name another model");
  const Sets sets = sets_of(a, model);
  const Skeleton& skeleton = sets.test->skeleton();
  const std::array<int, 2> ends = ends_of(a, skeleton);
  const int points = a.points == 0 && a.fit.empty() ? 5 : a.points;
  const auto split = [&](const KeypointExamples& examples, int64_t images) {
    return discovered_landmarks(model, a.device, examples, images, points);
  };
  const LandmarkSplit fit = split(*sets.fit, count_of(*sets.fit, a.fit_images, 3000)),
                      test = split(*sets.test, count_of(*sets.test, a.images, 1000));
  const RegressionOptions bias{.bias = true, .ridge = 0}, none{};
  const LandmarkScores with = landmark_scores(fit, test, ends, bias),
                       without = landmark_scores(fit, test, ends, none);
  const double back = backward_error(fit, test, ends, bias);
  const auto curve = label_efficiency(fit, test, ends, bias);

  if (a.json) {
    Json points = Json::object(), by_images = Json::array();
    for (size_t p = 0; p < with.points.size(); ++p)
      points[skeleton.names[p]] = number(with.points[p]);
    for (const LabelEfficiency& l : curve)
      by_images.push_back({{"images", l.images}, {"error", number(l.mean)}, {"sd", number(l.sd)}});
    print_json({{"images", test.annotated.dim(0)},
                {"fit_images", fit.annotated.dim(0)},
                {"error", number(with.error)},
                {"error_without_bias", number(without.error)},
                {"error_of_mean_shape", number(with.mean_shape)},
                {"backward_error", number(back)},
                {"points", points},
                {"by_fit_images", by_images}});
    return;
  }
  std::cout << "annotated points by linear regression from the landmarks, fitted on "
            << fit.annotated.dim(0) << " images, measured on " << test.annotated.dim(0)
            << "; % of the reference length\n\n"
            << "  error             " << right(cell(with.error, 2), 8) << '\n'
            << "  without a bias    " << right(cell(without.error, 2), 8) << '\n'
            << "  of the mean shape " << right(cell(with.mean_shape, 2), 8) << '\n'
            << "  backward          " << right(cell(back, 2), 8) << "\n\n";
  for (size_t p = 0; p < with.points.size(); ++p)
    std::cout << "  " << left(skeleton.names[p], 18) << right(cell(with.points[p], 2), 8) << '\n';
  std::cout << "\n  annotated images     error    sd of ten subsets\n";
  for (const LabelEfficiency& l : curve)
    std::cout << "  " << right(std::to_string(l.images), 16) << right(cell(l.mean, 2), 10)
              << right(cell(l.sd, 2), 21) << '\n';
}

}  // namespace

void add_eval_landmarks(CLI::App& eval) {
  CLI::App& verb = *eval.add_subcommand(
      "landmarks", "what discovered landmarks know of annotated points, by linear regression");
  verb.footer(
      "\nExample:\n  cairn eval landmarks --model runs/landmarks/model.safetensors\n"
      "  cairn eval landmarks --model M --fit train.csv --test dev.csv --reference interocular");
  auto a = std::make_shared<LandmarkArguments>();
  verb.add_option("--model", a->model, "a network of landmarks")->required()->type_name("FILE");
  verb.add_option("--arch", a->architecture, "its architecture, if the file does not say it")
      ->type_name("NAME");
  verb.add_option("--fit", a->fit,
                  "annotations to fit on: COCO JSON, CSV, or a folder with one of them; without, "
                  "drawn faces")
      ->type_name("PATH");
  verb.add_option("--test", a->test, "annotations of other images")->type_name("PATH");
  verb.add_option("--fit-images", a->fit_images, "of the first so many; all, or 3000 drawn ones")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  verb.add_option("--images", a->images, "measured on the first so many; all, or 1000 drawn ones")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  verb.add_option("--points", a->points,
                  "the first so many annotated points; all, or 5 of the drawn faces")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  verb.add_option("--reference", a->reference,
                  "what errors are divided by: interocular, or two points as NAME:NAME")
      ->type_name("NAME");
  add_device_options(verb, a->device);
  add_json_option(verb, a->json);
  verb.callback([a] { landmarks(*a); });
}

}  // namespace cairn
