// cairn edit: move the landmarks of an image, or give it the appearance of another one.
#include <cmath>
#include <cstdio>
#include <iomanip>
#include <iostream>

#include "models/image_crop.h"
#include "models/image_detection.h"
#include "models/model_file.h"
#include "runtime/error.h"
#include "runtime/image.h"
#include "tools/detect_options.h"
#include "training/landmark_pictures.h"

namespace cairn {
namespace {

struct EditArguments {
  std::string image, model, architecture, appearance, out = "edited.png";
  std::vector<std::string> moves;
  int steps = 4;
  bool json = false;
  Device device = Device::cpu;
};

// "k,dx,dy": landmark k, from 1 on, by dx and dy pixels of the image.
struct Move {
  int landmark;
  double dx, dy;
};
Move parse_move(const std::string& value, int landmarks) {
  Move m;
  char more = 0;
  if (std::sscanf(value.c_str(), "%d,%lf,%lf%c", &m.landmark, &m.dx, &m.dy, &more) != 3 ||
      m.landmark < 1 || m.landmark > landmarks || !std::isfinite(m.dx) || !std::isfinite(m.dy))
    throw UsageError("--move", text('"', value, '"'),
                     text("K,DX,DY with a landmark from 1 to ", landmarks, " and pixels"),
                     "as --move 3,5,-2");
  return m;
}

Json to_json(const Keypoints& k) {
  Json points = Json::array();
  for (const auto& p : k.points)
    points.push_back({std::round(double(p[0]) * 1e4) / 1e4, std::round(double(p[1]) * 1e4) / 1e4});
  return points;
}

double mean_distance(const Keypoints& a, const Keypoints& b) {
  double sum = 0;
  for (size_t k = 0; k < a.points.size(); ++k)
    sum += std::hypot(double(a.points[k][0] - b.points[k][0]),
                      double(a.points[k][1] - b.points[k][1]));
  return sum / double(a.points.size());
}

class Edit {
 public:
  explicit Edit(const EditArguments& o)
      : o_(o), loaded_(load_model(o.model, o.architecture, o.device)) {
    model_ = dynamic_cast<LandmarkAutoencoder*>(loaded_.model.get());
    if (!model_)
      throw UsageError("--model", o.model + " is " + loaded_.model->architecture(),
                       "a landmark_autoencoder: others cannot paint what they see",
                       "train one with recipes/landmark_autoencoder_mini.toml");
    if (o.moves.empty() == o.appearance.empty())
      throw UsageError(
          "cairn edit",
          o.moves.empty() ? "neither --move nor --appearance" : "both --move and --appearance",
          "one of the two", "say what to change");
  }

  void run() {
    const Seen seen = see(o_.image);
    const LandmarkStrip strip =
        o_.moves.empty() ? exchanged_strip(*model_, seen.input, see(o_.appearance).input)
                         : moved_strip(*model_, seen.input, displacement(seen), o_.steps);
    write_png(o_.out, strip.picture);
    const Keypoints asked = in_photo(strip.asked, seen), found = in_photo(strip.found, seen);
    if (o_.json)
      std::cout << Json{{"image", o_.image},
                        {"out", o_.out},
                        {"asked", to_json(asked)},
                        {"found", to_json(found)}}
                       .dump(-1, ' ', false, Json::error_handler_t::replace)
                << '\n';
    else
      std::cout << "painted; its landmarks are found again " << std::fixed << std::setprecision(1)
                << mean_distance(asked, found)
                << " px of the image from where they belong, drawn in " << o_.out << '\n';
  }

 private:
  struct Seen {
    Tensor input;     // [1,height,width,C], as the network sees it
    Matrix3 to_crop;  // from pixels of the image
  };
  Seen see(const std::string& path) const {
    const CropRule& rule = *model_->crop_rule();
    const Tensor image = read_image(path, model_->channels());
    const Matrix3 there = to_crop(frame_of(rule, image, {}), rule.height, rule.width);
    const Tensor crop = crop_image(image, there, rule.height, rule.width);
    return {network_input(*model_, crop).to(o_.device), there};
  }

  // Of every landmark, in image sides of the crop; [1,K,2].
  Tensor displacement(const Seen& seen) const {
    const int K = model_->skeleton()->keypoints();
    const double scale = scale_of(seen.to_crop);
    Tensor d = Tensor::zeros({1, K, 2});
    for (const std::string& value : o_.moves) {
      const Move m = parse_move(value, K);
      float* to = d.data<float>() + 2 * (m.landmark - 1);
      to[0] += float(m.dx * scale / double(seen.input.dim(2)));
      to[1] += float(m.dy * scale / double(seen.input.dim(1)));
    }
    return d;
  }

  static Keypoints in_photo(Keypoints k, const Seen& seen) {
    const Matrix3 back = inverse(seen.to_crop);
    for (auto& p : k.points) {
      const Point q = apply(back, {p[0], p[1]});
      p = {float(q.x), float(q.y)};
    }
    return k;
  }

  const EditArguments& o_;
  LoadedModel loaded_;
  LandmarkAutoencoder* model_;
};

}  // namespace

void add_edit(CLI::App& verb) {
  describe(
      verb, "Move the landmarks of an image, or give it the appearance of another one",
      "cairn edit face.png --model runs/landmarks/model.safetensors --move 3,4,0 --out strip.png\n"
      "  cairn edit face.png --model runs/landmarks/model.safetensors --appearance other.png");
  auto o = std::make_shared<EditArguments>();
  verb.add_option("IMAGE", o->image,
                  "whose landmarks are kept or moved; it is seen as a whole, in "
                  "the proportions and at the size of the network")
      ->required()
      ->type_name("");
  add_model_options(verb, o->model, o->architecture);
  verb.add_option("--move", o->moves,
                  "landmark K (from 1 on, in the order of cairn detect) by DX and DY pixels of the "
                  "image; once for each. It may leave the image: its descriptor then fades away")
      ->type_name("K,DX,DY")
      ->allow_extra_args(false);
  verb.add_option("--steps", o->steps, "pictures on the way")
      ->capture_default_str()
      ->check(CLI::Range(1, 64))
      ->type_name("N");
  verb.add_option("--appearance", o->appearance, "an image whose descriptors are taken")
      ->type_name("OTHER");
  verb.add_option("--out", o->out, "the strip of pictures")
      ->capture_default_str()
      ->type_name("FILE");
  add_device_options(verb, o->device);
  add_json_option(verb, o->json);
  verb.callback([o] { Edit(*o).run(); });
}

}  // namespace cairn
