#include "tools/label_settings.h"

#include <filesystem>

#include "runtime/atomic_file.h"
#include "runtime/crc32.h"
#include "runtime/error.h"

namespace cairn {
namespace {

const char* remedy = "use the same settings, or choose another folder with --out";

void require_no_labels(const std::string& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".npz")
      throw UsageError(folder,
                       text("it has label files (", entry.path().filename().string(),
                            "), but no settings.json that says what made them"),
                       "an empty folder, or one made by cairn label", remedy);
}

}  // namespace

Json file_identity(const std::string& path) {
  const std::string bytes = read_file(path);
  return {{"bytes", bytes.size()}, {"crc32", crc32(bytes.data(), bytes.size())}};
}

void settle_labels(const std::string& folder, const Json& settings) {
  const std::string path = folder + "/settings.json";
  if (!std::filesystem::exists(path)) {
    require_no_labels(folder);
    write_file(path, settings.dump(2) + '\n');
    return;
  }
  const Json old = Json::parse(read_file(path), nullptr, false);
  if (!old.is_object())
    throw Error(path, "it is not a JSON object", "the settings that the labels were made with",
                "remove the folder and label again");
  std::string differences;
  const auto differ = [&](const std::string& key) {
    const Json there = old.value(key, Json()), here = settings.value(key, Json());
    if (there == here) return;
    differences += (differences.empty() ? "" : ", ") +
                   text(key, ' ', there.dump(-1, ' ', true, Json::error_handler_t::replace),
                        " there and ", here.dump(), " now");
  };
  for (const auto& [key, value] : settings.items()) differ(key);
  for (const auto& [key, value] : old.items())
    if (!settings.contains(key)) differ(key);
  if (!differences.empty())
    throw UsageError(folder, "its labels were made otherwise: " + differences, "the same settings",
                     remedy);
}

}  // namespace cairn
