#pragma once
// A recipe: every hyper-parameter of a training run, from a TOML file and from --set key=value.
// Readers ask for keys with defaults and ranges; what nobody asked for is an error with a
// suggestion.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace cairn {

class Recipe {
 public:
  Recipe() = default;
  /// Throws an Error with file, line and column on bad TOML or a missing file.
  static Recipe from_file(const std::string& path);
  static Recipe from_text(const std::string& toml, const std::string& name);

  /// "train.batch=8". Throws a UsageError without "=".
  void set(const std::string& assignment);
  bool has(const std::string& key) const { return given_.count(key) != 0; }

  /// Reads a key, or takes the fallback; throws a UsageError naming key, value and range.
  int64_t integer(const std::string& key, int64_t fallback, int64_t low, int64_t high);
  double real(const std::string& key, double fallback, double low, double high);
  bool boolean(const std::string& key, bool fallback);
  std::string string(const std::string& key, const std::string& fallback);
  /// A list of strings, or one string alone; empty without the key.
  std::vector<std::string> strings(const std::string& key);
  /// A list of numbers, or one number alone; the fallback without the key.
  std::vector<double> reals(const std::string& key, const std::vector<double>& fallback, double low,
                            double high);
  std::string choice(const std::string& key, const std::string& fallback,
                     const std::vector<std::string>& choices);
  /// All keys below `table` that have no dot of their own: the options of a model, say.
  std::map<std::string, std::string> table(const std::string& table);

  /// Throws a UsageError that lists all keys nobody asked for, each with the nearest known one.
  void finish() const;
  /// Everything that was asked for, with the values taken: what config.toml keeps of a run.
  std::string resolved() const;

 private:
  const std::string* find(const std::string& key) const;
  std::string name_ = "recipe";
  std::map<std::string, std::string> given_;     // key -> value as text
  std::map<std::string, std::string> resolved_;  // keys asked for -> value taken, as TOML
};

/// The word of `known` with the smallest edit distance; "" if none is near.
std::string nearest_word(const std::string& word, const std::vector<std::string>& known);

}  // namespace cairn
