#pragma once
// Constants that a training step needs on its device. They are uploaded once: a step that is
// captured (runtime/graph.h) may not copy from the host.
#include <vector>

#include "runtime/tensor.h"

namespace cairn {

/// `row` again and again, in the shape, and of the type and on the device of `like`. Made when it
/// is first asked for; a graph that is captured holds on to it. Not to be written to.
Tensor constant_rows(const Shape& shape, const std::vector<double>& row, const Tensor& like);

}  // namespace cairn
