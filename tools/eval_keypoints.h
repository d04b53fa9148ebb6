#pragma once
// The part of `cairn eval` that measures named points on annotated images.
#include "tools/verb.h"

namespace cairn {

void add_eval_keypoints(CLI::App& eval);  ///< cairn eval keypoints

}  // namespace cairn
