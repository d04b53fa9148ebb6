#pragma once
// Data that is not part of the project: tests that need it skip, and say so, where it is absent.
#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/source_path.h"

namespace cairn {

/// CAIRN_DATA, or the folder shared/data beside the checkout; "" where `name` is not in it.
inline std::string data_folder(const std::string& name) {
  const char* set = std::getenv("CAIRN_DATA");
  const std::string root = set ? set : source_path("../shared/data");
  const std::string path = root + "/" + name;
  return std::filesystem::exists(path) ? path : "";
}

}  // namespace cairn

/// Declares `folder`, or skips the test with a sentence.
#define CAIRN_NEED_DATA(folder, name)                    \
  const std::string folder = ::cairn::data_folder(name); \
  if (folder.empty())                                    \
  GTEST_SKIP() << "the data folder " << name << " is absent; set CAIRN_DATA to where it lies"
