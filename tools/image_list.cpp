#include "tools/image_list.h"

#include <filesystem>
#include <iostream>

#include "runtime/error.h"
#include "runtime/image.h"
#include "runtime/profile_range.h"

namespace cairn {

std::vector<std::string> expand_images(const std::vector<std::string>& arguments) {
  std::vector<std::string> paths;
  for (const std::string& a : arguments) {
    if (!std::filesystem::is_directory(a)) {
      paths.push_back(a);
      continue;
    }
    const std::vector<std::string> inside = image_files(a);
    if (inside.empty())
      throw Error(a, "the folder has no images", "JPEG, PNG, BMP, PGM or PPM files",
                  "check the path; subfolders are not searched");
    paths.insert(paths.end(), inside.begin(), inside.end());
  }
  return paths;
}

std::vector<std::string> for_each_image(
    const std::vector<std::string>& paths, int channels,
    const std::function<void(const std::string& path, const Tensor& image)>& use) {
  std::vector<std::string> skipped;
  std::string why;
  for (const std::string& path : paths) {
    Tensor image;
    try {
      const ProfileRange range(Work::host, "read image");
      image = read_image(path, channels);
    } catch (const Error& e) {
      if (paths.size() == 1) throw;
      skipped.push_back(path);
      why += "\n  " + path + ": " + e.wrong;
      continue;
    }
    use(path, image);
  }
  if (!skipped.empty() && skipped.size() == paths.size())
    throw Error("images", text("none of ", paths.size(), " could be read:", why),
                "at least one image: JPEG, PNG, BMP, PGM or PPM", "check the files named above");
  if (!skipped.empty())
    std::cerr << skipped.size() << " of " << paths.size() << " images were skipped:" << why << '\n';
  return skipped;
}

}  // namespace cairn
