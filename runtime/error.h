#pragma once
// Errors in three parts: what was wrong (with the numbers in it), what was expected, what to do.
#include <sstream>
#include <stdexcept>
#include <string>

namespace cairn {

/// Joins anything printable.
template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

/// The work failed. The library throws; only the program prints and exits (with 1).
///
///   where     the operation, file or option that speaks ("max_pool", "weights.safetensors")
///   wrong     what was found, with the numbers in it
///   expected  what would have been right
///   remedy    what the reader can do now
struct Error : std::runtime_error {
  Error(std::string where_, std::string wrong_, std::string expected_, std::string remedy_)
      : std::runtime_error(where_ + ": " + wrong_ + "\n  expected: " + expected_ +
                           "\n  to do: " + remedy_),
        where(std::move(where_)),
        wrong(std::move(wrong_)),
        expected(std::move(expected_)),
        remedy(std::move(remedy_)) {}

  std::string where, wrong, expected, remedy;
};

/// The program was called wrongly: unknown option, value out of range (the program exits with 2).
struct UsageError : Error {
  using Error::Error;
};

}  // namespace cairn
