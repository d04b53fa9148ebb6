#include "training/recipe.h"

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include "runtime/error.h"

namespace cairn {
namespace {

std::string quoted(const std::string& s) {
  std::string out = "\"";
  for (char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

// A list of strings as TOML: how a list is kept among the values, which are text.
std::string list_text(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) out += (out.size() > 1 ? ", " : "") + quoted(item);
  return out + "]";
}

bool strings_of(const toml::array& array, std::vector<std::string>& items) {
  for (const toml::node& node : array) {
    const auto* s = node.as_string();
    if (!s) return false;
    items.push_back(s->get());
  }
  return true;
}

// A number as TOML: 1 alone would be a whole one.
std::string real_text(double value) {
  const std::string shown = text(value);
  return shown.find_first_of(".en") == std::string::npos ? shown + ".0" : shown;
}

std::string list_text(const std::vector<double>& items) {
  std::string out = "[";
  for (double item : items) out += (out.size() > 1 ? ", " : "") + real_text(item);
  return out + "]";
}

bool reals_of(const toml::array& array, std::vector<double>& items) {
  for (const toml::node& node : array) {
    if (!node.is_number()) return false;
    items.push_back(*node.value<double>());
  }
  return true;
}

// Reads a value that is a list; false if it is none, or one of other things.
template <class Item, class Read>
bool parse_list(const std::string& given, std::vector<Item>& items, Read&& read) {
  try {
    const toml::table parsed = toml::parse("list = " + given);
    const auto* array = parsed["list"].as_array();
    return array && read(*array, items);
  } catch (const toml::parse_error&) {
    return false;
  }
}

// Flattens tables into dotted keys, scalars and lists of strings or of numbers into text.
void flatten(const toml::table& table, const std::string& prefix, const std::string& file,
             std::map<std::string, std::string>& out) {
  for (const auto& [key_node, node] : table) {
    const std::string key = prefix + std::string(key_node.str());
    std::vector<std::string> items;
    std::vector<double> numbers;
    if (const auto* child = node.as_table())
      flatten(*child, key + ".", file, out);
    else if (const auto* s = node.as_string())
      out[key] = s->get();
    else if (const auto* i = node.as_integer())
      out[key] = std::to_string(i->get());
    else if (const auto* b = node.as_boolean())
      out[key] = b->get() ? "true" : "false";
    else if (const auto* f = node.as_floating_point())
      out[key] = text(f->get());
    else if (const auto* a = node.as_array(); a && strings_of(*a, items))
      out[key] = list_text(items);
    else if (a && reals_of(*a, numbers))
      out[key] = list_text(numbers);
    else
      throw UsageError(file,
                       text(key,
                            " is neither a number, a string, a boolean nor a list of one of the "
                            "first two"),
                       "one plain value per key, [\"a\", \"b\"] or [1, 2]",
                       text("correct line ", node.source().begin.line));
  }
}

size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

template <class T>
bool parsed(const std::string& s, T& value) {
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  return error == std::errc() && end == s.data() + s.size();
}

}  // namespace

std::string nearest_word(const std::string& word, const std::vector<std::string>& known) {
  std::string best;
  size_t least = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& k : known)
    if (const size_t d = edit_distance(word, k); d < least) {
      least = d;
      best = k;
    }
  return best;
}

Recipe Recipe::from_file(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream content;
  if (!in || !(content << in.rdbuf()))
    throw Error(path, "the recipe cannot be read", "a TOML file",
                "check the path; recipes/ holds examples");
  return from_text(content.str(), path);
}

Recipe Recipe::from_text(const std::string& toml, const std::string& name) {
  Recipe r;
  r.name_ = name;
  try {
    flatten(toml::parse(toml, name), "", name, r.given_);
  } catch (const toml::parse_error& e) {
    throw UsageError(name,
                     text("line ", e.source().begin.line, ", column ", e.source().begin.column,
                          ": ", e.description()),
                     "TOML (https://toml.io)", "correct that line");
  }
  return r;
}

void Recipe::set(const std::string& assignment) {
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0)
    throw UsageError("--set", text("'", assignment, "'"), "key=value",
                     "for example --set train.batch=8");
  given_[assignment.substr(0, equals)] = assignment.substr(equals + 1);
}

const std::string* Recipe::find(const std::string& key) const {
  const auto it = given_.find(key);
  return it == given_.end() ? nullptr : &it->second;
}

int64_t Recipe::integer(const std::string& key, int64_t fallback, int64_t low, int64_t high) {
  const std::string* given = find(key);
  int64_t value = fallback;
  if (given && (!parsed(*given, value) || value < low || value > high))
    throw UsageError(name_, text(key, " = ", *given),
                     text("a whole number from ", low, " to ", high), "correct the value");
  resolved_[key] = std::to_string(value);
  return value;
}

double Recipe::real(const std::string& key, double fallback, double low, double high) {
  const std::string* given = find(key);
  double value = fallback;
  if (given && (!parsed(*given, value) || !(value >= low && value <= high)))
    throw UsageError(name_, text(key, " = ", *given), text("a number from ", low, " to ", high),
                     "correct the value");
  resolved_[key] = real_text(value);
  return value;
}

bool Recipe::boolean(const std::string& key, bool fallback) {
  const std::string* given = find(key);
  if (given && *given != "true" && *given != "false")
    throw UsageError(name_, text(key, " = ", *given), "true or false", "correct the value");
  const bool value = given ? *given == "true" : fallback;
  resolved_[key] = value ? "true" : "false";
  return value;
}

std::string Recipe::string(const std::string& key, const std::string& fallback) {
  const std::string* given = find(key);
  const std::string value = given ? *given : fallback;
  resolved_[key] = quoted(value);
  return value;
}

std::vector<std::string> Recipe::strings(const std::string& key) {
  std::vector<std::string> items;
  if (const std::string* given = find(key); given && given->starts_with("[")) {
    if (!parse_list(*given, items, strings_of))
      throw UsageError(name_, text(key, " = ", *given), "one string, or [\"a\", \"b\"]",
                       "correct the value");
  } else if (given && !given->empty()) {
    items.push_back(*given);
  }
  resolved_[key] = list_text(items);
  return items;
}

std::vector<double> Recipe::reals(const std::string& key, const std::vector<double>& fallback,
                                  double low, double high) {
  std::vector<double> items = fallback;
  if (const std::string* given = find(key)) {
    items.assign(1, 0);
    bool fine = parsed(*given, items[0]);
    if (!fine) {
      items.clear();
      fine = parse_list(*given, items, reals_of);
    }
    if (!fine ||
        !std::all_of(items.begin(), items.end(), [&](double v) { return v >= low && v <= high; }))
      throw UsageError(name_, text(key, " = ", *given),
                       text("numbers from ", low, " to ", high, ", as [0.1, 1]"),
                       "correct the value");
  }
  resolved_[key] = list_text(items);
  return items;
}

std::string Recipe::choice(const std::string& key, const std::string& fallback,
                           const std::vector<std::string>& choices) {
  const std::string value = string(key, fallback);
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return value;
  std::string all;
  for (const std::string& c : choices) all += (all.empty() ? "" : ", ") + c;
  const std::string near = nearest_word(value, choices);
  throw UsageError(name_, text(key, " = \"", value, "\""), all,
                   near.empty() ? "choose one of them" : text("did you mean \"", near, "\"?"));
}

std::map<std::string, std::string> Recipe::table(const std::string& table) {
  std::map<std::string, std::string> out;
  const std::string prefix = table + ".";
  for (const auto& [key, value] : given_)
    if (key.rfind(prefix, 0) == 0 && key.find('.', prefix.size()) == std::string::npos) {
      out[key.substr(prefix.size())] = value;
      resolved_[key] = quoted(value);
    }
  return out;
}

void Recipe::finish() const {
  std::vector<std::string> known;
  for (const auto& [key, value] : resolved_) known.push_back(key);
  std::string unknown, hints;
  for (const auto& [key, value] : given_) {
    if (resolved_.count(key)) continue;
    unknown += (unknown.empty() ? "" : ", ") + key;
    if (const std::string near = nearest_word(key, known); !near.empty())
      hints += text(hints.empty() ? "" : " ", "Did you mean ", near, " instead of ", key, "?");
  }
  if (unknown.empty()) return;
  throw UsageError(name_, text("unknown key ", unknown), "only keys that this recipe's parts know",
                   hints.empty() ? "remove it; recipes/ holds complete examples" : hints);
}

std::string Recipe::resolved() const {
  std::string out, open;
  for (const auto& [key, value] : resolved_)
    if (key.find('.') == std::string::npos) out += key + " = " + value + "\n";
  for (const auto& [key, value] : resolved_) {  // sorted, so a table's keys stand together
    const size_t dot = key.rfind('.');
    if (dot == std::string::npos) continue;
    const std::string table = key.substr(0, dot);
    if (table != open) out += (out.empty() ? "[" : "\n[") + table + "]\n";
    open = table;
    out += key.substr(dot + 1) + " = " + value + "\n";
  }
  return out;
}

}  // namespace cairn
