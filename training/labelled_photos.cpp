#include "training/labelled_photos.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "runtime/error.h"
#include "runtime/image.h"
#include "runtime/threads.h"
#include "training/label_files.h"
#include "training/photo_images.h"

namespace cairn {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> images_of(const std::vector<std::string>& folders) {
  std::vector<std::string> paths;
  for (const std::string& folder : folders) {
    const std::vector<std::string> inside = image_files(folder);
    if (inside.empty())
      throw Error(folder, "the folder has no images", "JPEG, PNG, BMP, PGM or PPM files",
                  "check data.images; subfolders are not searched");
    paths.insert(paths.end(), inside.begin(), inside.end());
  }
  return paths;
}

// What became of one image: it is used, or left out, or wrong.
struct Loaded {
  LabelledImage image;
  std::string left_out, wrong;
};

Loaded load(const std::string& path, const std::string& label, int height, int width) {
  Loaded result;
  try {
    result.image.image = load_photo(path, height, width);
  } catch (const Error& e) {
    result.left_out = path + ": " + e.wrong;
    return result;
  }
  if (!fs::exists(label)) {
    result.wrong = text(path, ": no label ", label);
    return result;
  }
  try {
    for (const auto& [x, y] : read_labels(label, height, width).points)
      result.image.points.push_back({x, y});
  } catch (const Error& e) {
    result.wrong = label + ": " + e.wrong;
  }
  return result;
}

std::string first_lines(const std::vector<std::string>& lines) {
  constexpr size_t shown = 10;
  std::string out;
  for (size_t i = 0; i < std::min(shown, lines.size()); ++i) out += "\n  " + lines[i];
  if (lines.size() > shown) out += text("\n  and ", lines.size() - shown, " more");
  return out;
}

}  // namespace

LabelledPhotos read_labelled_photos(const std::vector<std::string>& folders,
                                    const std::string& labels, int height, int width) {
  const std::vector<std::string> paths = images_of(folders), files = label_paths(labels, paths);
  std::vector<Loaded> loaded(paths.size());
  parallel_for(int64_t(paths.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) loaded[i] = load(paths[i], files[i], height, width);
  });

  LabelledPhotos photos;
  std::vector<std::string> wrong;
  size_t points = 0;
  for (Loaded& l : loaded) {
    if (!l.wrong.empty()) wrong.push_back(l.wrong);
    if (!l.left_out.empty()) photos.left_out.push_back(l.left_out);
    if (!l.wrong.empty() || !l.left_out.empty()) continue;
    points += l.image.points.size();
    photos.images.push_back(std::move(l.image));
  }
  if (!wrong.empty())
    throw Error(labels,
                text(wrong.size(), " of ", paths.size(),
                     " images have no fitting label:", first_lines(wrong)),
                text("a label of every image, made at ", height, "x", width),
                text("run cairn label with --size ", height, "x", width, " and --out ", labels));
  if (photos.images.empty())
    throw Error(
        "data.images",
        text("none of ", paths.size(), " images could be read:", first_lines(photos.left_out)),
        "at least one image: JPEG, PNG, BMP, PGM or PPM", "check the files named above");
  if (points == 0)
    throw Error(labels, text("not one of ", photos.images.size(), " labels holds a point"),
                "labels with points: training on none finds none",
                "run cairn label with a lower threshold or another model");

  std::set<std::string> used;
  for (const std::string& file : files) used.insert(fs::path(file).filename());
  for (const auto& entry : fs::directory_iterator(labels))
    if (entry.path().extension() == ".npz" && !used.contains(entry.path().filename()))
      photos.left_out.push_back(entry.path().string() + ": no image of this name");
  return photos;
}

}  // namespace cairn
