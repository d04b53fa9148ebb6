#include "training/homography_sequences.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>

#include "runtime/error.h"
#include "runtime/image.h"

namespace cairn {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& path, size_t line, const std::string& wrong) {
  throw Error(text(path, line ? text(", line ", line) : ""), wrong,
              "three lines of three finite numbers, a matrix that can be inverted",
              "correct the file, or take it from the data set again");
}

std::vector<std::string> words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> found;
  for (std::string word; in >> word;) found.push_back(word);
  return found;
}

double number(const std::string& path, size_t line, const std::string& word) {
  double value = 0;
  const char* begin = word.data() + (word[0] == '+');
  const auto [end, error] = std::from_chars(begin, word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size() || !std::isfinite(value))
    refuse(path, line, "'" + word.substr(0, 40) + "' is no finite number");
  return value;
}

// What a folder holds, by the number of the view.
struct Folder {
  std::map<int, std::string> images, homographies;

  explicit Folder(const fs::path& path) {
    static const std::regex image("(?:img)?([0-9]{1,6})\\.[A-Za-z]+"),
        homography("H_1_([0-9]{1,6})|H1to([0-9]{1,6})p?");
    for (const auto& entry : fs::directory_iterator(path)) {
      const std::string name = entry.path().filename().string();
      std::smatch match;
      if (std::regex_match(name, match, image) && has_image_extension(name))
        images[std::stoi(match[1])] = entry.path().string();
      else if (std::regex_match(name, match, homography))
        homographies[std::stoi(match[match[1].matched ? 1 : 2])] = entry.path().string();
    }
  }
  bool is_sequence() const { return !homographies.empty(); }
};

std::vector<fs::path> subfolders(const fs::path& path) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(path))
    if (entry.is_directory()) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

HomographySequence sequence(const fs::path& path, const Folder& folder) {
  HomographySequence s;
  s.name = fs::absolute(path / ".").lexically_normal().parent_path().filename().string();
  std::string wrong;
  const auto readable = [&](const std::string& image) {
    try {
      read_image_info(image);
    } catch (const Error& e) {
      wrong += "\n  " + image + ": " + e.wrong;
    }
  };
  if (folder.images.count(1))
    readable(s.first = folder.images.at(1));
  else
    wrong += "\n  image 1 is missing";
  for (const auto& [k, image] : folder.images) {
    if (k == 1) continue;
    readable(image);
    if (folder.homographies.count(k))
      s.others.push_back({k, image, read_homography(folder.homographies.at(k))});
    else
      wrong += text("\n  ", image, ": no homography H1to", k, "p or H_1_", k);
  }
  for (const auto& [k, file] : folder.homographies)
    if (k != 1 && !folder.images.count(k))
      wrong += text("\n  ", file, ": image ", k, " is missing");
  if (wrong.empty() && s.others.empty()) wrong = " there is no image beside the first";
  if (!wrong.empty())
    throw Error(path.string(), "the sequence is incomplete:" + wrong,
                "image 1, and for each other image k the homography from 1 to k",
                "complete the folder, or leave this sequence out: means over fewer pairs would not "
                "compare");
  return s;
}

}  // namespace

Matrix3 read_homography(const std::string& path) {
  std::ifstream in(path);
  if (!in) refuse(path, 0, "the file cannot be read");
  Matrix3 h;
  int rows = 0;
  size_t at = 0;
  for (std::string line; std::getline(in, line);) {
    ++at;
    const std::vector<std::string> found = words(line);
    if (found.empty()) continue;
    if (rows == 3) refuse(path, at, "there are more than three lines");
    if (found.size() != 3) refuse(path, at, text(found.size(), " numbers in a line"));
    for (int j = 0; j < 3; ++j) h(rows, j) = number(path, at, found[j]);
    ++rows;
  }
  if (rows != 3) refuse(path, at, text(rows, rows == 1 ? " line" : " lines"));
  // Relative to the sizes of the rows: the scale of a homography is free.
  double size = 1;
  for (int i = 0; i < 3; ++i) size *= std::hypot(h(i, 0), h(i, 1), h(i, 2));
  if (!(std::abs(determinant(h)) > 1e-12 * size))
    refuse(path, 0, text("the matrix is singular, its determinant is ", determinant(h)));
  if (h(2, 2) == 0) refuse(path, 0, "the pixel (0, 0) goes to infinity: h33 is 0");
  return with_unit_corner(h);  // whatever scale, and sign, it was written with
}

std::vector<HomographySequence> homography_sequences(const std::vector<std::string>& folders) {
  std::vector<HomographySequence> found;
  for (const std::string& folder : folders) {
    if (!fs::is_directory(folder))
      throw Error(folder, "there is no such folder", "a sequence, or a folder of sequences",
                  "check the path");
    const size_t before = found.size();
    if (const Folder itself{folder}; itself.is_sequence()) {
      found.push_back(sequence(folder, itself));
      continue;
    }
    for (const fs::path& path : subfolders(folder))
      if (const Folder inside{path}; inside.is_sequence()) found.push_back(sequence(path, inside));
    if (found.size() == before)
      throw Error(folder, "no sequence is in it",
                  "img1.png, img2.png, .. with H1to2p, .. (Oxford) or 1.ppm, 2.ppm, .. with H_1_2, "
                  ".. (HPatches), or folders of such",
                  "check the path");
  }
  return found;
}

}  // namespace cairn
