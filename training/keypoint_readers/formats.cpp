#include "training/keypoint_readers/formats.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "runtime/atomic_file.h"
#include "runtime/error.h"
#include "training/keypoint_names.h"

namespace cairn {
namespace {

namespace fs = std::filesystem;

// Where the images of an annotation file may lie, the likeliest first.
std::vector<fs::path> image_folders(const fs::path& file) {
  const std::string stem = file.stem().string();
  const size_t underscore = stem.rfind('_');
  std::vector<fs::path> folders;
  const auto add = [&](const fs::path& folder) {
    folders.push_back(folder);
    folders.push_back(folder / "images");
    folders.push_back(folder / stem);
    if (underscore != std::string::npos) folders.push_back(folder / stem.substr(underscore + 1));
  };
  add(file.parent_path());
  if (file.parent_path().filename() == "annotations") add(file.parent_path().parent_path());
  return folders;
}

// What is wrong with a line of keypoints.txt; "" if it was taken.
std::string take_line(std::istream& line, Skeleton& skeleton) {
  int64_t index = -1, partner = -1, parent = -1;
  std::string name, rest;
  if (!(line >> index >> name >> partner)) return "not index, name, mirrored index";
  if (index != int64_t(skeleton.names.size()))
    return text("its index is ", index, " and not ", skeleton.names.size());
  if (partner < 0 || partner > 1'000'000) return text("the mirrored index is ", partner);
  skeleton.names.push_back(name);
  skeleton.swap.push_back(int(partner));
  if (line >> parent && parent >= 0 && parent <= 1'000'000)
    skeleton.bones.push_back({int(parent), int(index)});
  line.clear();
  return line >> rest ? "more than four columns" : "";
}

}  // namespace

std::optional<Skeleton> read_keypoints_txt(const std::string& annotation_file, Problems& problems) {
  const fs::path path = fs::path(annotation_file).parent_path() / "keypoints.txt";
  if (!fs::exists(path)) return {};
  std::istringstream in(read_file(path.string()));
  Skeleton skeleton;
  int number = 0;
  for (std::string words; std::getline(in, words);) {
    ++number;
    words = words.substr(0, words.find('#'));
    if (words.find_first_not_of(" \t\r") == std::string::npos) continue;
    std::istringstream line(words);
    const std::string wrong = take_line(line, skeleton);
    if (wrong.empty()) continue;
    problems.add(Problem::keypoints_txt, text(path.string(), ", line ", number, ": ", wrong));
    return {};
  }
  return skeleton;
}

void check_skeleton(Skeleton& s, Problems& problems) {
  const int K = s.keypoints();
  std::set<std::string> seen;
  for (int k = 0; k < K; ++k)
    if (s.names[size_t(k)].empty() || !seen.insert(s.names[size_t(k)]).second)
      problems.add(Problem::bad_names, text("keypoint ", k, ": '", s.names[size_t(k)], "'"));
  const auto named = [&](int k) { return text(k, " (", s.names[size_t(k)], ")"); };
  if (s.swap.empty()) {
    s.swap = swap_by_names(s.names);
    bool any = false;
    for (int k = 0; k < K; ++k) any = any || s.swap[size_t(k)] != k;
    if (!any && K > 1) problems.add(Problem::no_swap, text(K, " keypoints"));
  } else if (int(s.swap.size()) != K) {
    problems.add(Problem::bad_swap, text(s.swap.size(), " indices for ", K, " keypoints"));
  } else {
    for (int k = 0; k < K; ++k) {
      const int to = s.swap[size_t(k)];
      if (to < 0 || to >= K)
        problems.add(Problem::bad_swap, text("keypoint ", named(k), " has ", to));
      else if (s.swap[size_t(to)] != k)
        problems.add(Problem::bad_swap, text("keypoint ", named(k), " has ", named(to),
                                             ", which has ", s.swap[size_t(to)]));
    }
  }
  for (const auto& [a, b] : s.bones)
    if (a < 0 || b < 0 || a >= K || b >= K) {
      problems.add(Problem::bones, text(a, " - ", b, " of ", K, " keypoints, counted from 0"));
      s.bones.clear();
      break;
    }
  if (!problems.places().contains(Problem::bad_swap)) return;
  s.swap.resize(size_t(K));
  for (int k = 0; k < K; ++k) s.swap[size_t(k)] = k;
}

void locate_images(KeypointDataset& data) {
  fs::path best = fs::path(data.source).parent_path();
  size_t most = 0;
  std::set<std::string> tried;
  for (const fs::path& folder : image_folders(data.source)) {
    if (!tried.insert(folder.string()).second || !(folder.empty() || fs::is_directory(folder)))
      continue;
    size_t there = 0;
    for (const AnnotatedImage& image : data.images) {
      std::error_code ignored;  // names may be no names at all
      there += fs::is_regular_file(folder / image.path, ignored);
    }
    if (there > most) {
      most = there;
      best = folder;
    }
    if (most == data.images.size()) break;
  }
  for (AnnotatedImage& image : data.images) image.path = (best / image.path).string();
}

}  // namespace cairn
