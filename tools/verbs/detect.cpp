// cairn detect: the keypoints of images.
#include <chrono>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <set>

#include "models/model_file.h"
#include "runtime/error.h"
#include "runtime/image.h"
#include "runtime/layout.h"
#include "runtime/memory.h"
#include "runtime/safetensors.h"
#include "tools/image_list.h"
#include "tools/verb.h"
#include "training/draw.h"
#include "training/progress.h"

namespace cairn {
namespace {

struct DetectArguments {
  std::vector<std::string> images;
  std::string model, architecture, out, raw;
  DetectOptions detect;
  Device device = Device::cpu;
  bool json = false, verbose = false;
};

// u8 [H,W,C] -> f32 [1,H',W',C] in [0,1], the sides padded on the right and at the bottom to
// multiples of `multiple` with the pixels of the border.
Tensor network_input(const Tensor& image, int multiple) {
  const int64_t H = image.dim(0), W = image.dim(1), C = image.dim(2);
  const auto padded = [&](int64_t n) { return (n + multiple - 1) / multiple * multiple; };
  Tensor x = Tensor::empty({1, padded(H), padded(W), C});
  const uint8_t* from = image.data<uint8_t>();
  float* to = x.data<float>();
  for (int64_t r = 0; r < x.dim(1); ++r)
    for (int64_t c = 0; c < x.dim(2); ++c) {
      const uint8_t* p = from + (std::min(r, H - 1) * W + std::min(c, W - 1)) * C;
      for (int64_t k = 0; k < C; ++k) *to++ = float(p[k]) / 255;
    }
  return x;
}

// Those that lie inside of the image proper, and not on its border.
std::vector<ScoredPoint> inside(const Keypoints& found, int64_t width, int64_t height, int border) {
  std::vector<ScoredPoint> points;
  for (size_t i = 0; i < found.points.size(); ++i) {
    const auto [x, y] = found.points[i];
    if (x < float(width - border) && y < float(height - border))
      points.push_back({x, y, found.scores[i]});
  }
  return points;
}

Json to_json(const std::string& path, const Tensor& image, const std::vector<ScoredPoint>& points) {
  const auto rounded = [](double v) { return std::round(v * 1e6) / 1e6; };
  Json j{{"image", path}, {"width", image.dim(1)}, {"height", image.dim(0)}};
  j["keypoints"] = Json::array();
  for (const ScoredPoint& p : points)
    j["keypoints"].push_back({rounded(p.x), rounded(p.y), rounded(p.score)});
  return j;
}

// "photo.jpg" -> "OUT/photo.png"; a second photo -> "OUT/photo-2.png".
std::string picture_name(const std::string& out, const std::string& path,
                         std::set<std::string>& taken) {
  const std::string stem = std::filesystem::path(path).stem().string();
  std::string name = stem;
  for (int n = 2; !taken.insert(name).second; ++n) name = text(stem, '-', n);
  return out + "/" + name + ".png";
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
      : o_(o), loaded_(load_model(o.model, o.architecture, o.device)) {}

  void run() {
    const std::vector<std::string> paths = expand_images(o_.images);
    if (!o_.raw.empty() && paths.size() != 1)
      throw UsageError("--raw", text(paths.size(), " images"), "one image",
                       "run it for each image");
    if (!o_.out.empty()) make_folder(o_.out);
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
    const Tensor input = network_input(image, model.size_multiple()).to(o_.device);
    const std::vector<ScoredPoint> points =
        inside(model.detect(input, o_.detect).at(0), image.dim(1), image.dim(0), o_.detect.border);
    const double ms =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    if (!o_.raw.empty()) write_raw(o_.raw, model, input);
    std::string picture;
    if (!o_.out.empty()) {
      picture = picture_name(o_.out, path, taken_);
      const Tensor shown = model.channels() == 3 ? image : read_image(path, 3);
      write_png(picture, draw_keypoints(shown, points));
    }
    if (o_.json)
      std::cout << to_json(path, image, points).dump(-1, ' ', false, replace_) << std::endl;
    else
      std::cout << path << ": " << points.size() << " keypoints in " << image.dim(1) << " x "
                << image.dim(0) << (picture.empty() ? "" : ", drawn in " + picture) << std::endl;
    if (o_.verbose)
      std::cerr << std::llround(ms) << " ms, peak memory "
                << memory(o_.device).use().peak / (1 << 20) << " MiB\n";
  }

  static constexpr auto replace_ = Json::error_handler_t::replace;
  const DetectArguments& o_;
  LoadedModel loaded_;
  std::set<std::string> taken_;
};

}  // namespace

void add_detect(CLI::App& verb) {
  describe(verb, "Find keypoints in images: overlays as PNG, points as JSON",
           "cairn detect photo.png --model superpoint.safetensors --out found\n"
           "  cairn detect photos/ --model superpoint.safetensors --json > points.jsonl");
  auto o = std::make_shared<DetectArguments>();
  verb.add_option("IMAGE", o->images,
                  "images, or folders of images. Sides that the network cannot take are padded on "
                  "the right and at the bottom; points stay those of the image")
      ->required()
      ->type_name("");
  verb.add_option("--model", o->model, "a model file")->required()->type_name("FILE");
  verb.add_option("--arch", o->architecture,
                  "architecture of a model file that does not say it itself")
      ->type_name("NAME");
  verb.add_option("--out", o->out, "folder for pictures with the keypoints")->type_name("DIR");
  verb.add_option("--raw", o->raw, "write the network's outputs for the (padded) image, N,C,H,W")
      ->type_name("FILE");
  verb.add_option("--threshold", o->detect.threshold, "least score; 0.015")
      ->type_name("P")
      ->check(CLI::Range(0.0, 1.0));
  verb.add_option("--nms", o->detect.nms_radius, "least distance between points - 1; 4")
      ->type_name("PX")
      ->check(CLI::Range(0, 1000));
  verb.add_option("--border", o->detect.border, "no points nearer to the edge than this; 4")
      ->type_name("PX")
      ->check(CLI::Range(0, 1000));
  verb.add_option("--top-k", o->detect.top_k, "at most so many points, 0 for all; 1000")
      ->type_name("N")
      ->check(CLI::Range(0, 1000000));
  add_device_options(verb, o->device);
  add_json_option(verb, o->json);
  verb.add_flag("--verbose", o->verbose, "time and peak memory on stderr");
  verb.callback([o] { Detection(*o).run(); });
}

}  // namespace cairn
