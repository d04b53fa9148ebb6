// cairn detect: the keypoints of images.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>

#include "models/crop_rule.h"
#include "models/image_detection.h"
#include "models/instance_detection.h"
#include "models/keypoint_files.h"
#include "runtime/error.h"
#include "runtime/image.h"
#include "runtime/layout.h"
#include "runtime/memory.h"
#include "runtime/safetensors.h"
#include "tools/detect_options.h"
#include "tools/image_list.h"
#include "tools/profile_option.h"
#include "training/draw_skeleton.h"
#include "training/progress.h"

namespace cairn {
namespace {

struct DetectArguments : DetectorArguments {
  std::vector<std::string> images, boxes;
  std::string out, npz, colmap, raw, profile;
  bool json = false, verbose = false;
};

// [[x, y, score], ..]
Json to_json(const Keypoints& k) {
  const auto rounded = [](double v) { return std::round(v * 1e6) / 1e6; };
  Json points = Json::array();
  for (size_t i = 0; i < k.points.size(); ++i)
    points.push_back({rounded(k.points[i][0]), rounded(k.points[i][1]), rounded(k.scores[i])});
  return points;
}

// What was found in one image: points without order, or named points of each object.
struct Found {
  std::vector<Keypoints> sets;
  const Skeleton* skeleton = nullptr;  // null: one set of points without names

  Keypoints together() const {
    Keypoints all = sets.at(0);
    for (size_t i = 1; i < sets.size(); ++i) {
      all.points.insert(all.points.end(), sets[i].points.begin(), sets[i].points.end());
      all.scores.insert(all.scores.end(), sets[i].scores.begin(), sets[i].scores.end());
    }
    return all;
  }
};

Json to_json(const std::string& path, const Tensor& image, const Found& found) {
  Json j{{"image", path}, {"width", image.dim(1)}, {"height", image.dim(0)}};
  if (!found.skeleton) {
    j["keypoints"] = to_json(found.sets.at(0));
    return j;
  }
  j["names"] = found.skeleton->names;
  j["instances"] = Json::array();
  for (const Keypoints& k : found.sets) {
    Json instance{{"keypoints", to_json(k)}};
    if (!k.visible.empty()) instance["visible"] = k.visible;
    j["instances"].push_back(instance);
  }
  return j;
}

// "x,y,width,height", as edges: the first pixel of an image begins at -0.5.
Box parse_box(const std::string& value) {
  Box b;
  char more = 0;
  if (std::sscanf(value.c_str(), "%lf,%lf,%lf,%lf%c", &b.x, &b.y, &b.width, &b.height, &more) !=
          4 ||
      !(b.width > 0 && b.height > 0))
    throw UsageError("--box", text('"', value, '"'), "X,Y,WIDTH,HEIGHT with an area",
                     "as --box 20,30,100,200");
  b.x -= 0.5;
  b.y -= 0.5;
  return b;
}

// "photo" for "photo.jpg", and "photo-2" for a second photo.
std::string unique_stem(const std::string& path, std::set<std::string>& taken) {
  const std::string stem = std::filesystem::path(path).stem().string();
  std::string name = stem;
  for (int n = 2; !taken.insert(name).second; ++n) name = text(stem, '-', n);
  return name;
}

// COLMAP finds the text of an image by its file name, which must then be no other's.
void require_unique_names(const std::vector<std::string>& paths) {
  std::map<std::string, std::string> first;
  for (const std::string& path : paths) {
    const auto [it, is_new] = first.emplace(std::filesystem::path(path).filename().string(), path);
    if (!is_new)
      throw UsageError("--colmap", text(it->second, " and ", path, " have one name"),
                       "images with names of their own",
                       "rename one of them, or run it for each folder");
  }
}

void write_raw(const std::string& path, Model& model, const Tensor& input) {
  std::vector<std::pair<std::string, Tensor>> tensors;
  for (const auto& [name, t] : model.raw_outputs(input))
    tensors.emplace_back(name, t.rank() == 4 ? channels_first(t) : t);
  write_safetensors(path, tensors);
}

class Detection {
 public:
  explicit Detection(const DetectArguments& o)
      : o_(o), loaded_(load_detector(o)), detector_(*loaded_.model, o.detect, o.place) {
    for (const std::string& box : o.boxes) boxes_.push_back(parse_box(box));
    const bool named_only = !boxes_.empty() || o.detect.flip || o.detect.stacks;
    if (loaded_.model->crop_rule() == nullptr && named_only)
      throw UsageError(!boxes_.empty() ? "--box"
                       : o.detect.flip ? "--flip"
                                       : "--stacks",
                       o.model + " finds points without names, all over an image",
                       "a network of named points", "leave it out");
  }

  void run() {
    const std::vector<std::string> paths = expand_images(o_.images);
    if (!o_.raw.empty() && paths.size() != 1)
      throw UsageError("--raw", text(paths.size(), " images"), "one image",
                       "run it for each image");
    if (!o_.colmap.empty()) require_unique_names(paths);
    for (const std::string& folder : {o_.out, o_.npz, o_.colmap})
      if (!folder.empty()) make_folder(folder);
    std::unique_ptr<Progress> progress;
    if (paths.size() > 1 && o_.json)  // without, the answers are a progress of their own
      progress = std::make_unique<Progress>("detect", int64_t(paths.size()), "images");
    int64_t done = 0;
    for_each_image(paths, loaded_.model->channels(),
                   [&](const std::string& path, const Tensor& image) {
                     one(path, image);
                     if (progress) progress->update(++done);
                   });
  }

 private:
  void one(const std::string& path, const Tensor& image) {
    Model& model = *loaded_.model;
    const auto start = std::chrono::steady_clock::now();
    const Found found = find(image);
    const double ms =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    if (!o_.raw.empty())
      write_raw(o_.raw, model, network_input(model, image, o_.place.precision).to(o_.place.device));
    const std::string picture = write_files(path, image, found);
    if (o_.json)
      std::cout << to_json(path, image, found).dump(-1, ' ', false, replace_) << std::endl;
    else
      std::cout << path << ": " << found.together().points.size() << " keypoints in "
                << image.dim(1) << " x " << image.dim(0)
                << (picture.empty() ? "" : ", drawn in " + picture) << std::endl;
    if (o_.verbose)
      std::cerr << std::llround(ms) << " ms, peak memory "
                << memory(o_.place.device).use().peak / (1 << 20) << " MiB\n";
  }

  Found find(const Tensor& image) {
    const ProfileRange range(Work::host, "detect");
    Model& model = *loaded_.model;
    if (!model.crop_rule()) return {{detect_keypoints(detector_, image)}, nullptr};
    CropRule rule = *model.crop_rule();
    if (boxes_.empty()) rule.margin = 0;  // all of the image
    const std::vector<Box> boxes = boxes_.empty() ? std::vector<Box>(1) : boxes_;
    return {detect_in_boxes(detector_, image, boxes, rule), model.skeleton()};
  }

  // Returns the picture's name, if there is one.
  std::string write_files(const std::string& path, const Tensor& image, const Found& found) {
    const ProfileRange range(Work::host, "write files");
    const std::string stem = unique_stem(path, taken_);
    const Keypoints all = found.together();
    if (!o_.npz.empty())
      write_keypoints_npz(o_.npz + "/" + stem + ".npz", all, image.dim(1), image.dim(0));
    if (!o_.colmap.empty())
      write_keypoints_colmap(
          o_.colmap + "/" + std::filesystem::path(path).filename().string() + ".txt", all);
    if (o_.out.empty()) return "";
    const std::string picture = o_.out + "/" + stem + ".png";
    const Tensor shown = image.dim(2) == 3 ? image : read_image(path, 3);
    write_png(picture, found.skeleton
                           ? draw_found(shown, *found.skeleton, found.sets, o_.detect.threshold)
                           : draw_keypoints(shown, scored_points(all)));
    return picture;
  }

  static constexpr auto replace_ = Json::error_handler_t::replace;
  const DetectArguments& o_;
  LoadedModel loaded_;
  Detector detector_;
  std::vector<Box> boxes_;
  std::set<std::string> taken_;
};

void detect(const DetectArguments& o) {
  const std::unique_ptr<Profile> profile = make_profile(o.profile);
  if (profile) profile->start(o.place.device);
  Detection(o).run();
  if (profile) profile->finish();
  print_profile(profile.get(), o.json);
}

}  // namespace

void add_detect(CLI::App& verb) {
  describe(verb, "Find keypoints in images: overlays as PNG, points as JSON, NPZ or for COLMAP",
           "cairn detect photo.png --model superpoint.safetensors --out found\n"
           "  cairn detect photos/ --model superpoint.safetensors --json > points.jsonl\n"
           "  cairn detect person.jpg --model runs/pose/model.safetensors --box 20,30,100,200");
  auto o = std::make_shared<DetectArguments>();
  verb.add_option("IMAGE", o->images,
                  "images, or folders of images. Sides that the network cannot take are padded on "
                  "the right and at the bottom; points stay those of the image")
      ->required()
      ->type_name("");
  add_detector_options(verb, *o);
  add_least_option(verb, o->detect.least);
  verb.add_option("--box", o->boxes,
                  "of a network of named points: the box of an object, in pixels; once for each. "
                  "Without, it looks at the whole image")
      ->type_name("X,Y,W,H")
      ->allow_extra_args(false);
  add_named_point_options(verb, o->detect);
  verb.add_option("--out", o->out, "folder for pictures with the keypoints")->type_name("DIR");
  verb.add_option("--npz", o->npz, "folder for points, scores and descriptors, NAME.npz")
      ->type_name("DIR");
  verb.add_option("--colmap", o->colmap,
                  "folder for the texts that COLMAP imports, IMAGE.txt (points alone)")
      ->type_name("DIR");
  verb.add_option("--raw", o->raw, "write the network's outputs for the (padded) image, N,C,H,W")
      ->type_name("FILE");
  add_profile_option(verb, o->profile, "everything from loading the model on");
  add_json_option(verb, o->json);
  verb.add_flag("--verbose", o->verbose, "time and peak memory on stderr");
  verb.callback([o] { detect(*o); });
}

}  // namespace cairn
