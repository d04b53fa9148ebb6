#include "training/keypoint_names.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>

namespace cairn {
namespace {

bool letter(const std::string& s, size_t i) {
  return i < s.size() && std::isalpha(static_cast<unsigned char>(s[i]));
}

// All names that `name` could have as the right one of a pair, if it is the left one.
std::vector<std::string> right_names(const std::string& name) {
  static const std::pair<std::string, std::string> words[] = {
      {"left", "right"}, {"Left", "Right"}, {"LEFT", "RIGHT"}, {"L", "R"}, {"l", "r"}};
  std::vector<std::string> found;
  for (const auto& [left, right] : words)
    for (size_t at = name.find(left); at != std::string::npos; at = name.find(left, at + 1)) {
      // A small l is a word of its own or a part of one.
      if (left == "l" && ((at > 0 && letter(name, at - 1)) || letter(name, at + 1))) continue;
      found.push_back(name.substr(0, at) + right + name.substr(at + left.size()));
    }
  return found;
}

}  // namespace

std::vector<int> swap_by_names(const std::vector<std::string>& names) {
  std::map<std::string, int> index;
  std::vector<int> swap;
  for (size_t k = 0; k < names.size(); ++k) {
    index[names[k]] = int(k);
    swap.push_back(int(k));
  }
  for (size_t k = 0; k < names.size(); ++k)
    for (const std::string& right : right_names(names[k])) {
      const auto it = index.find(right);
      if (it == index.end() || swap[k] != int(k) || swap[size_t(it->second)] != it->second)
        continue;
      swap[k] = it->second;
      swap[size_t(it->second)] = int(k);
    }
  return swap;
}

std::string shared_name(const std::string& a, const std::string& b) {
  const auto [in_a, in_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  const size_t head = size_t(in_a - a.begin()), most = std::min(a.size(), b.size()) - head;
  size_t tail = 0;
  while (tail < most && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  std::string sides =
      a.substr(head, a.size() - head - tail) + "|" + b.substr(head, b.size() - head - tail);
  for (char& c : sides) c = char(std::tolower(uint8_t(c)));
  if (sides == "lef|righ" || sides == "righ|lef")
    --tail;  // both end in t
  else if (sides != "l|r" && sides != "r|l")
    return "";
  std::string name = a.substr(0, head) + a.substr(a.size() - tail);
  while (!name.empty() && (name[0] == '_' || name[0] == ' ')) name.erase(0, 1);
  while (!name.empty() && (name.back() == '_' || name.back() == ' ')) name.pop_back();
  return name;
}

}  // namespace cairn
