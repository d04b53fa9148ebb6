#pragma once
// JSON from files that nobody vouches for.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace cairn {

/// Parses a file; the values of keys called "segmentation" are dropped (masks are most of a large
/// COCO file). Bare NaN and Infinity, which Python writes, become null. Throws an Error with line
/// and column where it is not JSON.
nlohmann::json read_json_file(const std::string& path);

/// A finite number, or nothing.
std::optional<double> number(const nlohmann::json& value);
/// A number without fraction, or nothing.
std::optional<int64_t> whole_number(const nlohmann::json& value);
/// The element of an object, or null where there is none.
const nlohmann::json& element(const nlohmann::json& object, const char* key);
/// The value for a message, shortened.
std::string shown(const nlohmann::json& value);

}  // namespace cairn
