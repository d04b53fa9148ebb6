#include "training/suppression.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <numeric>

namespace cairn {
namespace {

bool too_near(const Suppression& s, int dx, int dy) {
  dx = std::abs(dx);
  dy = std::abs(dy);
  if (s.rule == Suppression::Rule::square) return dx <= s.size && dy <= s.size;
  if (dx >= s.size || dy >= s.size) return false;
  // Overlap o of two boxes of area A: o / (2 A - o) > 0.1, so o > 0.2 / 1.1 A.
  return (s.size - dx) * (s.size - dy) > 0.2 / 1.1 * s.size * s.size;
}

}  // namespace

Keypoints chosen(const Keypoints& points, const std::vector<size_t>& indices) {
  Keypoints out;
  out.descriptor_size = points.descriptor_size;
  const auto n = std::ptrdiff_t(points.descriptor_size);
  for (size_t i : indices) {
    out.points.push_back(points.points[i]);
    out.scores.push_back(points.scores[i]);
    if (points.descriptors.empty()) continue;
    const auto from = points.descriptors.begin() + std::ptrdiff_t(i) * n;
    out.descriptors.insert(out.descriptors.end(), from, from + n);
  }
  return out;
}

Keypoints suppressed(const Keypoints& points, const Suppression& rule, int height, int width) {
  std::vector<size_t> order(points.points.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return points.scores[a] > points.scores[b]; });
  std::vector<uint8_t> taken(size_t(height) * size_t(width), 0);
  std::vector<size_t> kept;
  for (size_t i : order) {
    const auto [px, py] = points.points[i];
    if (!(px >= -0.5f && px < float(width) - 0.5f && py >= -0.5f && py < float(height) - 0.5f))
      continue;
    const int x = int(px + 0.5f), y = int(py + 0.5f);
    if (taken[size_t(y) * size_t(width) + size_t(x)]) continue;
    kept.push_back(i);
    if (rule.rule == Suppression::Rule::none) continue;
    for (int v = std::max(y - rule.size, 0); v <= std::min(y + rule.size, height - 1); ++v)
      for (int u = std::max(x - rule.size, 0); u <= std::min(x + rule.size, width - 1); ++u)
        if (too_near(rule, u - x, v - y)) taken[size_t(v) * size_t(width) + size_t(u)] = 1;
  }
  return chosen(points, kept);
}

}  // namespace cairn
