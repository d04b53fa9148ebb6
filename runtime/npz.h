#pragma once
// The NPZ format of numpy: a ZIP archive of arrays, each an .npy file (a header in Python's syntax
// with type, order and shape, then the elements).
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/tensor.h"

namespace cairn {

/// The arrays of a file by name, on cpu: what numpy.savez wrote of types float32, float64, int32,
/// uint8, int64 (narrowed to i32 if it fits) and bool (0 and 1 as u8).
///
/// Nothing in it is believed: throws an Error that names the file and the array for what read_zip()
/// refuses, and when a header is damaged, a type is another, the order is Fortran's, or the size
/// disagrees with type and shape.
std::map<std::string, Tensor> read_npz(const std::string& path);

/// Replaces `path` atomically by what numpy.load reads. Tensors of f32, f64, i32 and u8 on any
/// device; equal tensors give equal files. Throws an Error on another type or a name used twice.
void write_npz(const std::string& path, const std::vector<std::pair<std::string, Tensor>>& arrays);

}  // namespace cairn
