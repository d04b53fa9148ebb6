#pragma once
// Numbers in answers: for a person in columns, for a machine as JSON.
#include <cmath>
#include <iomanip>
#include <sstream>
#include <string>

#include "tools/verb.h"

namespace cairn {

/// null for what could not be measured.
inline Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }

/// "-" for what could not be measured.
inline std::string cell(double v, int digits) {
  if (!std::isfinite(v)) return "-";
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << v;
  return out.str();
}

/// Padded to at least n characters and one blank.
inline std::string left(const std::string& s, size_t n) {
  return s + std::string(s.size() < n ? n - s.size() : 1, ' ');
}
inline std::string right(const std::string& s, size_t n) {
  return std::string(s.size() < n ? n - s.size() : 1, ' ') + s;
}

}  // namespace cairn
