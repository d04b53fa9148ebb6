#pragma once

namespace cairn {

/// Edges, not pixel centres: a box around the pixels 3..5 has x = 2.5 and width 3.
struct Box {
  double x = 0, y = 0, width = 0, height = 0;
};

}  // namespace cairn
