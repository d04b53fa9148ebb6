#pragma once
// cairn eval landmarks
#include "tools/verb.h"

namespace cairn {

void add_eval_landmarks(CLI::App& eval);

}  // namespace cairn
