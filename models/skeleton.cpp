#include "models/skeleton.h"

#include <sstream>

#include "models/model.h"
#include "runtime/error.h"

namespace cairn {
namespace {

template <class List, class Word>
std::string joined(const List& list, Word&& word) {
  std::string all;
  for (const auto& item : list) {
    if (!all.empty()) all += ',';
    all += word(item);
  }
  return all;
}

std::vector<std::string> words(const std::string& list) {
  std::vector<std::string> found;
  std::istringstream in(list);
  for (std::string word; std::getline(in, word, ',');) found.push_back(word);
  return found;
}

// The number of a point that is there, else -1.
int point_number(const std::string& word, int points) {
  char* end = nullptr;
  const long n = std::strtol(word.c_str(), &end, 10);
  return word.empty() || *end || n < 0 || n >= points ? -1 : int(n);
}

}  // namespace

Skeleton numbered_skeleton(int points) {
  Skeleton s;
  for (int k = 1; k <= points; ++k) s.names.push_back(std::to_string(k));
  return s;
}

const Skeleton& mpii_skeleton() {
  static const Skeleton skeleton{
      {"right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "pelvis",
       "thorax", "upper_neck", "head_top", "right_wrist", "right_elbow", "right_shoulder",
       "left_shoulder", "left_elbow", "left_wrist"},
      {5, 4, 3, 2, 1, 0, 6, 7, 8, 9, 15, 14, 13, 12, 11, 10},
      {{0, 1},
       {1, 2},
       {2, 6},
       {3, 6},
       {3, 4},
       {4, 5},
       {6, 7},
       {7, 8},
       {8, 9},
       {10, 11},
       {11, 12},
       {12, 7},
       {13, 7},
       {13, 14},
       {14, 15}},
      {}};
  return skeleton;
}

std::map<std::string, std::string> skeleton_options(const Skeleton& s) {
  for (const std::string& name : s.names)
    if (name.find(',') != std::string::npos)
      throw Error("skeleton", text("the point '", name, "' has a comma in its name"),
                  "names without commas", "rename it in the annotations");
  std::map<std::string, std::string> options;
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) options[key] = value;
  };
  add("names", joined(s.names, [](const std::string& name) { return name; }));
  add("swap", joined(s.swap, [](int i) { return std::to_string(i); }));
  add("bones", joined(s.bones, [](const std::array<int, 2>& b) { return text(b[0], '-', b[1]); }));
  return options;
}

Skeleton read_skeleton(OptionReader& read, int points) {
  Skeleton s;
  std::string wrong;
  const auto complain = [&](const auto&... parts) {
    wrong += text(wrong.empty() ? "" : "; ", parts...);
  };
  s.names = words(read.string("names", ""));
  if (s.names.empty()) s = numbered_skeleton(points);
  if (s.keypoints() != points) complain(s.keypoints(), " names for ", points, " points");
  for (const std::string& word : words(read.string("swap", ""))) {
    s.swap.push_back(point_number(word, points));
    if (s.swap.back() < 0) complain("swap names the point '", word, "'");
  }
  if (!s.swap.empty() && int(s.swap.size()) != points)
    complain("swap has ", s.swap.size(), " entries for ", points, " points");
  if (wrong.empty())
    for (size_t k = 0; k < s.swap.size(); ++k)
      if (s.swap[size_t(s.swap[k])] != int(k))
        complain("swap takes ", k, " to ", s.swap[k], " and that to ", s.swap[size_t(s.swap[k])]);
  for (const std::string& bone : words(read.string("bones", ""))) {
    const size_t dash = bone.find('-');
    const std::string from = bone.substr(0, dash);
    const std::string to = dash == std::string::npos ? "" : bone.substr(dash + 1);
    s.bones.push_back({point_number(from, points), point_number(to, points)});
    if (s.bones.back()[0] < 0 || s.bones.back()[1] < 0) complain("there is a bone '", bone, "'");
  }
  if (!wrong.empty())
    throw UsageError("skeleton", wrong,
                     text("names, a swap that is its own inverse and bones as 0-1, all of the ",
                          points, " points"),
                     "correct the options names, swap and bones");
  return s;
}

}  // namespace cairn
