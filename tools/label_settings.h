#pragma once
// What a folder of labels was made with, kept in it as settings.json: a run that is resumed must
// not mix labels of two kinds.
#include <string>

#include "tools/verb.h"

namespace cairn {

/// Length and checksum of a file: which model it was.
Json file_identity(const std::string& path);

/// Writes `settings` to FOLDER/settings.json, or compares them with those that are there: throws a
/// UsageError that lists the differences, or says that there are labels without settings.
void settle_labels(const std::string& folder, const Json& settings);

}  // namespace cairn
