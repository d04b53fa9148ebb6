#pragma once
// The parts of `cairn eval` that measure keypoints on image pairs with known homographies.
#include "tools/verb.h"

namespace cairn {

void add_eval_homography(CLI::App& eval);  ///< cairn eval homography: sequences of photographs
void add_eval_pairs(CLI::App& eval);       ///< cairn eval pairs: synthetic pairs

}  // namespace cairn
