#pragma once
// The project's own files, as tests find them.
#include <cstdlib>
#include <string>

#include "test_paths.h"

namespace cairn {

/// `name` in the project's folder: CAIRN_SOURCE, for test programs that were built elsewhere, or
/// the folder they were compiled in.
inline std::string source_path(const std::string& name) {
  const char* set = std::getenv("CAIRN_SOURCE");
  return std::string(set ? set : CAIRN_SOURCE_DIR) + "/" + name;
}

}  // namespace cairn
