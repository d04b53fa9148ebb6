// cairn data: contact sheets of a data set or a generator.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>

#include "runtime/error.h"
#include "runtime/image.h"
#include "runtime/threads.h"
#include "tools/image_list.h"
#include "tools/verb.h"
#include "training/draw.h"
#include "training/draw_skeleton.h"
#include "training/image_warp.h"
#include "training/keypoint_readers/coco_files.h"
#include "training/photo_images.h"
#include "training/progress.h"
#include "training/random_homography.h"
#include "training/stickman.h"
#include "training/synth_faces.h"
#include "training/synthetic_shapes.h"
#include "training/textures.h"

namespace cairn {
namespace {

struct Options {
  std::vector<std::string> what;
  std::string out = "data.png", size;
  int64_t count = 27, columns = 9, tile = 240, images = 0;
  uint64_t seed = 0;
  bool json = false;
};

// Every primitive in turn, with its corners as dots.
std::vector<Tile> shapes(const Options& o, Json& answer) {
  SyntheticShapes generator;
  const Size size = parse_size("--size", o.size.empty() ? "120x160" : o.size);
  generator.height = int(size.height);
  generator.width = int(size.width);
  std::vector<Tile> tiles;
  answer["images"] = Json::array();
  for (int64_t i = 0; i < o.count; ++i) {
    const Primitive primitive = Primitive(i % primitive_count);
    const LabelledImage drawn = synthetic_shape(generator, primitive, o.seed, i);
    Canvas canvas(drawn.image, size.width <= o.tile / 2 ? 2 : 1);
    for (const Point& p : drawn.points) {
      canvas.disc(canvas.at(p), 3, {0, 0, 0}, 0.8);
      canvas.disc(canvas.at(p), 2, {255, 72, 52});
    }
    tiles.push_back({canvas.image(), text(name(primitive), ", ", drawn.points.size())});
    answer["images"].push_back({{"shape", name(primitive)}, {"points", drawn.points.size()}});
  }
  return tiles;
}

int square_side(const Options& o, const char* usual) {
  const Size size = parse_size("--size", o.size.empty() ? usual : o.size);
  if (size.height != size.width)
    throw UsageError("--size", o.size, text("a square, as ", usual), "give equal sides");
  return int(size.width);
}

StickmanOptions stickman_options(const Options& o) {
  StickmanOptions generator;
  generator.size = square_side(o, "128x128");
  generator.seed = o.seed;
  return generator;
}

// Figures with their joints and bones; what a patch hides is drawn hollow.
std::vector<Tile> stickmen(const Options& o, Json& answer) {
  const StickmanOptions generator = stickman_options(o);
  std::vector<Tile> tiles;
  answer["images"] = Json::array();
  for (int64_t i = 0; i < o.count; ++i) {
    const Stickman drawn = stickman(generator, i);
    const Instance& figure = drawn.figures[0];
    const auto hidden = std::count_if(figure.points.begin(), figure.points.end(),
                                      [](auto& p) { return p.v == Visibility::hidden; });
    tiles.push_back(
        {draw_instances(drawn.image, mpii_skeleton(), {figure}), text(i, ", ", hidden)});
    answer["images"].push_back({{"figures", drawn.figures.size()}, {"hidden", hidden}});
  }
  return tiles;
}

SynthFaceOptions face_options(const Options& o) { return {square_side(o, "96x96"), o.seed}; }

Instance labelled(const SynthFace& face) {
  Instance instance;
  for (const Point& p : face.points) instance.points.push_back({p.x, p.y, Visibility::visible});
  complete(instance);
  return instance;
}

std::vector<Tile> faces(const Options& o, Json& answer) {
  const SynthFaceOptions generator = face_options(o);
  std::vector<Tile> tiles;
  answer["images"] = Json::array();
  for (int64_t i = 0; i < o.count; ++i) {
    const SynthFace drawn = synth_face(generator, i);
    tiles.push_back(
        {draw_instances(drawn.image, synth_face_skeleton(), {labelled(drawn)}), text(i)});
    answer["images"].push_back({{"points", drawn.points.size()}});
  }
  return tiles;
}

TextureOptions texture_options(const Options& o) {
  const Size size = parse_size("--size", o.size.empty() ? "240x320" : o.size);
  return {int(size.height), int(size.width), o.seed};
}

std::vector<Tile> textures(const Options& o, Json& answer) {
  const TextureOptions options = texture_options(o);
  std::vector<Tile> tiles;
  answer["images"] = Json::array();
  for (int64_t i = 0; i < o.count; ++i) {
    const char* kind = name(texture_kind(options, i));
    tiles.push_back({fitted(texture(options, i), o.tile), text(i, ", ", kind)});
    answer["images"].push_back({{"texture", kind}});
  }
  return tiles;
}

// "000012"
std::string six_digits(int64_t i) {
  const std::string number = std::to_string(i);
  return std::string(number.size() < 6 ? 6 - number.size() : 0, '0') + number;
}

// one(i) for every image to write, on all threads.
template <class F>
void for_each_written(const Options& o, F&& one) {
  Progress progress(o.what[0], o.images, "images");
  progress.update(0);
  const int64_t part = 16 * thread_count();
  for (int64_t first = 0; first < o.images; first += part) {
    const int64_t count = std::min(part, o.images - first);
    parallel_for(count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = first + begin; i < first + end; ++i) one(i);
    });
    progress.update(first + count);
  }
}

void export_textures(const Options& o) {
  const TextureOptions options = texture_options(o);
  make_folder(o.out);
  for_each_written(o, [&](int64_t i) {
    write_png(o.out + "/texture-" + six_digits(i) + ".png", texture(options, i));
  });
}

struct Example {
  Tensor image;
  Instance instance;
};

// A data set in COCO's form, of square images with one instance each: draw(i).
template <class F>
void export_examples(const Options& o, int size, const Skeleton& skeleton, F&& draw) {
  make_folder(o.out + "/images");
  KeypointDataset data{"", skeleton, std::vector<AnnotatedImage>(size_t(o.images))};
  for_each_written(o, [&](int64_t i) {
    Example drawn = draw(i);
    const std::string path = o.out + "/images/" + six_digits(i) + ".png";
    write_png(path, drawn.image);
    drawn.instance.id = i;
    data.images[size_t(i)] = {i, path, size, size, {drawn.instance}};
  });
  write_coco_keypoints(o.out + "/annotations.json", data);
}

// The figure in the middle of each image.
void export_stickmen(const Options& o) {
  const StickmanOptions generator = stickman_options(o);
  export_examples(o, generator.size, mpii_skeleton(), [&](int64_t i) {
    const Stickman drawn = stickman(generator, i);
    return Example{drawn.image, drawn.figures[0]};
  });
}

void export_faces(const Options& o) {
  const SynthFaceOptions generator = face_options(o);
  export_examples(o, generator.size, synth_face_skeleton(), [&](int64_t i) {
    const SynthFace drawn = synth_face(generator, i);
    return Example{drawn.image, labelled(drawn)};
  });
}

// Crops are named by their photograph: of two with one name, the second would overwrite the first.
void refuse_equal_stems(const std::vector<std::string>& paths) {
  std::map<std::string, std::string> by_stem;
  for (const std::string& path : paths) {
    const auto [at, added] = by_stem.emplace(std::filesystem::path(path).stem().string(), path);
    if (!added)
      throw UsageError("cairn data crops", text(at->second, " and ", path, " have one name"),
                       "names that differ before the extension", "rename one of them");
  }
}

// Every photograph in windows of several scales, as PNG files of one size.
void crops(const Options& o, Json& answer) {
  const Size size = parse_size("--size", o.size.empty() ? "240x320" : o.size);
  const std::vector<std::string> paths = expand_images({o.what.begin() + 1, o.what.end()});
  refuse_equal_stems(paths);
  make_folder(o.out);
  int64_t written = 0;
  Progress progress("crops", int64_t(paths.size()), "photographs");
  progress.update(0);
  int64_t read = 0;
  answer["skipped"] = for_each_image(paths, 3, [&](const std::string& path, const Tensor& image) {
    const std::string stem = o.out + "/" + std::filesystem::path(path).stem().string();
    const std::vector<Tensor> parts = photo_crops(image, size.height, size.width);
    parallel_for(int64_t(parts.size()), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) write_png(text(stem, "-", i, ".png"), parts[size_t(i)]);
    });
    written += int64_t(parts.size());
    progress.update(++read);
  });
  answer["folder"] = o.out;
  answer["images"] = written;
}

std::vector<Tile> files(const Options& o, Json& answer) {
  std::vector<std::string> paths = expand_images(o.what);
  answer["found"] = paths.size();
  if (int64_t(paths.size()) > o.count) paths.resize(size_t(o.count));
  std::vector<Tile> tiles;
  answer["images"] = Json::array();
  answer["skipped"] = for_each_image(paths, 3, [&](const std::string& path, const Tensor& image) {
    const std::string name = std::filesystem::path(path).filename().string();
    tiles.push_back({fitted(image, o.tile), text(name, ", ", image.dim(1), " x ", image.dim(0))});
    answer["images"].push_back(
        {{"image", path}, {"width", image.dim(1)}, {"height", image.dim(0)}});
  });
  return tiles;
}

// One picture of six shapes beside each other, 480x960, without their corners: something to detect
// in where no photograph is at hand.
void scene(const Options& o, Json& answer) {
  SyntheticShapes generator;
  generator.height = 240;
  generator.width = 320;
  Canvas canvas(2 * generator.height, 3 * generator.width, {0, 0, 0});
  const Primitive shown[] = {Primitive::checkerboard, Primitive::cube,    Primitive::star,
                             Primitive::lines,        Primitive::polygon, Primitive::stripes};
  for (int i = 0; i < 6; ++i)
    canvas.paste(synthetic_shape(generator, shown[i], o.seed, i).image, i % 3 * generator.width,
                 i / 3 * generator.height);
  write_png(o.out, canvas.image());
  answer["width"] = canvas.width();
  answer["height"] = canvas.height();
}

// A photograph as it looks from elsewhere: what to match it with where there is no second one.
void warp(const Options& o, Json& answer) {
  const Tensor image = read_image(o.what[1], 3);
  HomographyRange range;
  range.max_angle = 0.4;
  Random random(o.seed);
  const Matrix3 to_image = random_homography(range, int(image.dim(0)), int(image.dim(1)), random);
  write_png(o.out, warped(image, to_image, image.dim(0), image.dim(1)));
  answer["homography"] = with_unit_corner(inverse(to_image)).m;
}

void run(const Options& o) {
  Json answer;
  const std::string what = o.what.size() == 1 ? o.what[0] : "";
  const bool is_warp = o.what.size() == 2 && o.what[0] == "warp";
  const bool is_crops = o.what.size() > 1 && o.what[0] == "crops";
  if (o.images > 0 && what != "textures" && what != "stickman" && what != "synthface")
    throw UsageError("--images", text("given with '", o.what[0], "'"),
                     "cairn data textures, stickman or synthface",
                     "use --count for the number of images on a sheet");
  if (o.images > 0) {
    what == "textures"   ? export_textures(o)
    : what == "stickman" ? export_stickmen(o)
                         : export_faces(o);
    answer = {{"folder", o.out}, {"images", o.images}};
  } else if (is_crops) {
    crops(o, answer);
  } else if (what == "scene") {
    scene(o, answer);
  } else if (is_warp) {
    warp(o, answer);
  } else {
    const std::vector<Tile> tiles = what == "shapes"      ? shapes(o, answer)
                                    : what == "textures"  ? textures(o, answer)
                                    : what == "stickman"  ? stickmen(o, answer)
                                    : what == "synthface" ? faces(o, answer)
                                                          : files(o, answer);
    write_png(o.out, contact_sheet(tiles, o.columns, o.tile));
  }
  if (!answer.contains("folder")) answer["picture"] = o.out;
  if (o.json)
    print_json(answer);
  else
    std::cout << "written to " << o.out << '\n';
}

}  // namespace

void add_data(CLI::App& verb) {
  describe(verb, "Look at data: a contact sheet of images or of a generator",
           "cairn data shapes --count 27 --out shapes.png\n  cairn data photos/ --out photos.png\n"
           "  cairn data textures --images 2000 --size 240x320 --out textures\n"
           "  cairn data stickman --images 1000 --out figures\n"
           "  cairn data synthface --size 32x32 --out faces.png\n"
           "  cairn data crops photos/ --size 240x320 --out crops");
  auto o = std::make_shared<Options>();
  verb.add_option(
          "WHAT", o->what,
          "'shapes' (synthetic shapes with their corners), 'textures' (procedural photographs), "
          "'stickman' (figures with their joints), 'synthface' (faces with their points), 'scene' "
          "(a picture to detect in), 'warp IMAGE' (a copy seen through a random homography), "
          "'crops PHOTOS..' (parts of photographs at several scales), or images and folders of "
          "images")
      ->required()
      ->type_name("");
  verb.add_option("--out", o->out,
                  "the picture to write; with crops or --images a folder; data.png")
      ->type_name("FILE");
  verb.add_option(
          "--images", o->images,
          "write so many textures, figures or faces as PNG files instead of a sheet; figures and "
          "faces with annotations as COCO keypoints")
      ->type_name("N")
      ->check(CLI::Range(1, 10000000));
  verb.add_option("--count", o->count, "how many images; 27")
      ->type_name("N")
      ->check(CLI::Range(1, 10000));
  verb.add_option("--columns", o->columns, "images beside each other; 9")
      ->type_name("N")
      ->check(CLI::Range(1, 100));
  verb.add_option("--tile", o->tile, "longest side of an image on the sheet, in pixels; 240")
      ->type_name("PX")
      ->check(CLI::Range(16, 4096));
  verb.add_option(
          "--size", o->size,
          "of shapes: 120x160 (unless given) or 240x320; of textures and crops: any, 240x320; of "
          "stickman and synthface: a square, 128x128 and 96x96")
      ->type_name("HxW");
  verb.add_option("--seed", o->seed,
                  "of shapes, textures, stickman, synthface and warp: which ones; 0")
      ->type_name("N");
  add_json_option(verb, o->json);
  verb.callback([o] { run(*o); });
}

}  // namespace cairn
