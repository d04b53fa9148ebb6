#pragma once
// The safetensors format (huggingface/safetensors): eight bytes with the length of a JSON header,
// the header (name -> type, shape, place), then the tensors' bytes, row-major and little-endian.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/tensor.h"

namespace cairn {

struct SafetensorsFile {
  std::map<std::string, Tensor> tensors;  ///< on cpu
  std::map<std::string, std::string> metadata;
};

/// Types F32, F64, BF16, I32 and U8; F16 is widened to f32, and I64 narrowed to i32 if it fits.
///
/// Nothing in the header is believed: throws an Error that names the file and the tensor when the
/// file is missing or truncated, the header is longer than the file or 100 MB, a type is unknown, a
/// name comes twice, a size disagrees with type and shape, or the places overlap, leave holes, or
/// lie outside of the file.
SafetensorsFile read_safetensors(const std::string& path);

/// Replaces `path` atomically. Tensors may be on any device; the header keeps their order, except
/// that wider types come first, so that each tensor is aligned to its type.
void write_safetensors(const std::string& path,
                       const std::vector<std::pair<std::string, Tensor>>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace cairn
