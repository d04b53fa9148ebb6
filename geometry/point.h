#pragma once
// Points in the project's convention: pixels, x to the right, y down, integers are pixel centres.

namespace cairn {

struct Point {
  double x = 0, y = 0;
};
inline Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
inline Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
inline Point operator*(double s, Point p) { return {s * p.x, s * p.y}; }

/// A detection: the higher the score, the surer.
struct ScoredPoint {
  double x = 0, y = 0, score = 0;
};

}  // namespace cairn
